//! Sending a webhook again because somebody asks for it.

use std::sync::Arc;

use domain::{MerchantId, WebhookDeliveryId};
use thiserror::Error;

use super::get_webhook_endpoint::{GetWebhookEndpoint, GetWebhookEndpointError, WebhookEndpointOf};
use crate::ports::{Clock, Replayed, StoredDelivery, WebhookDeliveryStore, WebhookStoreUnavailable};

/// Why it is not sent again.
#[derive(Debug, Error)]
pub enum ReplayWebhookDeliveryError {
    /// No delivery has this name, or another merchant's has.
    #[error("there is no webhook delivery `{id}`")]
    NotFound {
        /// The name.
        id: WebhookDeliveryId,
    },
    /// It is being sent in this very moment.
    #[error("the webhook delivery `{id}` is being sent")]
    InFlight {
        /// The name.
        id: WebhookDeliveryId,
    },
    /// Nothing is sent to its endpoint.
    #[error("the endpoint of the webhook delivery `{id}` is disabled")]
    EndpointDisabled {
        /// The name.
        id: WebhookDeliveryId,
    },
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] WebhookStoreUnavailable),
}

/// Sends webhooks again.
#[derive(Clone)]
pub struct ReplayWebhookDelivery {
    /// Reads endpoints.
    pub get: GetWebhookEndpoint,
    /// Where deliveries are kept.
    pub deliveries: Arc<dyn WebhookDeliveryStore>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl ReplayWebhookDelivery {
    /// The delivery, due now, whatever had come of it.
    ///
    /// # Errors
    /// When there is none, it is being sent, its endpoint is disabled, or the store does not answer.
    pub async fn execute(
        &self,
        id: &WebhookDeliveryId,
        merchant: Option<MerchantId>,
    ) -> Result<StoredDelivery, ReplayWebhookDeliveryError> {
        let not_found = || ReplayWebhookDeliveryError::NotFound { id: id.clone() };
        let found = self.deliveries.find(id).await?.ok_or_else(not_found)?;
        let of = WebhookEndpointOf {
            id: found.endpoint_id,
            merchant,
        };
        match self.get.execute(&of).await {
            Ok(_) => {}
            Err(GetWebhookEndpointError::NotFound { .. }) => return Err(not_found()),
            Err(GetWebhookEndpointError::Store(error)) => return Err(error.into()),
        }
        match self.deliveries.replay(id, self.clock.now()).await? {
            Replayed::Yes => self.deliveries.find(id).await?.ok_or_else(not_found),
            Replayed::InFlight => Err(ReplayWebhookDeliveryError::InFlight { id: id.clone() }),
            Replayed::EndpointDisabled => {
                Err(ReplayWebhookDeliveryError::EndpointDisabled { id: id.clone() })
            }
            Replayed::NotFound => Err(not_found()),
        }
    }
}
