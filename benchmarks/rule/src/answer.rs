//! What the rule answers.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::Parameters;

/// The score has this bound in the contract.
pub(crate) const HIGHEST_SCORE: u16 = 1_000;

/// What is to happen, from mildest to strictest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Outcome {
    /// Nothing speaks against the payment.
    Approve,
    /// The customer is to prove who they are.
    Challenge,
    /// A person is to look at it.
    Review,
    /// It is not to be made.
    Decline,
}

/// A condition that held.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Reason {
    /// Stable and machine-readable.
    pub code: Cow<'static, str>,
    /// For people.
    pub message: Cow<'static, str>,
}

/// The answer of the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Answer {
    /// What is to happen.
    pub outcome: Outcome,
    /// 0 (no risk seen) to 1000.
    pub score: u16,
    /// Every condition that held.
    pub reasons: Vec<Reason>,
}

/// What a score asks for.
pub(crate) fn outcome(score: i64, parameters: &Parameters<'_>) -> Outcome {
    if score >= parameters.decline_from {
        Outcome::Decline
    } else if score >= parameters.review_from {
        Outcome::Review
    } else if score >= parameters.challenge_from {
        Outcome::Challenge
    } else {
        Outcome::Approve
    }
}
