//! Scores a payment with a small model of decision trees, and challenges, reviews or declines from thresholds on.
//!
//! The model is data: `model.txt`, made by the trainer in `training/` and read while this crate is compiled. It was
//! trained on payments that the trainer made up, so its scores say nothing about anybody's real payments; see the README.
//! Everything here is whole numbers: the same request gives the same score on every machine.

#![no_std]

mod rule;

use portcullis_policy::prelude::*;
use portcullis_policy::{
    Decision, Descriptor, PaymentParts, Policy, Request, Subject, amount, count, distinct, export_policy,
    golden_cases,
};

pub use rule::{INPUT_NAMES, INPUTS, inputs};

/// The policy; its rule is in `rule.rs`.
#[derive(Debug)]
pub struct FraudScore;

impl Policy for FraudScore {
    fn describe() -> Descriptor {
        Descriptor::new("Scores payments with a model of decision trees that was trained on made-up payments")
            .reads(PaymentParts::CARD | PaymentParts::CUSTOMER | PaymentParts::DEVICE)
            .feature("card_count_1h", count(Subject::Card).attempted().within_hours(1))
            .feature(
                "card_count_24h",
                count(Subject::Card).attempted().within_hours(24),
            )
            .feature(
                "card_amount_24h",
                amount(Subject::Card).attempted().within_hours(24),
            )
            .feature(
                "card_declined_24h",
                count(Subject::Card).declined().within_hours(24),
            )
            .feature(
                "device_cards_24h",
                distinct(Subject::Card, Subject::Device).within_hours(24),
            )
            .feature(
                "email_cards_24h",
                distinct(Subject::Card, Subject::Email).within_hours(24),
            )
            .feature("ip_count_1h", count(Subject::Ip).attempted().within_hours(1))
            .parameter("challenge_from", 500)
            .parameter("review_from", 750)
            .parameter("decline_from", 950)
            .parameter("utc_offset_minutes", 480)
    }

    fn evaluate(request: &Request) -> Result<Decision, String> {
        let thresholds = rule::Thresholds::new(
            request.integer("challenge_from")?,
            request.integer("review_from")?,
            request.integer("decline_from")?,
        )?;
        Ok(rule::decide(&inputs(request)?, thresholds))
    }
}

export_policy!(FraudScore, no_std);
golden_cases!("golden-cases.json", FraudScore);
