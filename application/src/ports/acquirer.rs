//! The party that moves the money.

use async_trait::async_trait;
use domain::payment::{AcquirerReference, DeclineCode};
use domain::{CardExpiry, CardNumber, MerchantId, Money, OperationId};
use thiserror::Error;

/// One authorization to be made.
#[derive(Debug)]
pub struct AuthorizationRequest<'a> {
    /// The operation's name: the acquirer must do it at most once under this name.
    pub operation_id: &'a OperationId,
    /// Who is paid.
    pub merchant_id: &'a MerchantId,
    /// How much is to be reserved.
    pub amount: Money,
    /// The full number; it goes no further than the acquirer.
    pub card: &'a CardNumber,
    /// The card's last month.
    pub expiry: CardExpiry,
}

/// What the acquirer said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcquirerAnswer {
    /// The amount is reserved.
    Approved {
        /// The acquirer's name for it.
        reference: AcquirerReference,
    },
    /// It refused.
    Declined {
        /// Why; a code that [is the acquirer's to say](DeclineCode::is_acquirers).
        code: DeclineCode,
    },
}

/// Why there is no answer. The two are worlds apart: after `NotSent` nothing happened, after `OutcomeUnknown` money
/// may have moved.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AcquirerError {
    /// The request certainly never reached the acquirer.
    #[error("the acquirer was not reached: {reason}")]
    NotSent {
        /// For the operator.
        reason: String,
    },
    /// The request may have reached the acquirer, but its answer did not come.
    #[error("the acquirer's answer did not come: {reason}")]
    OutcomeUnknown {
        /// For the operator.
        reason: String,
    },
}

/// Moves money.
#[async_trait]
pub trait Acquirer: Send + Sync {
    /// Reserves an amount on a card.
    ///
    /// # Errors
    /// MUST return `NotSent` only where the acquirer cannot have seen the request, and `OutcomeUnknown` in every
    /// doubt. MUST answer within a bound of its own: the caller does not add one.
    async fn authorize(&self, request: AuthorizationRequest<'_>) -> Result<AcquirerAnswer, AcquirerError>;
}
