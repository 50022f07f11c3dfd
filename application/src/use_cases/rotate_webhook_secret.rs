//! Replacing what an endpoint's webhooks are signed with.

use std::sync::Arc;

use domain::Timestamp;
use thiserror::Error;

use super::get_webhook_endpoint::{GetWebhookEndpoint, GetWebhookEndpointError, WebhookEndpointOf};
use crate::ports::{Clock, EndpointChange, NoRandomness, WebhookEndpoint, WebhookSecretGenerator};

/// For how long at most both secrets sign, in seconds: a week, within which any merchant can deploy.
pub const MAX_SECRET_OVERLAP_SECONDS: u32 = 7 * 24 * 60 * 60;

/// For how long both sign where that is not said, in seconds.
pub const DEFAULT_SECRET_OVERLAP_SECONDS: u32 = 24 * 60 * 60;

/// Why the secret is the one it was.
#[derive(Debug, Error)]
pub enum RotateWebhookSecretError {
    /// There is no new one.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// There is no endpoint, or the store did not answer.
    #[error(transparent)]
    Endpoint(#[from] GetWebhookEndpointError),
}

/// Replaces secrets.
#[derive(Clone)]
pub struct RotateWebhookSecret {
    /// Reads endpoints.
    pub get: GetWebhookEndpoint,
    /// Makes secrets.
    pub secrets: Arc<dyn WebhookSecretGenerator>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl RotateWebhookSecret {
    /// The endpoint with its new secret, which is to be shown now: it is never shown again. The one before signs beside it for
    /// so many seconds; 0 is for one that others have seen.
    ///
    /// # Errors
    /// When there is no such endpoint, no randomness, or the store does not answer.
    pub async fn execute(
        &self,
        endpoint: WebhookEndpointOf,
        overlap_seconds: u32,
    ) -> Result<WebhookEndpoint, RotateWebhookSecretError> {
        self.get.execute(&endpoint).await?;
        let overlap_ms = u64::from(overlap_seconds.min(MAX_SECRET_OVERLAP_SECONDS)) * 1_000;
        let until = Timestamp::from_unix_millis(self.clock.now().unix_millis() + overlap_ms);
        let change = EndpointChange {
            secret: Some((self.secrets.webhook_secret()?, until)),
            ..EndpointChange::default()
        };
        let changed = self.get.endpoints.change(&endpoint.id, &change).await;
        let changed = changed.map_err(GetWebhookEndpointError::from)?;
        Ok(changed.ok_or(GetWebhookEndpointError::NotFound { id: endpoint.id })?)
    }
}
