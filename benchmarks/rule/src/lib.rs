//! The rule that every contender of the evaluation benchmark runs: some twenty conditions on a full payment, its velocities
//! and an operator's parameters, of which each that holds adds to a score and gives a reason.
//!
//! It is plain Rust over borrowed data, so that the same crate runs natively, in a policy of the SDK and in a plugin of
//! Extism. The other peers have it in their own language, under `evaluation/rules/`. It compares, adds and looks for texts in
//! texts, and does nothing else: what all of those languages have.

#![no_std]

extern crate alloc;

mod answer;
mod conditions;
mod facts;

pub use answer::{Answer, Outcome, Reason};
pub use facts::{Amount, Card, Customer, Device, Features, Input, Parameters, Payment};

/// Decides one payment.
#[must_use]
pub fn decide(payment: &Payment<'_>, features: &Features, parameters: &Parameters<'_>) -> Answer {
    let mut found = conditions::Found::default();
    conditions::of_payment(payment, parameters, &mut found);
    conditions::of_parties(payment, &mut found);
    conditions::of_device(payment, parameters, &mut found);
    conditions::of_velocity(features, parameters, &mut found);
    let score = found.score.min(answer::HIGHEST_SCORE);
    Answer {
        outcome: answer::outcome(i64::from(score), parameters),
        score,
        reasons: found.reasons,
    }
}
