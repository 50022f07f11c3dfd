//! The join rule.

use super::*;
use crate::currency::Currency;
use crate::risk::FaultKind;

fn amount() -> Money {
    Money::new(12_900, Currency::parse("CNY").unwrap()).unwrap()
}

fn identity(name: &str) -> Arc<PolicyIdentity> {
    Arc::new(PolicyIdentity {
        name: name.into(),
        version: "1.0.0".into(),
        sequence: 1,
        digest: "sha256:00".into(),
    })
}

fn verdict(name: &str, outcome: Outcome, score: u16, code: &str) -> PolicyEvaluation {
    let reasons = vec![Reason {
        code: code.into(),
        message: "…".into(),
    }];
    let verdict = Verdict {
        outcome,
        score: Score::new(score).unwrap(),
        reasons,
    };
    PolicyEvaluation::new(
        identity(name),
        Ok(verdict),
        &FailureMode::new(Outcome::Decline),
        amount(),
        vec![],
        1,
        1,
    )
}

fn fault(name: &str, kind: FaultKind, mode: Outcome) -> PolicyEvaluation {
    let fault = Fault {
        kind,
        detail: "…".into(),
    };
    let mode = FailureMode::new(mode);
    PolicyEvaluation::new(identity(name), Err(fault), &mode, amount(), vec![], 1, 1)
}

fn join(evaluations: Vec<PolicyEvaluation>) -> RiskDecision {
    RiskDecision::join(
        DecisionId::parse("dec_1").unwrap(),
        evaluations,
        7,
        Timestamp::from_unix_millis(1),
    )
}

#[test]
fn decline_wins_over_review_and_the_highest_score_stands() {
    let decision = join(vec![
        verdict("a", Outcome::Review, 800, "a.1"),
        verdict("b", Outcome::Decline, 300, "b.1"),
        verdict("c", Outcome::Approve, 0, "c.1"),
    ]);
    assert_eq!(decision.outcome, Outcome::Decline);
    assert_eq!(decision.score.value(), 800);
    let given: Vec<(String, String)> = decision
        .reasons()
        .map(|r| (r.policy.name.to_string(), r.reason.code.to_string()))
        .collect();
    let expected = [("a", "a.1"), ("b", "b.1"), ("c", "c.1")].map(|(p, c)| (p.to_owned(), c.to_owned()));
    assert_eq!(given, expected);
}

#[test]
fn the_join_does_not_depend_on_the_order() {
    for first in Outcome::ALL {
        for second in Outcome::ALL {
            let one = join(vec![verdict("a", first, 1, "a"), verdict("b", second, 2, "b")]);
            let other = join(vec![verdict("b", second, 2, "b"), verdict("a", first, 1, "a")]);
            assert_eq!(one.outcome, first.max(second));
            assert_eq!((one.outcome, one.score), (other.outcome, other.score));
        }
    }
}

#[test]
fn a_fault_counts_by_its_failure_mode_and_is_explained() {
    let decision = join(vec![
        verdict("a", Outcome::Approve, 10, "a"),
        fault("b", FaultKind::Deadline, Outcome::Review),
    ]);
    assert_eq!(decision.outcome, Outcome::Review);
    assert_eq!(decision.score.value(), 10);
    let codes: Vec<String> = decision.reasons().map(|r| r.reason.code.to_string()).collect();
    assert_eq!(codes, ["a", "fault.deadline"]);
}

#[test]
fn no_policy_in_scope_approves() {
    let decision = join(vec![]);
    assert_eq!((decision.outcome, decision.score.value()), (Outcome::Approve, 0));
}
