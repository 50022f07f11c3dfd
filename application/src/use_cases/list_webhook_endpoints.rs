//! Going through webhook endpoints.

use std::sync::Arc;

use domain::{MerchantId, WebhookEndpointId};

use crate::ports::{Page, WebhookEndpoint, WebhookEndpointStore, WebhookStoreUnavailable};

/// Why there is no page.
pub type ListWebhookEndpointsError = WebhookStoreUnavailable;

/// Lists endpoints.
#[derive(Clone)]
pub struct ListWebhookEndpoints {
    /// Where they are kept.
    pub endpoints: Arc<dyn WebhookEndpointStore>,
}

impl ListWebhookEndpoints {
    /// Those of a merchant, or all, in the order of their names, behind one.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn execute(
        &self,
        merchant: Option<&MerchantId>,
        after: Option<&WebhookEndpointId>,
        limit: usize,
    ) -> Result<Page<WebhookEndpoint>, ListWebhookEndpointsError> {
        self.endpoints.list(merchant, after, limit).await
    }
}
