//! Taking in a place that a merchant's events are to be sent to.

use std::sync::Arc;

use domain::{MerchantId, WebhookEndpointId};
use thiserror::Error;

use crate::ports::{
    Clock, EventFilter, IdGenerator, NewEndpoint, NoRandomness, WebhookEndpoint, WebhookEndpointStore,
    WebhookSecretGenerator, WebhookStoreUnavailable, WebhookUrlPolicy, WebhookUrlRefused,
};

/// How many endpoints a merchant may have: a few systems of his own in a few environments, and a bound for what one event costs.
pub const MAX_WEBHOOK_ENDPOINTS: usize = 16;

/// Why there is no endpoint.
#[derive(Debug, Error)]
pub enum CreateWebhookEndpointError {
    /// Webhooks are not sent there.
    #[error("the URL is not sent to: {0}")]
    Url(WebhookUrlRefused),
    /// The merchant has [`MAX_WEBHOOK_ENDPOINTS`] already.
    #[error("the merchant has {MAX_WEBHOOK_ENDPOINTS} endpoints already")]
    TooMany,
    /// There is no secret.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] WebhookStoreUnavailable),
}

/// What is to be made.
#[derive(Clone, Debug)]
pub struct CreateWebhookEndpointCommand {
    /// Whose events.
    pub merchant_id: MerchantId,
    /// Where to, as it was written.
    pub url: String,
    /// Which of them.
    pub events: EventFilter,
}

/// Makes endpoints.
#[derive(Clone)]
pub struct CreateWebhookEndpoint {
    /// Where they are kept.
    pub endpoints: Arc<dyn WebhookEndpointStore>,
    /// Says where webhooks may go.
    pub urls: Arc<dyn WebhookUrlPolicy>,
    /// Makes secrets.
    pub secrets: Arc<dyn WebhookSecretGenerator>,
    /// Makes names.
    pub ids: Arc<dyn IdGenerator>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl CreateWebhookEndpoint {
    /// The new endpoint. Its secret is to be shown now: it is never shown again.
    ///
    /// # Errors
    /// When webhooks are not sent there, the merchant has too many, or the store does not answer.
    pub async fn execute(
        &self,
        command: CreateWebhookEndpointCommand,
    ) -> Result<WebhookEndpoint, CreateWebhookEndpointError> {
        let url = self
            .urls
            .check(&command.url)
            .map_err(CreateWebhookEndpointError::Url)?;
        let id: WebhookEndpointId = self.ids.webhook_endpoint_id();
        let endpoint = NewEndpoint {
            id: id.clone(),
            merchant_id: command.merchant_id,
            url,
            events: command.events,
            secret: self.secrets.webhook_secret()?,
            created_at: self.clock.now(),
        };
        if !self.endpoints.create(&endpoint, MAX_WEBHOOK_ENDPOINTS).await? {
            return Err(CreateWebhookEndpointError::TooMany);
        }
        let made = self.endpoints.find(&id).await?;
        made.ok_or_else(|| {
            CreateWebhookEndpointError::Store(WebhookStoreUnavailable {
                reason: "an endpoint that was just stored is not there".to_owned(),
            })
        })
    }
}
