//! No webhooks: what a database that does not keep them says.

use application::ports::{
    AttemptEnd, ClaimedDeliveries, DeliveryCursor, DeliveryQuery, DisabledReason, EndpointChange, Enqueued,
    NewDelivery, NewEndpoint, Page, Replayed, StoredDelivery, WebhookDeliveryStore, WebhookEndpoint,
    WebhookEndpointStore, WebhookStoreUnavailable,
};
use async_trait::async_trait;
use domain::{MerchantId, Timestamp, WebhookDeliveryId, WebhookEndpointId};

/// Says of everything that it cannot be done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoWebhookStore;

fn refused<T>() -> Result<T, WebhookStoreUnavailable> {
    Err(WebhookStoreUnavailable {
        reason: "webhooks are kept in SQLite alone".to_owned(),
    })
}

#[async_trait]
impl WebhookEndpointStore for NoWebhookStore {
    async fn create(&self, _: &NewEndpoint, _: usize) -> Result<bool, WebhookStoreUnavailable> {
        refused()
    }

    async fn find(&self, _: &WebhookEndpointId) -> Result<Option<WebhookEndpoint>, WebhookStoreUnavailable> {
        refused()
    }

    async fn list(
        &self,
        _: Option<&MerchantId>,
        _: Option<&WebhookEndpointId>,
        _: usize,
    ) -> Result<Page<WebhookEndpoint>, WebhookStoreUnavailable> {
        refused()
    }

    async fn change(
        &self,
        _: &WebhookEndpointId,
        _: &EndpointChange,
    ) -> Result<Option<WebhookEndpoint>, WebhookStoreUnavailable> {
        refused()
    }

    async fn delete(&self, _: &WebhookEndpointId, _: Timestamp) -> Result<bool, WebhookStoreUnavailable> {
        refused()
    }
}

#[async_trait]
impl WebhookDeliveryStore for NoWebhookStore {
    async fn position(&self) -> Result<u64, WebhookStoreUnavailable> {
        refused()
    }

    async fn enqueue(
        &self,
        _: u64,
        _: u64,
        _: Vec<NewDelivery>,
    ) -> Result<Enqueued, WebhookStoreUnavailable> {
        refused()
    }

    async fn endpoints_due(
        &self,
        _: Timestamp,
        _: Option<&WebhookEndpointId>,
        _: usize,
    ) -> Result<Vec<WebhookEndpointId>, WebhookStoreUnavailable> {
        refused()
    }

    async fn claim(
        &self,
        _: &WebhookEndpointId,
        _: Timestamp,
        _: Timestamp,
        _: usize,
    ) -> Result<Option<ClaimedDeliveries>, WebhookStoreUnavailable> {
        refused()
    }

    async fn finish(&self, _: &AttemptEnd) -> Result<Option<DisabledReason>, WebhookStoreUnavailable> {
        refused()
    }

    async fn replay(&self, _: &WebhookDeliveryId, _: Timestamp) -> Result<Replayed, WebhookStoreUnavailable> {
        refused()
    }

    async fn find(&self, _: &WebhookDeliveryId) -> Result<Option<StoredDelivery>, WebhookStoreUnavailable> {
        refused()
    }

    async fn list(
        &self,
        _: &DeliveryQuery,
        _: Option<DeliveryCursor>,
        _: usize,
    ) -> Result<Page<StoredDelivery>, WebhookStoreUnavailable> {
        refused()
    }

    async fn cancel_unwanted(&self, _: Timestamp, _: usize) -> Result<usize, WebhookStoreUnavailable> {
        refused()
    }

    async fn forget(&self, _: Timestamp, _: usize) -> Result<usize, WebhookStoreUnavailable> {
        refused()
    }

    async fn count_pending(&self, _: usize) -> Result<usize, WebhookStoreUnavailable> {
        refused()
    }
}
