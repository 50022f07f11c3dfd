//! What happened to payments, in the order in which it was stored.

use async_trait::async_trait;
use domain::payment::{PaymentEvent, PaymentStatus};
use domain::{MerchantId, Money, PaymentId};

use super::{Page, RepositoryError};

/// An event, and what the payment was like when it happened. No personal data: whoever is told asks for the payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place in the log: later ones have higher numbers, and numbers may be missing.
    pub position: u64,
    /// Its name, such as `evt_…`: the same in every delivery.
    pub id: String,
    /// To which payment.
    pub payment_id: PaymentId,
    /// Whose payment.
    pub merchant_id: MerchantId,
    /// What happened.
    pub event: PaymentEvent,
    /// Where the payment stood then.
    pub status: PaymentStatus,
    /// What was to be paid.
    pub amount: Money,
    /// What was captured by then, in minor units.
    pub captured_minor_units: i64,
    /// What was refunded by then, in minor units.
    pub refunded_minor_units: i64,
}

/// Tells what happened.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// Events behind a position, in order; those of one merchant, or all.
    ///
    /// # Errors
    /// MUST return `Unavailable` when they cannot be told. MUST NOT tell an event while one of a lower position may still be
    /// stored: whoever goes on from the last one would never see that.
    async fn events_after(
        &self,
        position: u64,
        merchant: Option<&MerchantId>,
        limit: usize,
    ) -> Result<Page<StoredEvent>, RepositoryError>;
}
