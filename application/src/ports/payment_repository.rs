//! Where payments are kept.

use async_trait::async_trait;
use domain::{Payment, PaymentId};
use thiserror::Error;

/// Why a payment could not be read or written.
#[derive(Debug, Error)]
pub enum RepositoryError {
    /// Another payment has this name.
    #[error("payment `{id}` exists already")]
    AlreadyExists {
        /// The name.
        id: PaymentId,
    },
    /// Someone else changed the payment since it was read; nothing was written.
    #[error("payment `{id}` changed since version {expected} was read")]
    Conflict {
        /// The payment.
        id: PaymentId,
        /// The version that was to be replaced.
        expected: u64,
    },
    /// What is stored is not what a gateway wrote.
    #[error("payment `{id}` is stored damaged: {reason}")]
    Corrupt {
        /// The payment.
        id: PaymentId,
        /// For the operator.
        reason: String,
    },
    /// The store did not say that it did it, and can be asked again. A save that broke off in its commit may be there
    /// all the same; saved again it is then a `Conflict`, or `AlreadyExists` where it was new.
    #[error("the payment store is unavailable: {reason}")]
    Unavailable {
        /// For the operator.
        reason: String,
    },
}

/// Keeps payments.
#[async_trait]
pub trait PaymentRepository: Send + Sync {
    /// Writes a payment: a new one where its version is 0, else over exactly that version. When it returns, the payment
    /// is durable and carries its new version.
    ///
    /// # Errors
    /// MUST return `AlreadyExists` for a new payment whose name is taken, `Conflict` when the stored version is another
    /// one (or the payment is gone), and leave the store as it was in both cases.
    async fn save(&self, payment: &mut Payment) -> Result<(), RepositoryError>;

    /// Reads a payment.
    ///
    /// # Errors
    /// MUST return `Corrupt` where the stored payment breaks an invariant, never a payment made up from the rest.
    async fn find(&self, id: &PaymentId) -> Result<Option<Payment>, RepositoryError>;

    /// Whether payments can be read and written now.
    ///
    /// # Errors
    /// MUST return `Unavailable` when they cannot.
    async fn check(&self) -> Result<(), RepositoryError>;
}
