//! What one policy answered.

use super::Outcome;

/// The highest score.
pub const MAX_SCORE: u16 = 1000;

/// How risky a payment looks, from 0 (no risk seen) to 1000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(u16);

impl Score {
    /// A score of 0 to 1000; anything above is none.
    #[must_use]
    pub const fn new(value: u16) -> Option<Self> {
        if value <= MAX_SCORE {
            Some(Self(value))
        } else {
            None
        }
    }

    /// 0 to 1000.
    #[must_use]
    pub const fn value(self) -> u16 {
        self.0
    }
}

/// Why a policy answered as it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Stable and machine-readable, such as `velocity.card.count`.
    pub code: Box<str>,
    /// For people.
    pub message: Box<str>,
}

/// The answer of one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What is to happen.
    pub outcome: Outcome,
    /// How risky the payment looks.
    pub score: Score,
    /// Why.
    pub reasons: Vec<Reason>,
}
