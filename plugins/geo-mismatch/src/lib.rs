//! Compares the countries of a payment: where the card was issued, where it is billed, where the goods go, and where the
//! customer sits. Each two that differ add to the score, and the score asks for a challenge or a review.
//!
//! A country that is not known differs from nothing, so a payment of which little is known scores low here. That is on
//! purpose: this policy judges contradictions, and missing data is none.

#![no_std]

mod rule;

use portcullis_policy::prelude::*;
use portcullis_policy::{Decision, Descriptor, PaymentParts, Policy, Request, export_policy, golden_cases};
use rule::{Countries, Thresholds};

/// The policy; its rule is in `rule.rs`.
#[derive(Debug)]
pub struct GeoMismatch;

impl Policy for GeoMismatch {
    fn describe() -> Descriptor {
        Descriptor::new(
            "Challenges or reviews when the countries of card, addresses and device do not fit together",
        )
        .reads(PaymentParts::CARD | PaymentParts::CUSTOMER | PaymentParts::DEVICE)
        .parameter("challenge_from", 300)
        .parameter("review_from", 600)
    }

    fn evaluate(request: &Request) -> Result<Decision, String> {
        let thresholds = Thresholds::new(
            request.integer("challenge_from")?,
            request.integer("review_from")?,
        )?;
        Ok(thresholds.decide(&Countries::of(&request.payment)))
    }
}

export_policy!(GeoMismatch, no_std);
golden_cases!("golden-cases.json", GeoMismatch);
