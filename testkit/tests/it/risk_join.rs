//! The join of verdicts: associative, commutative, and never milder than its strictest part.

use domain::risk::{Outcome, PolicyEvaluation, RiskDecision};
use portcullis_testkit::builders::{NOW, decision_id};
use portcullis_testkit::strategies::evaluations;
use proptest::prelude::*;

fn join(evaluations: Vec<PolicyEvaluation>) -> RiskDecision {
    RiskDecision::join(decision_id("dec_1"), evaluations, 1, NOW)
}

proptest! {
    #[test]
    fn joining_in_two_parts_is_joining_at_once(all in evaluations(), cut in 0..=5_usize) {
        let whole = join(all.clone());
        let mut first = all;
        let second = first.split_off(cut.min(first.len()));
        let (first, second) = (join(first), join(second));
        prop_assert_eq!(whole.outcome, first.outcome.max(second.outcome));
        prop_assert_eq!(whole.score, first.score.max(second.score));
        let reasons: Vec<_> = first.reasons().chain(second.reasons()).collect();
        prop_assert_eq!(whole.reasons().collect::<Vec<_>>(), reasons);
    }

    #[test]
    fn the_order_of_the_policies_decides_nothing((all, shuffled) in evaluations().prop_flat_map(|all| {
        (Just(all.clone()), Just(all).prop_shuffle())
    })) {
        let (one, other) = (join(all), join(shuffled));
        prop_assert_eq!((one.outcome, one.score), (other.outcome, other.score));
    }

    #[test]
    fn a_decision_is_as_strict_as_its_strictest_part(all in evaluations()) {
        let decision = join(all);
        let strictest = decision.evaluations.iter().map(PolicyEvaluation::outcome).max();
        prop_assert_eq!(decision.outcome, strictest.unwrap_or(Outcome::Approve));
    }
}
