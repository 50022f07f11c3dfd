//! The use cases of webhooks, put together from the ports.

use std::sync::Arc;

use application::ports::{
    Clock, IdGenerator, WebhookDeliveryStore, WebhookEndpointStore, WebhookSecretGenerator, WebhookUrlPolicy,
};
use application::use_cases::{
    CreateWebhookEndpoint, DeleteWebhookEndpoint, GetWebhookEndpoint, ListWebhookDeliveries,
    ListWebhookEndpoints, ReplayWebhookDelivery, RotateWebhookSecret, UpdateWebhookEndpoint,
};

/// What they are made of; the gateway hands it in.
#[derive(Clone)]
pub struct WebhookParts {
    /// Where endpoints are kept.
    pub endpoints: Arc<dyn WebhookEndpointStore>,
    /// Where deliveries are kept.
    pub deliveries: Arc<dyn WebhookDeliveryStore>,
    /// Says where webhooks may go.
    pub urls: Arc<dyn WebhookUrlPolicy>,
    /// Makes secrets.
    pub secrets: Arc<dyn WebhookSecretGenerator>,
}

/// Every use case of webhooks.
#[derive(Clone)]
pub struct WebhookUseCases {
    /// `POST /v1/webhook-endpoints`.
    pub create: CreateWebhookEndpoint,
    /// `GET /v1/webhook-endpoints`.
    pub list: ListWebhookEndpoints,
    /// `GET /v1/webhook-endpoints/{id}`.
    pub get: GetWebhookEndpoint,
    /// `PATCH /v1/webhook-endpoints/{id}`.
    pub update: UpdateWebhookEndpoint,
    /// `DELETE /v1/webhook-endpoints/{id}`.
    pub delete: DeleteWebhookEndpoint,
    /// `POST /v1/webhook-endpoints/{id}/rotate-secret`.
    pub rotate_secret: RotateWebhookSecret,
    /// `GET /v1/webhook-endpoints/{id}/deliveries`.
    pub list_deliveries: ListWebhookDeliveries,
    /// `POST /v1/webhook-deliveries/{id}/replay`.
    pub replay: ReplayWebhookDelivery,
}

impl WebhookUseCases {
    /// All of them, over the same ports.
    #[must_use]
    pub fn new(parts: WebhookParts, ids: Arc<dyn IdGenerator>, clock: &Arc<dyn Clock>) -> Self {
        let WebhookParts {
            endpoints,
            deliveries,
            urls,
            secrets,
        } = parts;
        let get = GetWebhookEndpoint {
            endpoints: Arc::clone(&endpoints),
        };
        let clock = || Arc::clone(clock);
        Self {
            create: CreateWebhookEndpoint {
                endpoints: Arc::clone(&endpoints),
                urls: Arc::clone(&urls),
                secrets: Arc::clone(&secrets),
                ids,
                clock: clock(),
            },
            list: ListWebhookEndpoints { endpoints },
            update: UpdateWebhookEndpoint {
                get: get.clone(),
                urls,
            },
            delete: DeleteWebhookEndpoint {
                get: get.clone(),
                clock: clock(),
            },
            rotate_secret: RotateWebhookSecret {
                get: get.clone(),
                secrets,
                clock: clock(),
            },
            list_deliveries: ListWebhookDeliveries {
                get: get.clone(),
                deliveries: Arc::clone(&deliveries),
            },
            replay: ReplayWebhookDelivery {
                get: get.clone(),
                deliveries,
                clock: clock(),
            },
            get,
        }
    }
}
