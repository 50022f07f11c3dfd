//! A risk decision. The detail of a fault (a trap with its backtrace) is for the policy's author and stays out: merchants
//! are told the kind.

use application::ports::RecordedDecision;
use domain::risk::{EvaluationResult, PolicyEvaluation, Reason, RiskDecision, Signal};
use serde::{Serialize, Serializer};

use super::Each;
use super::payment::CardView;
use super::scalar::{AmountView, Rfc3339};

/// The answer to `POST /v1/risk/decisions`.
#[derive(Serialize)]
pub(crate) struct DecisionView<'a> {
    payment_id: &'a str,
    risk: RiskView<'a>,
}

impl<'a> DecisionView<'a> {
    /// Some more bytes than most of these have.
    pub(crate) fn usual_bytes(made: &RecordedDecision) -> usize {
        /// All that is there without a policy, its ids as long as those that are made here.
        const FRAME: usize = 256;
        /// A policy that gave a verdict with a reason.
        const EVALUATION: usize = 384;
        FRAME + EVALUATION * made.decision.evaluations.len()
    }

    pub(crate) fn new(made: &'a RecordedDecision) -> Self {
        Self {
            payment_id: made.payment_id.as_str(),
            risk: RiskView::new(&made.decision),
        }
    }
}

/// A decision as it is read again: all of that answer, and what it was about.
#[derive(Serialize)]
pub(crate) struct RecordedDecisionView<'a> {
    id: &'a str,
    payment_id: &'a str,
    merchant_id: &'a str,
    amount: AmountView,
    card: Option<CardView<'a>>,
    risk: RiskView<'a>,
    created_at: Rfc3339,
}

impl<'a> RecordedDecisionView<'a> {
    pub(crate) fn new(recorded: &'a RecordedDecision) -> Self {
        Self {
            id: recorded.decision.id.as_str(),
            payment_id: recorded.payment_id.as_str(),
            merchant_id: recorded.merchant_id.as_str(),
            amount: recorded.amount.into(),
            card: recorded.card.as_ref().map(CardView::new),
            risk: RiskView::new(&recorded.decision),
            created_at: Rfc3339(recorded.created_at),
        }
    }
}

#[derive(Serialize)]
pub(super) struct RiskView<'a> {
    decision_id: &'a str,
    outcome: &'static str,
    score: u16,
    reasons: Reasons<'a>,
    policies: Each<'a, PolicyEvaluation, EvaluationView<'a>>,
    policy_revision: u64,
    decided_at: Rfc3339,
}

impl<'a> RiskView<'a> {
    pub(super) fn new(decision: &'a RiskDecision) -> Self {
        Self {
            decision_id: decision.id.as_str(),
            outcome: decision.outcome.as_str(),
            score: decision.score.value(),
            reasons: Reasons(decision),
            policies: Each(&decision.evaluations, EvaluationView::new),
            policy_revision: decision.policy_revision,
            decided_at: Rfc3339(decision.decided_at),
        }
    }
}

struct Reasons<'a>(&'a RiskDecision);

#[derive(Serialize)]
struct ReasonView<'a> {
    policy: &'a str,
    code: &'a str,
    message: &'a str,
}

impl<'a> ReasonView<'a> {
    fn new(policy: &'a str, reason: &'a Reason) -> Self {
        Self {
            policy,
            code: &reason.code,
            message: &reason.message,
        }
    }
}

impl Serialize for Reasons<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let borrowed: Option<Vec<(&str, &[Reason])>> = self
            .0
            .evaluations
            .iter()
            .map(|evaluation| match &evaluation.result {
                EvaluationResult::Verdict(verdict) => Some((&*evaluation.policy.name, &*verdict.reasons)),
                EvaluationResult::Fault { .. } => None,
            })
            .collect();
        match borrowed {
            Some(by_policy) => serializer.collect_seq(by_policy.into_iter().flat_map(|(policy, reasons)| {
                reasons.iter().map(move |reason| ReasonView::new(policy, reason))
            })),
            // The domain words the reason of a fault. It copies, and faults are rare.
            None => {
                let owned: Vec<_> = self.0.reasons().collect();
                serializer.collect_seq(
                    owned
                        .iter()
                        .map(|given| ReasonView::new(&given.policy.name, &given.reason)),
                )
            }
        }
    }
}

/// Has either a score or a fault.
#[derive(Serialize)]
struct EvaluationView<'a> {
    name: &'a str,
    version: &'a str,
    sequence: u64,
    digest: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<FaultView>,
    signals: Each<'a, Signal, SignalView<'a>>,
    fuel_used: u64,
    elapsed_us: u64,
}

#[derive(Serialize)]
struct FaultView {
    kind: &'static str,
}

#[derive(Serialize)]
struct SignalView<'a> {
    code: &'a str,
    detail: &'a str,
}

impl<'a> EvaluationView<'a> {
    fn new(evaluation: &'a PolicyEvaluation) -> Self {
        let policy = &*evaluation.policy;
        let (score, fault) = match &evaluation.result {
            EvaluationResult::Verdict(verdict) => (Some(verdict.score.value()), None),
            EvaluationResult::Fault { fault, .. } => {
                let kind = fault.kind.as_str();
                (None, Some(FaultView { kind }))
            }
        };
        Self {
            name: &policy.name,
            version: &policy.version,
            sequence: policy.sequence,
            digest: &policy.digest,
            outcome: evaluation.outcome().as_str(),
            score,
            fault,
            signals: Each(&evaluation.signals, |signal| SignalView {
                code: &signal.code,
                detail: &signal.detail,
            }),
            fuel_used: evaluation.fuel_used,
            elapsed_us: evaluation.elapsed_ns / 1_000,
        }
    }
}
