//! What policies can say.

use std::sync::Arc;

use domain::risk::{
    FailureMode, Fault, FaultKind, MAX_SCORE, Outcome, PolicyEvaluation, PolicyIdentity, Reason, Score,
    Signal, Verdict,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::builders::cny;

/// Short, with line feeds and other control characters: what a guest says is not checked for them.
fn said() -> impl Strategy<Value = Box<str>> {
    vec(any::<char>(), 0..20).prop_map(|characters| characters.into_iter().collect::<String>().into())
}

fn outcome() -> impl Strategy<Value = Outcome> {
    select(Outcome::ALL.to_vec())
}

fn policy() -> impl Strategy<Value = Arc<PolicyIdentity>> {
    let parts = (
        "[a-z-]{1,20}",
        "[0-9]\\.[0-9]\\.[0-9]",
        any::<u64>(),
        "sha256:[0-9a-f]{64}",
    );
    parts.prop_map(|(name, version, sequence, digest)| {
        Arc::new(PolicyIdentity {
            name: name.into(),
            version: version.into(),
            sequence,
            digest: digest.into(),
        })
    })
}

fn verdict() -> impl Strategy<Value = Verdict> {
    let reasons = vec(
        (said(), said()).prop_map(|(code, message)| Reason { code, message }),
        0..4,
    );
    (outcome(), 0..=MAX_SCORE, reasons).prop_map(|(outcome, score, reasons)| Verdict {
        outcome,
        score: Score::new(score).unwrap(),
        reasons,
    })
}

fn fault() -> impl Strategy<Value = Fault> {
    (select(FaultKind::ALL.to_vec()), said()).prop_map(|(kind, detail)| Fault { kind, detail })
}

/// A verdict or a fault, with signals, fuel and time.
pub fn evaluation() -> impl Strategy<Value = PolicyEvaluation> {
    let result = prop_oneof![3 => verdict().prop_map(Ok), 1 => fault().prop_map(Err)];
    let signals = vec(
        (said(), said()).prop_map(|(code, detail)| Signal { code, detail }),
        0..3,
    );
    let parts = (policy(), result, outcome(), signals, any::<u64>(), any::<u64>());
    parts.prop_map(|(policy, result, mode, signals, fuel_used, elapsed_ns)| {
        PolicyEvaluation::new(
            policy,
            result,
            &FailureMode::new(mode),
            cny(12_900),
            signals,
            fuel_used,
            elapsed_ns,
        )
    })
}

/// What up to five policies say about one payment.
pub fn evaluations() -> impl Strategy<Value = Vec<PolicyEvaluation>> {
    vec(evaluation(), 0..=5)
}
