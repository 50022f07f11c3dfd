//! Decisions: one constructor per outcome, then the score and the reasons, and how two of them join.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Decision, Outcome, Reason};

/// The highest score that the contract allows.
pub const HIGHEST_SCORE: u16 = 1000;

impl Decision {
    /// Nothing speaks against the payment.
    #[must_use]
    pub fn approve() -> Self {
        Self::of(Outcome::Approve)
    }

    /// The customer shall prove who they are first.
    #[must_use]
    pub fn challenge() -> Self {
        Self::of(Outcome::Challenge)
    }

    /// A person shall look at the payment first.
    #[must_use]
    pub fn review() -> Self {
        Self::of(Outcome::Review)
    }

    /// The payment shall not be made.
    #[must_use]
    pub fn decline() -> Self {
        Self::of(Outcome::Decline)
    }

    /// A decision with this outcome, score 0 and no reason: for an outcome that is only known at run time.
    #[must_use]
    pub fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            score: 0,
            reasons: Vec::new(),
        }
    }

    /// Sets the score, 0 (no risk seen) to [`HIGHEST_SCORE`]. A higher one is cut to that.
    #[must_use]
    pub fn score(mut self, score: u16) -> Self {
        self.score = score.min(HIGHEST_SCORE);
        self
    }

    /// Adds a reason: a stable code for machines, such as `velocity.card.count`, and a message for people.
    #[must_use]
    pub fn reason(mut self, code: impl Into<String>, message: impl Into<String>) -> Self {
        self.reasons.push(Reason {
            code: code.into(),
            message: message.into(),
        });
        self
    }

    /// Joins two decisions as the gateway joins those of several policies: the stricter outcome, the higher score, and
    /// the reasons of both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.outcome = self.outcome.max(other.outcome);
        self.score = self.score.max(other.score);
        self.reasons.extend(other.reasons);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stricter_outcome_the_higher_score_and_all_reasons_survive_a_join() {
        let joined = Decision::review().score(300).reason("a", "first").and(
            Decision::challenge()
                .score(700)
                .reason("b", "second")
                .and(Decision::approve()),
        );
        assert_eq!(joined.outcome, Outcome::Review);
        assert_eq!(joined.score, 700);
        let codes: Vec<_> = joined.reasons.iter().map(|reason| reason.code.as_str()).collect();
        assert_eq!(codes, ["a", "b"]);
    }

    #[test]
    fn outcomes_are_ordered_from_mildest_to_strictest() {
        assert!(Outcome::Approve < Outcome::Challenge);
        assert!(Outcome::Challenge < Outcome::Review);
        assert!(Outcome::Review < Outcome::Decline);
    }

    #[test]
    fn a_score_never_exceeds_what_the_contract_allows() {
        assert_eq!(Decision::decline().score(u16::MAX).score, HIGHEST_SCORE);
    }
}
