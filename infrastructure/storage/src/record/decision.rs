//! What the policies said, as it is stored: all of it, since an auditor runs it again and compares.

use std::borrow::Cow;
use std::sync::Arc;

use domain::DecisionId;
use domain::risk::{
    EvaluationResult, Fault, FaultKind, Outcome, PolicyEvaluation, PolicyIdentity, Reason, RiskDecision,
    Score, Signal, Verdict,
};
use serde::{Deserialize, Serialize};

use super::{Damage, known, moment, parsed};

type Text<'a> = Cow<'a, str>;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionDocument<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    outcome: Text<'a>,
    score: u16,
    #[serde(borrow)]
    evaluations: Vec<EvaluationDocument<'a>>,
    policy_revision: u64,
    decided_at_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EvaluationDocument<'a> {
    #[serde(borrow)]
    policy: PolicyDocument<'a>,
    #[serde(borrow)]
    result: ResultDocument<'a>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    signals: Vec<SignalDocument<'a>>,
    fuel_used: u64,
    elapsed_ns: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyDocument<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    version: Text<'a>,
    sequence: u64,
    #[serde(borrow)]
    digest: Text<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum ResultDocument<'a> {
    Verdict {
        #[serde(borrow)]
        outcome: Text<'a>,
        score: u16,
        #[serde(borrow)]
        reasons: Vec<ReasonDocument<'a>>,
    },
    Fault {
        #[serde(borrow)]
        kind: Text<'a>,
        #[serde(borrow)]
        detail: Text<'a>,
        #[serde(borrow)]
        outcome: Text<'a>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReasonDocument<'a> {
    #[serde(borrow)]
    code: Text<'a>,
    #[serde(borrow)]
    message: Text<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignalDocument<'a> {
    #[serde(borrow)]
    code: Text<'a>,
    #[serde(borrow)]
    detail: Text<'a>,
}

impl<'a> DecisionDocument<'a> {
    pub(super) fn of(decision: &'a RiskDecision) -> Self {
        let RiskDecision {
            id,
            outcome,
            score,
            evaluations,
            policy_revision,
            decided_at,
        } = decision;
        Self {
            id: id.as_str().into(),
            outcome: outcome.as_str().into(),
            score: score.value(),
            evaluations: evaluations.iter().map(EvaluationDocument::of).collect(),
            policy_revision: *policy_revision,
            decided_at_ms: decided_at.unix_millis(),
        }
    }

    pub(super) fn restore(self) -> Result<RiskDecision, Damage> {
        let evaluations = self.evaluations.into_iter().map(EvaluationDocument::restore);
        Ok(RiskDecision {
            id: parsed("decision.id", &self.id, DecisionId::parse)?,
            outcome: outcome(&self.outcome)?,
            score: score(self.score)?,
            evaluations: evaluations.collect::<Result<_, _>>()?,
            policy_revision: self.policy_revision,
            decided_at: moment("decision.decided_at_ms", self.decided_at_ms)?,
        })
    }
}

impl<'a> EvaluationDocument<'a> {
    fn of(evaluation: &'a PolicyEvaluation) -> Self {
        let PolicyEvaluation {
            policy,
            result,
            signals,
            fuel_used,
            elapsed_ns,
        } = evaluation;
        Self {
            policy: PolicyDocument::of(policy),
            result: ResultDocument::of(result),
            signals: signals.iter().map(SignalDocument::of).collect(),
            fuel_used: *fuel_used,
            elapsed_ns: *elapsed_ns,
        }
    }

    fn restore(self) -> Result<PolicyEvaluation, Damage> {
        Ok(PolicyEvaluation {
            policy: Arc::new(self.policy.restore()),
            result: self.result.restore()?,
            signals: self.signals.into_iter().map(SignalDocument::restore).collect(),
            fuel_used: self.fuel_used,
            elapsed_ns: self.elapsed_ns,
        })
    }
}

impl<'a> PolicyDocument<'a> {
    fn of(policy: &'a PolicyIdentity) -> Self {
        let PolicyIdentity {
            name,
            version,
            sequence,
            digest,
        } = policy;
        Self {
            name: (&**name).into(),
            version: (&**version).into(),
            sequence: *sequence,
            digest: (&**digest).into(),
        }
    }

    fn restore(self) -> PolicyIdentity {
        PolicyIdentity {
            name: self.name.into(),
            version: self.version.into(),
            sequence: self.sequence,
            digest: self.digest.into(),
        }
    }
}

impl<'a> ResultDocument<'a> {
    fn of(result: &'a EvaluationResult) -> Self {
        match result {
            EvaluationResult::Verdict(Verdict {
                outcome,
                score,
                reasons,
            }) => Self::Verdict {
                outcome: outcome.as_str().into(),
                score: score.value(),
                reasons: reasons.iter().map(ReasonDocument::of).collect(),
            },
            EvaluationResult::Fault {
                fault: Fault { kind, detail },
                outcome,
            } => Self::Fault {
                kind: kind.as_str().into(),
                detail: (&**detail).into(),
                outcome: outcome.as_str().into(),
            },
        }
    }

    fn restore(self) -> Result<EvaluationResult, Damage> {
        Ok(match self {
            Self::Verdict {
                outcome: name,
                score: value,
                reasons,
            } => EvaluationResult::Verdict(Verdict {
                outcome: outcome(&name)?,
                score: score(value)?,
                reasons: reasons.into_iter().map(ReasonDocument::restore).collect(),
            }),
            Self::Fault {
                kind,
                detail,
                outcome: name,
            } => EvaluationResult::Fault {
                fault: Fault {
                    kind: known("decision.evaluations.kind", &kind, FaultKind::parse)?,
                    detail: detail.into(),
                },
                outcome: outcome(&name)?,
            },
        })
    }
}

impl<'a> ReasonDocument<'a> {
    fn of(reason: &'a Reason) -> Self {
        let Reason { code, message } = reason;
        Self {
            code: (&**code).into(),
            message: (&**message).into(),
        }
    }

    fn restore(self) -> Reason {
        Reason {
            code: self.code.into(),
            message: self.message.into(),
        }
    }
}

impl<'a> SignalDocument<'a> {
    fn of(signal: &'a Signal) -> Self {
        let Signal { code, detail } = signal;
        Self {
            code: (&**code).into(),
            detail: (&**detail).into(),
        }
    }

    fn restore(self) -> Signal {
        Signal {
            code: self.code.into(),
            detail: self.detail.into(),
        }
    }
}

fn outcome(name: &str) -> Result<Outcome, Damage> {
    known("decision.outcome", name, Outcome::parse)
}

fn score(value: u16) -> Result<Score, Damage> {
    Score::new(value)
        .ok_or_else(|| Damage::of("decision.score", format_args!("{value} is above the highest")))
}
