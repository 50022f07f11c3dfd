//! The ports that one database has, as the suites take them.

use std::sync::Arc;

use application::ports::{EventLog, PaymentCatalog, PaymentRepository, RepositoryError, StoredEvent};
use domain::Payment;
use domain::payment::{AcquirerReference, OperationResult};
use tokio::task::JoinSet;

/// Payments, listings of them, and what happened to them, in one database.
pub trait PaymentStore: PaymentRepository + PaymentCatalog + EventLog {}

impl<T: PaymentRepository + PaymentCatalog + EventLog> PaymentStore for T {}

/// As the suites take it.
pub type Store = Arc<dyn PaymentStore>;

/// How many callers come at the same time, where many do.
pub(super) const CROWD: usize = 32;

pub(super) async fn found(store: &Store, payment: &Payment) -> Payment {
    store.find(payment.id()).await.unwrap().unwrap()
}

pub(super) async fn save(store: &Store, mut payment: Payment) -> Payment {
    store.save(&mut payment).await.unwrap();
    payment
}

pub(super) async fn save_all(
    store: &Store,
    payments: impl IntoIterator<Item = Payment>,
) -> Vec<Result<(), RepositoryError>> {
    let mut saves = JoinSet::new();
    for mut payment in payments {
        let store = Arc::clone(store);
        saves.spawn(async move { store.save(&mut payment).await });
    }
    saves.join_all().await
}

/// All that is in the log, on one page.
pub(super) async fn all_events(store: &Store) -> Vec<StoredEvent> {
    let page = store.events_after(0, None, 10_000).await.unwrap();
    assert!(!page.has_more);
    page.items
}

pub(super) fn succeeded(reference: &str) -> OperationResult {
    OperationResult::Succeeded(AcquirerReference::parse(reference).unwrap())
}
