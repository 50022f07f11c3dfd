//! Holds card, email, IP address, device and customer against two lists that people keep: `blocked` and `allowed`.
//!
//! Whatever is blocked is declined, also when something else about the payment is allowed: a thief can use a device that
//! is known to be good. An entry on the allow list alone is noted as a reason and changes nothing. It cannot: the strictest
//! outcome of all policies wins, so this policy cannot speak a payment free that another one stops. The reason is there
//! for the people who look at such a payment.
//!
//! A block list that could not be looked up is signalled as `list.unavailable`, and the parameter `when_unavailable` says
//! whether the payment is approved or reviewed then. That is about subjects which the payment has: one without a device is on
//! no list of devices. To tell the two apart the policy reads those parts of the payment, and looks at nothing in them
//! but whether they are there.

#![no_std]

mod rule;

use portcullis_policy::prelude::*;
use portcullis_policy::{
    Decision, Descriptor, PaymentParts, Policy, Request, export_policy, golden_cases, listed, signal,
};

/// The policy; its rule is in `rule.rs`.
#[derive(Debug)]
pub struct ListGuard;

impl Policy for ListGuard {
    fn describe() -> Descriptor {
        let mut descriptor =
            Descriptor::new("Declines when card, email, IP address, device or customer is on the block list")
                .reads(PaymentParts::CARD | PaymentParts::CUSTOMER | PaymentParts::DEVICE)
                .parameter("when_unavailable", "approve");
        for entry in &rule::ENTRIES {
            descriptor = descriptor
                .feature(entry.blocked, listed("blocked", entry.subject))
                .feature(entry.allowed, listed("allowed", entry.subject));
        }
        descriptor
    }

    fn evaluate(request: &Request) -> Result<Decision, String> {
        let when_unavailable = rule::outcome(request.text("when_unavailable")?)?;
        let findings = rule::look_up(request)?;
        if let Some(missing) = findings.missing() {
            signal("list.unavailable", &missing);
        }
        Ok(findings.decide(when_unavailable))
    }
}

export_policy!(ListGuard, no_std);
golden_cases!("golden-cases.json", ListGuard);
