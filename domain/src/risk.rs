//! Risk: what policies answer about a payment, and how their answers become one decision.

mod decision;
mod failure_mode;
mod fault;
mod outcome;
mod request;
mod verdict;

pub use decision::{
    AttributedReason, EvaluationResult, PolicyEvaluation, PolicyIdentity, RiskDecision, Signal,
};
pub use failure_mode::{ApproveUpTo, ApproveUpToError, FailureMode, StandIn};
pub use fault::{Fault, FaultKind};
pub use outcome::Outcome;
pub use request::RiskRequest;
pub use verdict::{MAX_SCORE, Reason, Score, Verdict};
