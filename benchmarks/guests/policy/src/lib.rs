//! The rule of the evaluation benchmark as a policy: what it is given is looked up by name, as in any policy, and borrowed.

#![cfg_attr(not(feature = "std"), no_std)]

use benchmark_rule as rule;
use portcullis_policy::prelude::*;
use portcullis_policy::{
    Decision, Descriptor, Outcome, PaymentParts, Policy, Request, Subject, amount, count, distinct,
    export_policy,
};

/// The policy.
#[derive(Debug)]
pub struct Benchmark;

impl Policy for Benchmark {
    fn describe() -> Descriptor {
        Descriptor::new("Scores payments by some twenty conditions")
            .reads(
                PaymentParts::CARD | PaymentParts::CUSTOMER | PaymentParts::DEVICE | PaymentParts::METADATA,
            )
            .feature("card_count_1h", count(Subject::Card).within_hours(1))
            .feature("card_count_24h", count(Subject::Card).within_hours(24))
            .feature("card_amount_24h", amount(Subject::Card).within_hours(24))
            .feature(
                "device_cards_24h",
                distinct(Subject::Card, Subject::Device).within_hours(24),
            )
            .feature(
                "email_cards_24h",
                distinct(Subject::Card, Subject::Email).within_hours(24),
            )
            .feature("ip_count_1h", count(Subject::Ip).within_hours(1))
            .parameter("challenge_from", 400)
            .parameter("review_from", 700)
            .parameter("decline_from", 900)
            .parameter("large_amount", 500_000)
            .parameter("max_card_count_1h", 5)
            .parameter("max_card_amount_24h", 2_000_000)
            .parameter("risky_countries", ["KP", "IR", "SY"])
    }

    fn evaluate(request: &Request) -> Result<Decision, String> {
        let answer = rule::decide(&payment(request), &features(request)?, &parameters(request)?);
        let outcome = match answer.outcome {
            rule::Outcome::Approve => Outcome::Approve,
            rule::Outcome::Challenge => Outcome::Challenge,
            rule::Outcome::Review => Outcome::Review,
            rule::Outcome::Decline => Outcome::Decline,
        };
        let decision = Decision::of(outcome).score(answer.score);
        Ok(answer.reasons.into_iter().fold(decision, |decision, reason| {
            decision.reason(reason.code, reason.message)
        }))
    }
}

fn payment(request: &Request) -> rule::Payment<'_> {
    let payment = &request.payment;
    rule::Payment {
        id: &payment.id,
        merchant_id: &payment.merchant_id,
        merchant_category: payment.merchant_category.as_deref(),
        amount: rule::Amount {
            minor_units: payment.amount.minor_units,
            currency: &payment.amount.currency,
            exponent: payment.amount.exponent,
        },
        created_at: payment.created_at,
        card: payment.card.as_ref().map(|card| rule::Card {
            bin: &card.bin,
            last4: &card.last4,
            fingerprint: &card.fingerprint,
            issuer_country: card.issuer_country.as_deref(),
        }),
        customer: payment.customer.as_ref().map(|customer| rule::Customer {
            id: customer.id.as_deref(),
            email: customer.email.as_deref(),
            billing_country: customer.billing_country.as_deref(),
            shipping_country: customer.shipping_country.as_deref(),
        }),
        device: payment.device.as_ref().map(|device| rule::Device {
            id: device.id.as_deref(),
            ip: device.ip.as_deref(),
            ip_country: device.ip_country.as_deref(),
            user_agent: device.user_agent.as_deref(),
        }),
        metadata: payment
            .metadata
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect(),
    }
}

fn features(request: &Request) -> Result<rule::Features, String> {
    Ok(rule::Features {
        card_count_1h: request.count("card_count_1h")?,
        card_count_24h: request.count("card_count_24h")?,
        card_amount_24h: request.amount("card_amount_24h")?,
        device_cards_24h: request.count("device_cards_24h")?,
        email_cards_24h: request.count("email_cards_24h")?,
        ip_count_1h: request.count("ip_count_1h")?,
    })
}

fn parameters(request: &Request) -> Result<rule::Parameters<'_>, String> {
    Ok(rule::Parameters {
        challenge_from: request.integer("challenge_from")?,
        review_from: request.integer("review_from")?,
        decline_from: request.integer("decline_from")?,
        large_amount: request.integer("large_amount")?,
        max_card_count_1h: request.integer("max_card_count_1h")?,
        max_card_amount_24h: request.integer("max_card_amount_24h")?,
        risky_countries: request
            .texts("risky_countries")?
            .iter()
            .map(String::as_str)
            .collect(),
    })
}

#[cfg(not(feature = "std"))]
export_policy!(Benchmark, no_std);
#[cfg(feature = "std")]
export_policy!(Benchmark);
#[cfg(feature = "bump")]
portcullis_policy::bump_allocator!();
