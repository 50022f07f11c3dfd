//! Telling a feature store that begins empty of the payments of the past.
//!
//! Beside the payments of today: the gateway serves meanwhile, and until it is done velocity counts too low. The newest payments
//! come first, since rules look at minutes and hours more than at months.

use std::sync::Arc;

use application::ports::{PageCursor, PaymentCatalog, PaymentQuery, RepositoryError, SettledAs};
use domain::feature::MAX_WINDOW_SECONDS;
use domain::payment::{DeclineCode, PaymentStatus};
use domain::{Payment, Timestamp};
use features::MemoryFeatureStore;
use tokio_util::sync::CancellationToken;

/// How many payments are read at a time: some milliseconds of one reader of the storage.
const PAGE_PAYMENTS: usize = 100;

/// How many are told at most: well within what the store remembers by default, so that an older payment, which is told later, makes it
/// forget no newer one.
const MAX_PAYMENTS: usize = 100_000;

/// Reads them, and tells the store.
pub(crate) struct PastPayments {
    catalog: Arc<dyn PaymentCatalog>,
    store: Arc<MemoryFeatureStore>,
    now: Timestamp,
}

impl PastPayments {
    pub(crate) fn new(
        catalog: Arc<dyn PaymentCatalog>,
        store: Arc<MemoryFeatureStore>,
        now: Timestamp,
    ) -> Self {
        Self { catalog, store, now }
    }

    /// Tells of every payment that a window may reach back to, or until it is told to stop.
    pub(crate) async fn tell(self, stop: &CancellationToken) {
        let mut told = 0;
        let mut after = None;
        while told < MAX_PAYMENTS && !stop.is_cancelled() {
            match self.page(after.as_ref()).await {
                Ok(payments) => {
                    let Some(last) = payments.last() else { break };
                    after = Some(PageCursor {
                        created_at: last.record().created_at,
                        id: last.id().clone(),
                    });
                    told += payments.len();
                    for payment in payments.iter().rev() {
                        self.store.take_in(&payment.risk_request(), settled(payment));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, payments = told, "velocity does not know all of the past");
                    return;
                }
            }
        }
        tracing::info!(payments = told, "velocity knows the past");
    }

    async fn page(&self, after: Option<&PageCursor>) -> Result<Vec<Payment>, RepositoryError> {
        let window_ms = u64::from(MAX_WINDOW_SECONDS) * 1_000;
        let query = PaymentQuery {
            created_from: Some(Timestamp::from_unix_millis(
                self.now.unix_millis().saturating_sub(window_ms),
            )),
            ..PaymentQuery::default()
        };
        Ok(self.catalog.list(&query, after, PAGE_PAYMENTS).await?.items)
    }
}

/// How it was judged, as the use cases say when it is: whoever was authorized was approved, whatever came of it later.
fn settled(payment: &Payment) -> Option<SettledAs> {
    let record = payment.record();
    if payment.amounts().authorized > 0 {
        return Some(SettledAs::Approved);
    }
    let judged = record.status == PaymentStatus::Declined
        && record.decline_code != Some(DeclineCode::AcquirerUnavailable);
    judged.then_some(SettledAs::Declined)
}
