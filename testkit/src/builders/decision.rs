//! What policies said.

use std::sync::Arc;

use domain::risk::{
    FailureMode, Fault, FaultKind, Outcome, PolicyEvaluation, PolicyIdentity, Reason, RiskDecision, Score,
    Signal, Verdict,
};

use super::{NOW, cny, decision_id};

/// The first release of a policy.
#[must_use]
pub fn policy(name: &str) -> Arc<PolicyIdentity> {
    Arc::new(PolicyIdentity {
        name: name.into(),
        version: "1.0.0".into(),
        sequence: 1,
        digest: format!("sha256:{:064x}", name.len()).into(),
    })
}

/// A policy's answer, with a score that goes with it, a reason and a signal.
#[must_use]
pub fn evaluation(name: &str, outcome: Outcome) -> PolicyEvaluation {
    let score = match outcome {
        Outcome::Approve => 10,
        Outcome::Challenge => 400,
        Outcome::Review => 700,
        Outcome::Decline => 950,
    };
    let verdict = Verdict {
        outcome,
        score: Score::new(score).unwrap(),
        reasons: vec![Reason {
            code: format!("{name}.{}", outcome.as_str()).into(),
            message: "because the test says so".into(),
        }],
    };
    PolicyEvaluation::new(
        policy(name),
        Ok(verdict),
        &FailureMode::new(Outcome::Review),
        cny(12_900),
        vec![Signal {
            code: "seen".into(),
            detail: "once".into(),
        }],
        12_345,
        67_890,
    )
}

/// A policy that gave no answer, and what stands in.
#[must_use]
pub fn fault(name: &str, kind: FaultKind, outcome: Outcome) -> PolicyEvaluation {
    let fault = Fault {
        kind,
        detail: "the guest\nmisbehaved".into(),
    };
    PolicyEvaluation::new(
        policy(name),
        Err(fault),
        &FailureMode::new(outcome),
        cny(12_900),
        vec![],
        10_000_000,
        1_000_000,
    )
}

/// The decision of one policy that says so.
#[must_use]
pub fn decision(outcome: Outcome) -> RiskDecision {
    RiskDecision::join(
        decision_id("dec_1"),
        vec![evaluation("amount-ceiling", outcome)],
        7,
        NOW,
    )
}
