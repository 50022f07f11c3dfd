//! Stops payments above a ceiling for their currency, or for their currency and the category of the merchant.
//!
//! Ceilings are texts: `CNY=2000000` is one for all payments in yuan, `CNY/7995=100000` one for payments in yuan to
//! merchants of category 7995, and the second wins where both apply, also when it is the higher one. Amounts are in minor
//! units of the currency, and one that is equal to its ceiling passes. A currency without a ceiling has none.

#![no_std]

mod rule;

use portcullis_policy::prelude::*;
use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy, golden_cases};

/// The policy; its rule is in `rule.rs`.
#[derive(Debug)]
pub struct AmountCeiling;

impl Policy for AmountCeiling {
    fn describe() -> Descriptor {
        Descriptor::new("Stops payments above a ceiling per currency and per merchant category")
            .parameter(
                "ceilings",
                [
                    "CNY=2000000",
                    "EUR=250000",
                    "USD=300000",
                    "CNY/7995=100000",
                    "EUR/7995=15000",
                    "USD/7995=15000",
                ],
            )
            .parameter("outcome", "decline")
    }

    fn evaluate(request: &Request) -> Result<Decision, String> {
        let over = rule::outcome(request.text("outcome")?)?;
        let payment = &request.payment;
        let category = payment.merchant_category.as_deref();
        let ceiling = rule::applicable(request.texts("ceilings")?, &payment.amount.currency, category)?;
        Ok(rule::decide(payment.amount.minor_units, ceiling.as_ref(), over))
    }
}

export_policy!(AmountCeiling, no_std);
golden_cases!("golden-cases.json", AmountCeiling);
