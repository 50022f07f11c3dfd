//! Taking a webhook endpoint away.

use std::sync::Arc;

use super::get_webhook_endpoint::{GetWebhookEndpoint, GetWebhookEndpointError, WebhookEndpointOf};
use crate::ports::Clock;

/// Why it is still there.
pub type DeleteWebhookEndpointError = GetWebhookEndpointError;

/// Takes endpoints away.
#[derive(Clone)]
pub struct DeleteWebhookEndpoint {
    /// Reads them.
    pub get: GetWebhookEndpoint,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl DeleteWebhookEndpoint {
    /// Nothing is sent to it from then on.
    ///
    /// # Errors
    /// When there is none, or the store does not answer.
    pub async fn execute(&self, endpoint: WebhookEndpointOf) -> Result<(), DeleteWebhookEndpointError> {
        self.get.execute(&endpoint).await?;
        if self.get.endpoints.delete(&endpoint.id, self.clock.now()).await? {
            Ok(())
        } else {
            Err(GetWebhookEndpointError::NotFound { id: endpoint.id })
        }
    }
}
