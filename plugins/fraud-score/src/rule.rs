//! The rule itself: inputs, a score from the model, the inputs that raised it most, and what the score asks for.

mod inputs;
mod logistic;
mod model;

use portcullis_policy::prelude::*;
use portcullis_policy::{Decision, HIGHEST_SCORE, Outcome, message};

pub use inputs::{INPUT_NAMES, INPUTS, inputs};

/// One unit of log-odds. Sums of leaf values are in 65536ths of it.
const ONE: i32 = 1 << 16;

/// An input is worth a reason when it adds at least half a unit of log-odds: it then makes fraud more than one and a half
/// times as likely.
const LEAST_CONTRIBUTION: i32 = ONE / 2;

/// The most reasons of one decision. People read two or three; the score itself counts all inputs.
const MOST_REASONS: usize = 3;

/// The scores from which on a payment is challenged, reviewed or declined.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thresholds {
    challenge_from: i64,
    review_from: i64,
    decline_from: i64,
}

impl Thresholds {
    /// Takes the thresholds from the parameters. One above 1000 is never reached, which switches its outcome off.
    ///
    /// # Errors
    ///
    /// When the first is below 1, which would stop every payment, or they do not rise with the strictness.
    pub(crate) fn new(challenge_from: i64, review_from: i64, decline_from: i64) -> Result<Self, String> {
        if challenge_from < 1 {
            return Err(message!(
                "parameter challenge_from is ",
                challenge_from,
                ", expected 1 or more"
            ));
        }
        if review_from < challenge_from || decline_from < review_from {
            return Err(message!(
                "parameters challenge_from, review_from and decline_from are ",
                challenge_from,
                ", ",
                review_from,
                " and ",
                decline_from,
                ", expected none to be below the one before"
            ));
        }
        Ok(Self {
            challenge_from,
            review_from,
            decline_from,
        })
    }

    fn outcome(self, score: u16) -> Outcome {
        let score = i64::from(score);
        if score >= self.decline_from {
            Outcome::Decline
        } else if score >= self.review_from {
            Outcome::Review
        } else if score >= self.challenge_from {
            Outcome::Challenge
        } else {
            Outcome::Approve
        }
    }
}

/// The decision for these inputs.
pub(crate) fn decide(inputs: &[i32; INPUTS], thresholds: Thresholds) -> Decision {
    let scored = model::score(inputs);
    let score = logistic::per_mille(scored.log_odds).min(HIGHEST_SCORE);
    let mut decision = Decision::of(thresholds.outcome(score)).score(score);

    let mut raised: Vec<(i32, &str, i32)> = scored
        .contributions
        .into_iter()
        .zip(INPUT_NAMES)
        .zip(*inputs)
        .map(|((contribution, name), value)| (contribution, name, value))
        .filter(|(contribution, ..)| *contribution >= LEAST_CONTRIBUTION)
        .collect();
    // Inputs that add the same stay in the order of the model.
    raised.sort_by_key(|(contribution, ..)| core::cmp::Reverse(*contribution));
    for (contribution, name, value) in raised.into_iter().take(MOST_REASONS) {
        let text = explain(name, value, contribution);
        decision = decision.reason(message!("fraud.score.", name), text);
    }
    decision
}

/// What an input did, for people.
fn explain(name: &str, value: i32, contribution: i32) -> String {
    let shown = if inputs::LOGARITHMS.contains(&name) {
        String::new()
    } else if value == inputs::UNAVAILABLE {
        " is unavailable and".to_owned()
    } else {
        message!(" is ", i64::from(value), " and")
    };
    let tenths = u32::try_from(contribution / (ONE / 10)).unwrap_or_default();
    message!(
        name,
        shown,
        " adds ",
        tenths / 10,
        ".",
        tenths % 10,
        " to the log-odds of fraud"
    )
}

#[cfg(test)]
mod tests;
