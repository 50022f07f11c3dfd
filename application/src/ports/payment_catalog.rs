//! Payments by something else than their name.

use async_trait::async_trait;
use domain::payment::PaymentStatus;
use domain::{MerchantId, Payment, PaymentId, Timestamp};

use super::RepositoryError;

/// Which payments are wanted; everything that is not said is any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentQuery {
    /// Whose.
    pub merchant: Option<MerchantId>,
    /// In which status.
    pub status: Option<PaymentStatus>,
    /// Created at this time or later.
    pub created_from: Option<Timestamp>,
    /// Created before this time.
    pub created_before: Option<Timestamp>,
}

/// Behind which payment a page begins, in the order of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageCursor {
    /// When that payment was created.
    pub created_at: Timestamp,
    /// Its name.
    pub id: PaymentId,
}

/// A part of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Whether there is more behind it.
    pub has_more: bool,
}

/// Finds payments. A payment that is stored or changed while somebody pages through a listing may be on a page or not; no other
/// payment is ever left out or shown twice.
#[async_trait]
pub trait PaymentCatalog: Send + Sync {
    /// Payments, the newest first: by when they were created, then by name.
    ///
    /// # Errors
    /// As for [`PaymentRepository::find`](super::PaymentRepository::find).
    async fn list(
        &self,
        query: &PaymentQuery,
        after: Option<&PageCursor>,
        limit: usize,
    ) -> Result<Page<Payment>, RepositoryError>;

    /// Payments with an operation that the acquirer is to be asked about by now, the longest due first.
    ///
    /// # Errors
    /// MUST return `Unavailable` when it cannot be told.
    async fn due_for_inquiry(&self, now: Timestamp, limit: usize) -> Result<Vec<PaymentId>, RepositoryError>;

    /// Payments that nobody acted on in time, the longest overdue first. One whose operation is open is not among them.
    ///
    /// # Errors
    /// MUST return `Unavailable` when it cannot be told.
    async fn overdue(&self, now: Timestamp, limit: usize) -> Result<Vec<PaymentId>, RepositoryError>;

    /// Payments with an open operation that is left to humans, in the order of their names, behind one.
    ///
    /// # Errors
    /// As for [`PaymentRepository::find`](super::PaymentRepository::find).
    async fn left_to_humans(
        &self,
        after: Option<&PaymentId>,
        limit: usize,
    ) -> Result<Page<Payment>, RepositoryError>;

    /// Forgets idempotency keys that came before this time, at most so many. Tells how many.
    ///
    /// # Errors
    /// MUST return `Unavailable` when it did not.
    async fn forget_keys(&self, created_before: Timestamp, limit: usize) -> Result<usize, RepositoryError>;
}
