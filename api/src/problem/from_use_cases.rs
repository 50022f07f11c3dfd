//! What each error of a use case is to a caller. The operator's text stays on this side.

use application::operation_runner::RunError;
use application::ports::RepositoryError;
use application::risk_assessment::NoPolicySet;
use application::use_cases::{AuthorizePaymentError, FollowUpError, GetPaymentError, ResolveOperationError};
use domain::payment::OperationRefused;

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
            RunError::NotStored(error) => Problem::of_repository(&error),
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
            GetPaymentError::Repository(error) => Problem::of_repository(&error),
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

impl From<OperationRefused> for Problem {
    fn from(error: OperationRefused) -> Self {
        match error {
            OperationRefused::Illegal(illegal) => Self::new(
                ProblemCode::PaymentStateConflict,
                format!(
                    "The payment is `{}`, which does not allow this. Nothing was done.",
                    illegal.from.as_str()
                ),
            ),
            OperationRefused::InFlight { operation } => Self::new(
                ProblemCode::OperationInFlight,
                format!(
                    "Operation `{operation}` of the payment has not ended yet. Nothing was done; send it again later."
                ),
            ),
            OperationRefused::ExceedsRemainder {
                remainder_minor_units,
            } => Self::new(
                ProblemCode::AmountExceedsRemainder,
                format!(
                    "{remainder_minor_units} minor units are left of the payment for this. Nothing was done."
                ),
            ),
            OperationRefused::OtherCurrency { expected } => Self::new(
                ProblemCode::CurrencyMismatch,
                format!(
                    "The payment is in {expected}, and so is everything that is done with it. Nothing was done."
                ),
            ),
        }
    }
}

impl From<FollowUpError> for Problem {
    fn from(error: FollowUpError) -> Self {
        match error {
            FollowUpError::NotFound { .. } => payment_not_found(),
            FollowUpError::Refused(error) => error.into(),
            FollowUpError::Repository(error) => Self::of_repository(&error),
            FollowUpError::Run(error) => error.into(),
        }
    }
}

impl From<ResolveOperationError> for Problem {
    fn from(error: ResolveOperationError) -> Self {
        match error {
            ResolveOperationError::NotFound { .. } => payment_not_found(),
            ResolveOperationError::Illegal(illegal) => OperationRefused::from(illegal).into(),
            ResolveOperationError::Repository(error) => Self::of_repository(&error),
        }
    }
}

impl Problem {
    /// A repository that did not do it; nothing was sent to the acquirer.
    pub(crate) fn of_repository(error: &RepositoryError) -> Self {
        match error {
            RepositoryError::Unavailable { .. } => Self::new(
                ProblemCode::StorageUnavailable,
                "Payments cannot be read or written now. Nothing was sent to the acquirer; send it again later.",
            )
            .for_operator(error.to_string()),
            // Another gateway has taken the key in this very moment.
            RepositoryError::KeyTaken => Self::new(
                ProblemCode::IdempotencyKeyInUse,
                "The same request is under way. Nothing was done; send it again to learn how it ended.",
            ),
            // Whoever changed the payment again and again has done something with it.
            RepositoryError::Conflict { .. } => Self::new(
                ProblemCode::OperationInFlight,
                "Others are changing the payment at this very time. Nothing was done; send it again later.",
            )
            .for_operator(error.to_string()),
            RepositoryError::AlreadyExists { .. } | RepositoryError::Corrupt { .. } => {
                with_id(Self::internal(error.to_string()), error)
            }
        }
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
