//! Declines a payment when its card or its device pays too often, or too much, in a short time.
//!
//! The windows are part of the descriptor and no parameters: a gateway has to know how far back it must look before the
//! payments happen, and a window that an operator could change would be one for which nothing was kept yet. One hour
//! catches a stolen card that is being tried out, one day catches what a patient thief takes in small amounts.
//!
//! A feature that is unavailable limits nothing. Most often the payment simply has no device; a lookup that failed looks
//! the same from here, and declining honest payments for it would make a small outage a large one. The signal
//! `velocity.unavailable` names what was missing, so that somebody can count how often that happens.
//!
//! An operator can lift the limits for payments that carry a mark (`exempt`), tell whoever meets a decline what to do about
//! it (`advice`), and have each decision say which payment it was made of (`explain`).
//!
//! The same rule in other languages is in `plugins/languages`. All of them are held to the golden cases of this folder, so
//! what is changed here is changed there.

#![no_std]

mod rule;

use portcullis_policy::prelude::*;
use portcullis_policy::{
    Decision, Descriptor, Outcome, PaymentParts, Policy, Request, Subject, amount, count, export_policy,
    golden_cases, signal,
};
use rule::{Limits, Velocity};

/// The policy; its rule is in `rule.rs`.
#[derive(Debug)]
pub struct VelocityLimit;

impl Policy for VelocityLimit {
    fn describe() -> Descriptor {
        Descriptor::new(
            "Declines when a card or a device pays too often within an hour or too much within a day",
        )
        .reads(PaymentParts::DEVICE | PaymentParts::METADATA)
        .feature("card_count_1h", count(Subject::Card).attempted().within_hours(1))
        .feature(
            "card_amount_24h",
            amount(Subject::Card).attempted().within_hours(24),
        )
        .feature(
            "device_count_1h",
            count(Subject::Device).attempted().within_hours(1),
        )
        .feature(
            "device_amount_24h",
            amount(Subject::Device).attempted().within_hours(24),
        )
        .parameter("max_count", 5)
        .parameter("max_amount", 5_000_000)
        .parameter("exempt", [""; 0])
        .parameter("advice", "")
        .parameter("explain", false)
    }

    fn evaluate(request: &Request) -> Result<Decision, String> {
        let limits = Limits::new(request.integer("max_count")?, request.integer("max_amount")?)?;
        let exempt = rule::is_exempt(&request.payment, request.texts("exempt")?)?;
        let advice = rule::advice(request.text("advice")?)?;
        let card = Velocity {
            subject: "card",
            count: request.count("card_count_1h")?,
            amount: request.amount("card_amount_24h")?,
        };
        let device = Velocity {
            subject: "device",
            count: request.count("device_count_1h")?,
            amount: request.amount("device_amount_24h")?,
        };
        if let Some(missing) = rule::unavailable(&[card, device]) {
            signal("velocity.unavailable", &missing);
        }
        let mut decision = limits.decide(&card).and(limits.decide(&device));
        if decision.outcome == Outcome::Decline {
            decision = rule::settle(decision, exempt, advice);
        }
        if request.flag("explain")? {
            decision = decision.reason("velocity.payment", rule::explanation(&request.payment));
        }
        Ok(decision)
    }
}

export_policy!(VelocityLimit, no_std);
golden_cases!("golden-cases.json", VelocityLimit);
