//! What each error of the use cases that read decisions is to a caller.

use application::ports::DecisionLogError;
use application::use_cases::GetDecisionError;

use super::{Problem, ProblemCode};

impl From<DecisionLogError> for Problem {
    fn from(error: DecisionLogError) -> Self {
        match error {
            DecisionLogError::Unavailable { .. } => Self::new(
                ProblemCode::StorageUnavailable,
                "Decisions cannot be read now; ask again later.",
            )
            .for_operator(error.to_string()),
            DecisionLogError::Corrupt { .. } => Self::internal(error.to_string()),
        }
    }
}

impl From<GetDecisionError> for Problem {
    fn from(error: GetDecisionError) -> Self {
        match error {
            GetDecisionError::NotFound { .. } => decision_not_found(),
            GetDecisionError::Log(error) => error.into(),
        }
    }
}

/// The same for a name that no decision has, for one that none can have, and for one that is another merchant's.
pub(crate) fn decision_not_found() -> Problem {
    Problem::new(
        ProblemCode::DecisionNotFound,
        "No decision of the name in the path is kept.",
    )
}
