//! How the webhooks to an endpoint went.

use std::sync::Arc;

use super::get_webhook_endpoint::{GetWebhookEndpoint, GetWebhookEndpointError, WebhookEndpointOf};
use crate::ports::{
    DeliveryCursor, DeliveryQuery, DeliveryState, Page, StoredDelivery, WebhookDeliveryStore,
};

/// Why there is no page.
pub type ListWebhookDeliveriesError = GetWebhookEndpointError;

/// Lists deliveries.
#[derive(Clone)]
pub struct ListWebhookDeliveries {
    /// Reads endpoints.
    pub get: GetWebhookEndpoint,
    /// Where deliveries are kept.
    pub deliveries: Arc<dyn WebhookDeliveryStore>,
}

impl ListWebhookDeliveries {
    /// A page of deliveries, the newest first; those in one state, or all.
    ///
    /// # Errors
    /// When there is no such endpoint, or the store does not answer.
    pub async fn execute(
        &self,
        endpoint: WebhookEndpointOf,
        state: Option<DeliveryState>,
        after: Option<DeliveryCursor>,
        limit: usize,
    ) -> Result<Page<StoredDelivery>, ListWebhookDeliveriesError> {
        self.get.execute(&endpoint).await?;
        let query = DeliveryQuery {
            endpoint_id: endpoint.id,
            state,
        };
        Ok(self.deliveries.list(&query, after, limit).await?)
    }
}
