//! Webhooks: endpoints, deliveries, and how far the events were handed out. What changes goes through the one writer, in the
//! transaction of whatever else waits there.

mod attempts;
mod deliveries;
mod endpoints;

use std::sync::{Arc, Mutex, PoisonError};

use application::ports::{
    AttemptEnd, ClaimedDeliveries, DeliveryCursor, DeliveryQuery, DisabledReason, EndpointChange, Enqueued,
    NewDelivery, NewEndpoint, Page, Replayed, StoredDelivery, WebhookDeliveryStore, WebhookEndpoint,
    WebhookEndpointStore, WebhookStoreUnavailable,
};
use async_trait::async_trait;
use domain::{MerchantId, Timestamp, WebhookDeliveryId, WebhookEndpointId};
use rusqlite::Connection;
use rusqlite::types::Type;

use super::SqlitePaymentRepository;
use super::writer::{Statements, Work};

type Result<T> = std::result::Result<T, WebhookStoreUnavailable>;

#[async_trait]
impl WebhookEndpointStore for SqlitePaymentRepository {
    async fn create(&self, endpoint: &NewEndpoint, max_of_merchant: usize) -> Result<bool> {
        let endpoint = endpoint.clone();
        self.transact(move |connection| endpoints::create(connection, &endpoint, max_of_merchant))
            .await
    }

    async fn find(&self, id: &WebhookEndpointId) -> Result<Option<WebhookEndpoint>> {
        let id = id.clone();
        self.query(move |connection| endpoints::find(connection, &id))
            .await
    }

    async fn list(
        &self,
        merchant: Option<&MerchantId>,
        after: Option<&WebhookEndpointId>,
        limit: usize,
    ) -> Result<Page<WebhookEndpoint>> {
        let (merchant, after) = (merchant.cloned(), after.cloned());
        self.query(move |connection| endpoints::list(connection, merchant.as_ref(), after.as_ref(), limit))
            .await
    }

    async fn change(
        &self,
        id: &WebhookEndpointId,
        change: &EndpointChange,
    ) -> Result<Option<WebhookEndpoint>> {
        let (id, change) = (id.clone(), change.clone());
        self.transact(move |connection| endpoints::change(connection, &id, &change))
            .await
    }

    async fn delete(&self, id: &WebhookEndpointId, now: Timestamp) -> Result<bool> {
        let id = id.clone();
        self.transact(move |connection| endpoints::delete(connection, &id, now))
            .await
    }
}

#[async_trait]
impl WebhookDeliveryStore for SqlitePaymentRepository {
    async fn position(&self) -> Result<u64> {
        self.query(deliveries::position).await
    }

    async fn enqueue(&self, from: u64, to: u64, made: Vec<NewDelivery>) -> Result<Enqueued> {
        self.transact(move |connection| deliveries::enqueue(connection, from, to, &made))
            .await
    }

    async fn endpoints_due(
        &self,
        now: Timestamp,
        after: Option<&WebhookEndpointId>,
        limit: usize,
    ) -> Result<Vec<WebhookEndpointId>> {
        let after = after.cloned();
        self.query(move |connection| attempts::endpoints_due(connection, now, after.as_ref(), limit))
            .await
    }

    async fn claim(
        &self,
        endpoint: &WebhookEndpointId,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Option<ClaimedDeliveries>> {
        let endpoint = endpoint.clone();
        self.transact(move |connection| attempts::claim(connection, &endpoint, now, until, limit))
            .await
    }

    async fn finish(&self, end: &AttemptEnd) -> Result<Option<DisabledReason>> {
        let end = end.clone();
        self.transact(move |connection| attempts::finish(connection, &end))
            .await
    }

    async fn replay(&self, id: &WebhookDeliveryId, now: Timestamp) -> Result<Replayed> {
        let id = id.clone();
        self.transact(move |connection| attempts::replay(connection, &id, now))
            .await
    }

    async fn find(&self, id: &WebhookDeliveryId) -> Result<Option<StoredDelivery>> {
        let id = id.clone();
        self.query(move |connection| deliveries::find(connection, &id))
            .await
    }

    async fn list(
        &self,
        query: &DeliveryQuery,
        after: Option<DeliveryCursor>,
        limit: usize,
    ) -> Result<Page<StoredDelivery>> {
        let query = query.clone();
        self.query(move |connection| deliveries::list(connection, &query, after, limit))
            .await
    }

    async fn cancel_unwanted(&self, now: Timestamp, limit: usize) -> Result<usize> {
        self.transact(move |connection| deliveries::cancel_unwanted(connection, now, limit))
            .await
    }

    async fn forget(&self, ended_before: Timestamp, limit: usize) -> Result<usize> {
        self.transact(move |connection| deliveries::forget(connection, ended_before, limit))
            .await
    }

    async fn count_pending(&self, at_most: usize) -> Result<usize> {
        self.query(move |connection| deliveries::count_pending(connection, at_most))
            .await
    }
}

impl SqlitePaymentRepository {
    /// Runs statements through the writer; when it returns, what they did is on the disk.
    async fn transact<T: Send + 'static>(
        &self,
        statements: impl Fn(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let told = Arc::new(Mutex::new(None));
        let telling = Arc::clone(&told);
        let work = Work::Other(Statements(Box::new(move |connection| {
            let result = statements(connection)?;
            *telling.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            Ok(())
        })));
        self.write_other(work)
            .await
            .map_err(|error| unavailable(&error))?;
        let told = told.lock().unwrap_or_else(PoisonError::into_inner).take();
        told.ok_or_else(|| unavailable(&"the writer did not say what it did"))
    }

    async fn query<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let read = self
            .readers
            .run(query)
            .await
            .map_err(|error| unavailable(&error))?;
        read.map_err(|error| unavailable(&error))
    }
}

fn unavailable(error: &dyn std::fmt::Display) -> WebhookStoreUnavailable {
    WebhookStoreUnavailable {
        reason: error.to_string(),
    }
}

/// What a column holds, unless it holds what no gateway wrote.
fn known<T>(column: &'static str, value: Option<T>) -> rusqlite::Result<T> {
    value.ok_or_else(|| rusqlite::Error::InvalidColumnType(0, column.to_owned(), Type::Text))
}
