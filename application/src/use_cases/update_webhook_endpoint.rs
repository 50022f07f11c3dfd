//! Changing a webhook endpoint: its URL, the events it wants, whether it is sent to.

use std::sync::Arc;

use thiserror::Error;

use super::get_webhook_endpoint::{GetWebhookEndpoint, GetWebhookEndpointError, WebhookEndpointOf};
use crate::ports::{EndpointChange, EventFilter, WebhookEndpoint, WebhookUrlPolicy, WebhookUrlRefused};

/// Why nothing was changed.
#[derive(Debug, Error)]
pub enum UpdateWebhookEndpointError {
    /// Webhooks are not sent there.
    #[error("the URL is not sent to: {0}")]
    Url(WebhookUrlRefused),
    /// There is none, or the store did not answer.
    #[error(transparent)]
    Endpoint(#[from] GetWebhookEndpointError),
}

/// What is to be different; the rest stays.
#[derive(Clone, Debug)]
pub struct UpdateWebhookEndpointCommand {
    /// Of which endpoint.
    pub endpoint: WebhookEndpointOf,
    /// Where to, as it was written.
    pub url: Option<String>,
    /// Which events.
    pub events: Option<EventFilter>,
    /// Whether to send.
    pub enabled: Option<bool>,
}

/// Changes endpoints.
#[derive(Clone)]
pub struct UpdateWebhookEndpoint {
    /// Reads them.
    pub get: GetWebhookEndpoint,
    /// Says where webhooks may go.
    pub urls: Arc<dyn WebhookUrlPolicy>,
}

impl UpdateWebhookEndpoint {
    /// The endpoint as it is then.
    ///
    /// # Errors
    /// When there is none, webhooks are not sent to the URL, or the store does not answer.
    pub async fn execute(
        &self,
        command: UpdateWebhookEndpointCommand,
    ) -> Result<WebhookEndpoint, UpdateWebhookEndpointError> {
        let UpdateWebhookEndpointCommand {
            endpoint,
            url,
            events,
            enabled,
        } = command;
        let url = url
            .map(|url| self.urls.check(&url))
            .transpose()
            .map_err(UpdateWebhookEndpointError::Url)?;
        self.get.execute(&endpoint).await?;
        let change = EndpointChange {
            url,
            events,
            enabled,
            secret: None,
        };
        let changed = self.get.endpoints.change(&endpoint.id, &change).await;
        let changed = changed.map_err(GetWebhookEndpointError::from)?;
        Ok(changed.ok_or(GetWebhookEndpointError::NotFound { id: endpoint.id })?)
    }
}
