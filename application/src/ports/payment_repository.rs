//! Where payments are kept, and with them what an idempotency key stands for and what others are to be told.

use async_trait::async_trait;
use domain::{MerchantId, Payment, PaymentId};
use thiserror::Error;

use super::idempotency::{IdempotencyKey, KeyEntry, KeyWrite};

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
    /// The idempotency key stands for another request by now; nothing was written.
    #[error("the idempotency key was taken by another request")]
    KeyTaken,
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
    /// Writes a payment: a new one where its version is 0, else over exactly that version; its events go to the outbox in
    /// the same transaction, and so does the entry of the idempotency key, where there is one. When it returns, all of it is
    /// durable, and the payment carries its new version and no events.
    ///
    /// # Errors
    /// MUST return `AlreadyExists` for a new payment whose name is taken, `Conflict` when the stored version is another
    /// one (or the payment is gone), `KeyTaken` where the key to be claimed is there already or the one to be answered is not
    /// there or has its answer, and leave the store and the payment as they were in every case.
    async fn save_with_key(
        &self,
        payment: &mut Payment,
        key: Option<KeyWrite<'_>>,
    ) -> Result<(), RepositoryError>;

    /// Writes a payment that no idempotency key is about.
    ///
    /// # Errors
    /// As for [`PaymentRepository::save_with_key`].
    async fn save(&self, payment: &mut Payment) -> Result<(), RepositoryError> {
        self.save_with_key(payment, None).await
    }

    /// Reads a payment.
    ///
    /// # Errors
    /// MUST return `Corrupt` where the stored payment breaks an invariant, never a payment made up from the rest.
    async fn find(&self, id: &PaymentId) -> Result<Option<Payment>, RepositoryError>;

    /// What a merchant's idempotency key stands for.
    ///
    /// # Errors
    /// MUST return `Unavailable` when it cannot be told.
    async fn find_key(
        &self,
        tenant: &MerchantId,
        key: &IdempotencyKey,
    ) -> Result<Option<KeyEntry>, RepositoryError>;

    /// Whether payments can be read and written now.
    ///
    /// # Errors
    /// MUST return `Unavailable` when they cannot.
    async fn check(&self) -> Result<(), RepositoryError>;
}
