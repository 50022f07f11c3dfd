//! A policy engine with a script.

use std::sync::{Arc, Mutex};

use application::ports::{PolicySnapshot, PolicyStatus, RiskPolicyEngine};
use async_trait::async_trait;
use domain::feature::{FeatureSpec, FeatureValue};
use domain::risk::{
    FailureMode, Fault, FaultKind, Outcome, PolicyEvaluation, PolicyIdentity, Reason, RiskRequest, Score,
    Signal, Verdict,
};
use domain::{Currency, Money};

/// Gives the evaluations of its script to every payment.
#[derive(Default)]
pub(crate) struct ScriptedEngine {
    set: Mutex<Option<Arc<ScriptedSet>>>,
    pub(crate) statuses: Mutex<Vec<PolicyStatus>>,
}

impl ScriptedEngine {
    pub(crate) fn put(&self, evaluations: Vec<PolicyEvaluation>) {
        *self.set.lock().unwrap() = Some(Arc::new(ScriptedSet(evaluations)));
    }

    pub(crate) fn unload(&self) {
        *self.set.lock().unwrap() = None;
    }
}

impl RiskPolicyEngine for ScriptedEngine {
    fn snapshot(&self) -> Option<Arc<dyn PolicySnapshot>> {
        let set = self.set.lock().unwrap().clone()?;
        Some(set)
    }

    fn statuses(&self) -> Vec<PolicyStatus> {
        self.statuses.lock().unwrap().clone()
    }
}

struct ScriptedSet(Vec<PolicyEvaluation>);

#[async_trait]
impl PolicySnapshot for ScriptedSet {
    fn revision(&self) -> u64 {
        41
    }

    fn features(&self) -> &[FeatureSpec] {
        &[]
    }

    async fn evaluate(
        &self,
        _request: &RiskRequest<'_>,
        _features: &[FeatureValue],
    ) -> Vec<PolicyEvaluation> {
        self.0.clone()
    }
}

pub(crate) fn identity(name: &str) -> Arc<PolicyIdentity> {
    Arc::new(PolicyIdentity {
        name: name.into(),
        version: "1.4.0".into(),
        sequence: 7,
        digest: format!("sha256:{}", "ab".repeat(32)).into(),
    })
}

fn amount() -> Money {
    Money::new(12_900, Currency::parse("CNY").unwrap()).unwrap()
}

/// A policy that answers, with one reason and one signal.
pub(crate) fn verdict(name: &str, outcome: Outcome, score: u16) -> PolicyEvaluation {
    PolicyEvaluation::new(
        identity(name),
        Ok(Verdict {
            outcome,
            score: Score::new(score).unwrap(),
            reasons: vec![Reason {
                code: "velocity.card.count".into(),
                message: "6 payments in an hour, 5 allowed".into(),
            }],
        }),
        &FailureMode::new(Outcome::Review),
        amount(),
        vec![Signal {
            code: "seen".into(),
            detail: "6".into(),
        }],
        48_211,
        37_900,
    )
}

/// A policy that traps.
pub(crate) fn fault(name: &str) -> PolicyEvaluation {
    PolicyEvaluation::new(
        identity(name),
        Err(Fault {
            kind: FaultKind::Trap,
            detail: "wasm backtrace: secret_function".into(),
        }),
        &FailureMode::new(Outcome::Review),
        amount(),
        Vec::new(),
        1_000,
        2_000,
    )
}
