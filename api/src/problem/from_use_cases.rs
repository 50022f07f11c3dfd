//! What each error of a use case is to a caller. The operator's text stays on this side.

use application::operation_runner::RunError;
use application::ports::RepositoryError;
use application::risk_assessment::NoPolicySet;
use application::use_cases::{AuthorizePaymentError, GetPaymentError};

use super::{FieldError, Problem, ProblemCode};

impl From<NoPolicySet> for Problem {
    fn from(error: NoPolicySet) -> Self {
        Self::new(
            ProblemCode::RiskUnavailable,
            "This node has no risk policies yet, and decides nothing without. Nothing was done; send it again later.",
        )
        .for_operator(error.to_string())
    }
}

impl From<AuthorizePaymentError> for Problem {
    fn from(error: AuthorizePaymentError) -> Self {
        match error {
            AuthorizePaymentError::CardExpired => Self::of_fields(
                ProblemCode::CardExpired,
                vec![FieldError {
                    path: "card.expiry_month".to_owned(),
                    code: ProblemCode::CardExpired.as_str(),
                    message: "expected a month that is not over, found a past one".to_owned(),
                }],
            ),
            AuthorizePaymentError::NoPolicySet(error) => error.into(),
            // Between the steps of the aggregate the acquirer may have been asked.
            AuthorizePaymentError::Refused(error) => {
                payment_outcome_unknown().for_operator(error.to_string())
            }
            AuthorizePaymentError::Run(error) => error.into(),
        }
    }
}

impl From<RunError> for Problem {
    fn from(error: RunError) -> Self {
        match error {
            RunError::IllegalTransition(error) => payment_outcome_unknown().for_operator(error.to_string()),
            RunError::NotStored(error) => from_repository(&error),
            RunError::AnswerNotStored { payment, error } => payment_outcome_unknown()
                .about(payment)
                .for_operator(error.to_string()),
        }
    }
}

impl From<GetPaymentError> for Problem {
    fn from(error: GetPaymentError) -> Self {
        match error {
            GetPaymentError::NotFound { .. } => payment_not_found(),
            GetPaymentError::Repository(error) => from_repository(&error),
        }
    }
}

/// The same for a name that no payment has and for one that no payment can have.
pub(crate) fn payment_not_found() -> Problem {
    Problem::new(
        ProblemCode::PaymentNotFound,
        "No payment has the name in the path.",
    )
}

/// The acquirer may have been asked, and the answer is not known here.
pub(crate) fn payment_outcome_unknown() -> Problem {
    Problem::new(
        ProblemCode::PaymentOutcomeUnknown,
        "The payment was begun and its outcome could not be told. Do not send it again: the money may have moved.",
    )
}

fn from_repository(error: &RepositoryError) -> Problem {
    match error {
        RepositoryError::Unavailable { .. } => Problem::new(
            ProblemCode::StorageUnavailable,
            "Payments cannot be read or written now. Nothing was sent to the acquirer; send it again later.",
        )
        .for_operator(error.to_string()),
        RepositoryError::AlreadyExists { .. }
        | RepositoryError::Conflict { .. }
        | RepositoryError::KeyTaken
        | RepositoryError::Corrupt { .. } => with_id(Problem::internal(error.to_string()), error),
    }
}

fn with_id(problem: Problem, error: &RepositoryError) -> Problem {
    match error {
        RepositoryError::AlreadyExists { id }
        | RepositoryError::Conflict { id, .. }
        | RepositoryError::Corrupt { id, .. } => problem.about(id.clone()),
        RepositoryError::Unavailable { .. } | RepositoryError::KeyTaken => problem,
    }
}
