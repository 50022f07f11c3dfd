//! Reading one webhook endpoint.

use std::sync::Arc;

use domain::{MerchantId, WebhookEndpointId};
use thiserror::Error;

use crate::ports::{WebhookEndpoint, WebhookEndpointStore, WebhookStoreUnavailable};

/// Why there is no endpoint to show.
#[derive(Debug, Error)]
pub enum GetWebhookEndpointError {
    /// No endpoint has this name, or another merchant's has.
    #[error("there is no webhook endpoint `{id}`")]
    NotFound {
        /// The name.
        id: WebhookEndpointId,
    },
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] WebhookStoreUnavailable),
}

/// Which endpoint, and whose it has to be.
#[derive(Clone, Debug)]
pub struct WebhookEndpointOf {
    /// Its name.
    pub id: WebhookEndpointId,
    /// Whose; anybody's where it is not said.
    pub merchant: Option<MerchantId>,
}

/// Reads endpoints.
#[derive(Clone)]
pub struct GetWebhookEndpoint {
    /// Where they are kept.
    pub endpoints: Arc<dyn WebhookEndpointStore>,
}

impl GetWebhookEndpoint {
    /// The endpoint.
    ///
    /// # Errors
    /// When there is none, or the store does not answer.
    pub async fn execute(&self, of: &WebhookEndpointOf) -> Result<WebhookEndpoint, GetWebhookEndpointError> {
        self.endpoints
            .find(&of.id)
            .await?
            .filter(|found| {
                of.merchant
                    .as_ref()
                    .is_none_or(|wanted| *wanted == found.merchant_id)
            })
            .ok_or_else(|| GetWebhookEndpointError::NotFound { id: of.id.clone() })
    }
}
