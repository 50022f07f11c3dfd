//! Webhook endpoints and deliveries, as they are shown.

use application::ports::{
    DeliveryAttempt, DisabledReason, EndpointStatus, EventFilter, StoredDelivery, WebhookEndpoint,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::Each;
use super::scalar::Rfc3339;

/// An endpoint. Its secret is shown where it was just made, and nowhere else.
#[derive(Serialize)]
pub(crate) struct EndpointView<'a> {
    id: &'a str,
    merchant_id: &'a str,
    url: &'a str,
    event_types: Vec<&'static str>,
    status: &'static str,
    disabled_reason: Option<&'static str>,
    failing_since: Option<Rfc3339>,
    previous_secret_until: Option<Rfc3339>,
    created_at: Rfc3339,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl<'a> EndpointView<'a> {
    pub(crate) fn new(endpoint: &'a WebhookEndpoint) -> Self {
        let (status, disabled_reason) = match endpoint.status {
            EndpointStatus::Enabled => ("enabled", None),
            EndpointStatus::Disabled(reason) => ("disabled", Some(DisabledReason::as_str(reason))),
        };
        Self {
            id: endpoint.id.as_str(),
            merchant_id: endpoint.merchant_id.as_str(),
            url: endpoint.url.as_str(),
            event_types: match &endpoint.events {
                EventFilter::All => vec!["*"],
                EventFilter::Only(kinds) => kinds.iter().map(|kind| kind.as_str()).collect(),
            },
            status,
            disabled_reason,
            failing_since: endpoint.failing_since.map(Rfc3339),
            previous_secret_until: endpoint
                .previous_secret
                .as_ref()
                .map(|previous| Rfc3339(previous.until)),
            created_at: Rfc3339(endpoint.created_at),
            secret: None,
        }
    }

    pub(crate) fn with_secret(endpoint: &'a WebhookEndpoint) -> Self {
        let secret = format!("whsec_{}", STANDARD.encode(endpoint.secret.expose()));
        Self {
            secret: Some(secret),
            ..Self::new(endpoint)
        }
    }
}

#[derive(Serialize)]
pub(crate) struct DeliveryView<'a> {
    id: &'a str,
    endpoint_id: &'a str,
    event_id: &'a str,
    event_type: &'static str,
    state: &'static str,
    next_attempt_at: Option<Rfc3339>,
    attempts_made: u64,
    attempts: Each<'a, DeliveryAttempt, AttemptView<'a>>,
    created_at: Rfc3339,
}

#[derive(Serialize)]
struct AttemptView<'a> {
    at: Rfc3339,
    duration_ms: u64,
    status: Option<u16>,
    error: Option<&'a str>,
}

impl<'a> DeliveryView<'a> {
    pub(crate) fn new(delivery: &'a StoredDelivery) -> Self {
        Self {
            id: delivery.id.as_str(),
            endpoint_id: delivery.endpoint_id.as_str(),
            event_id: &delivery.event_id,
            event_type: delivery.event_kind.as_str(),
            state: delivery.state.as_str(),
            next_attempt_at: delivery.next_attempt_at.map(Rfc3339),
            attempts_made: delivery.attempts_made,
            attempts: Each(&delivery.attempts, AttemptView::new),
            created_at: Rfc3339(delivery.created_at),
        }
    }
}

impl<'a> AttemptView<'a> {
    fn new(attempt: &'a DeliveryAttempt) -> Self {
        Self {
            at: Rfc3339(attempt.at),
            duration_ms: attempt.duration_ms,
            status: attempt.status,
            error: attempt.error.as_deref(),
        }
    }
}
