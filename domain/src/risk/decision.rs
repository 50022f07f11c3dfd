//! The decision: all verdicts and faults of one payment joined.

use std::sync::Arc;

use crate::identifier::DecisionId;
use crate::money::Money;
use crate::timestamp::Timestamp;

use super::{FailureMode, Fault, Outcome, Reason, Score, Verdict};

/// Which release of a policy answered. Shared, since every decision names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyIdentity {
    /// The policy's name.
    pub name: Box<str>,
    /// The author's version of it.
    pub version: Box<str>,
    /// The sequence number of its policy document.
    pub sequence: u64,
    /// `sha256:` and the lower-case hexadecimal digest of the artifact.
    pub digest: Box<str>,
}

/// Something a policy said while it ran; kept also when the evaluation later fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Stable and machine-readable.
    pub code: Box<str>,
    /// For people.
    pub detail: Box<str>,
}

/// What came of one evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvaluationResult {
    /// The policy answered.
    Verdict(Verdict),
    /// It did not; the failure mode's outcome stands in.
    Fault {
        /// Why.
        fault: Fault,
        /// What stands in.
        outcome: Outcome,
    },
}

/// One policy's part in a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyEvaluation {
    /// Which release ran.
    pub policy: Arc<PolicyIdentity>,
    /// What came of it.
    pub result: EvaluationResult,
    /// What it said on the way.
    pub signals: Vec<Signal>,
    /// Fuel it used. After a deadline it is a lower bound: fuel lives in a register inside loops.
    pub fuel_used: u64,
    /// How long it took, in nanoseconds.
    pub elapsed_ns: u64,
}

impl PolicyEvaluation {
    /// A policy's verdict, or its fault with what the failure mode makes of it for a payment of this amount.
    #[must_use]
    pub fn new(
        policy: Arc<PolicyIdentity>,
        result: Result<Verdict, Fault>,
        failure_mode: &FailureMode,
        amount: Money,
        signals: Vec<Signal>,
        fuel_used: u64,
        elapsed_ns: u64,
    ) -> Self {
        let result = match result {
            Ok(verdict) => EvaluationResult::Verdict(verdict),
            Err(fault) => {
                let outcome = failure_mode.outcome(fault.kind, amount);
                EvaluationResult::Fault { fault, outcome }
            }
        };
        Self {
            policy,
            result,
            signals,
            fuel_used,
            elapsed_ns,
        }
    }

    /// What this policy contributes to the join.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match &self.result {
            EvaluationResult::Verdict(verdict) => verdict.outcome,
            EvaluationResult::Fault { outcome, .. } => *outcome,
        }
    }
}

/// A reason, and the policy that gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributedReason {
    /// Who gave it.
    pub policy: Arc<PolicyIdentity>,
    /// What it says.
    pub reason: Reason,
}

/// The decision about one payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RiskDecision {
    /// Its own name, for the merchant and the auditor.
    pub id: DecisionId,
    /// The strictest outcome of all evaluations; approve where no policy was in scope.
    pub outcome: Outcome,
    /// The highest score of all verdicts.
    pub score: Score,
    /// One entry per policy that ran, in the order they ran.
    pub evaluations: Vec<PolicyEvaluation>,
    /// The revision of the policy store from which the policy set was built.
    pub policy_revision: u64,
    /// When it was made.
    pub decided_at: Timestamp,
}

impl RiskDecision {
    /// Joins all evaluations of one payment: the strictest outcome wins, the highest score stands, nothing is dropped.
    #[must_use]
    pub fn join(
        id: DecisionId,
        evaluations: Vec<PolicyEvaluation>,
        policy_revision: u64,
        decided_at: Timestamp,
    ) -> Self {
        let outcome = strictest(&evaluations);
        let score = evaluations
            .iter()
            .filter_map(|evaluation| match &evaluation.result {
                EvaluationResult::Verdict(verdict) => Some(verdict.score),
                EvaluationResult::Fault { .. } => None,
            })
            .max()
            .unwrap_or_default();
        Self {
            id,
            outcome,
            score,
            evaluations,
            policy_revision,
            decided_at,
        }
    }

    /// Whether the outcome is the one that its evaluations join to.
    pub(crate) fn is_joined(&self) -> bool {
        self.outcome == strictest(&self.evaluations)
    }

    /// All reasons with the policies that gave them, in the order they ran. A fault gives a reason too, so that no
    /// outcome goes unexplained: its code is `fault.` and the kind.
    pub fn reasons(&self) -> impl Iterator<Item = AttributedReason> + '_ {
        self.evaluations.iter().flat_map(|evaluation| {
            let reasons = match &evaluation.result {
                EvaluationResult::Verdict(verdict) => verdict.reasons.clone(),
                EvaluationResult::Fault { fault, outcome } => vec![Reason {
                    code: format!("fault.{}", fault.kind).into(),
                    message: format!(
                        "the policy gave no answer; its failure mode is {}",
                        outcome.as_str()
                    )
                    .into(),
                }],
            };
            let policy = &evaluation.policy;
            reasons.into_iter().map(|reason| AttributedReason {
                policy: Arc::clone(policy),
                reason,
            })
        })
    }
}

/// What the evaluations join to; approve where there are none.
fn strictest(evaluations: &[PolicyEvaluation]) -> Outcome {
    evaluations
        .iter()
        .map(PolicyEvaluation::outcome)
        .max()
        .unwrap_or(Outcome::Approve)
}

#[cfg(test)]
mod tests;
