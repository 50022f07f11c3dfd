//! Handing events out: what happened becomes one delivery for each endpoint that wants it.

use std::collections::HashMap;
use std::sync::Arc;

use domain::MerchantId;
use thiserror::Error;

use super::create_webhook_endpoint::MAX_WEBHOOK_ENDPOINTS;
use crate::ports::{
    Clock, EndpointStatus, Enqueued, EventLog, EventRenderer, IdGenerator, NewDelivery, RepositoryError,
    StoredEvent, WebhookDeliveryStore, WebhookEndpoint, WebhookEndpointStore, WebhookStoreUnavailable,
};

/// How many events are handed out in one step: with every endpoint wanting all of them some 600 KB in one transaction.
const STEP_EVENTS: usize = 100;

/// Why events were not handed out. They will be: the position has not moved.
#[derive(Debug, Error)]
pub enum FanOutEventsError {
    /// The events cannot be read.
    #[error(transparent)]
    Events(#[from] RepositoryError),
    /// The endpoints cannot be read, or the deliveries not stored.
    #[error(transparent)]
    Store(#[from] WebhookStoreUnavailable),
}

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FannedOut {
    /// How many events were handed out.
    pub events: usize,
    /// How many deliveries that made.
    pub deliveries: usize,
    /// Whether there is more to hand out.
    pub has_more: bool,
}

/// Hands events out.
#[derive(Clone)]
pub struct FanOutEvents {
    /// Tells what happened.
    pub log: Arc<dyn EventLog>,
    /// Who wants to be told.
    pub endpoints: Arc<dyn WebhookEndpointStore>,
    /// Where deliveries are kept.
    pub deliveries: Arc<dyn WebhookDeliveryStore>,
    /// Writes what is sent.
    pub renderer: Arc<dyn EventRenderer>,
    /// Makes names.
    pub ids: Arc<dyn IdGenerator>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl FanOutEvents {
    /// Hands the next events out. Several gateways may do so at once: one of them moves the position, and the others' work
    /// counts for nothing.
    ///
    /// # Errors
    /// When a store does not answer; the same events are then handed out by the next call.
    pub async fn execute(&self) -> Result<FannedOut, FanOutEventsError> {
        let from = self.deliveries.position().await?;
        // Events first and endpoints then: an endpoint that was there when an event was stored is seen here.
        let page = self.log.events_after(from, None, STEP_EVENTS).await?;
        let Some(last) = page.items.last() else {
            return Ok(FannedOut {
                events: 0,
                deliveries: 0,
                has_more: false,
            });
        };
        let to = last.position;
        let mut of_merchants: HashMap<&MerchantId, Vec<WebhookEndpoint>> = HashMap::new();
        let mut made = Vec::new();
        for event in &page.items {
            if !of_merchants.contains_key(&event.merchant_id) {
                let endpoints = self.endpoints_of(&event.merchant_id).await?;
                of_merchants.insert(&event.merchant_id, endpoints);
            }
            let endpoints = of_merchants.get(&event.merchant_id).into_iter().flatten();
            made.extend(self.deliveries_of(event, endpoints));
        }
        let deliveries = made.len();
        match self.deliveries.enqueue(from, to, made).await? {
            Enqueued::Yes => Ok(FannedOut {
                events: page.items.len(),
                deliveries,
                has_more: page.has_more,
            }),
            Enqueued::PositionMoved => Ok(FannedOut {
                events: 0,
                deliveries: 0,
                has_more: true,
            }),
        }
    }

    async fn endpoints_of(&self, merchant: &MerchantId) -> Result<Vec<WebhookEndpoint>, FanOutEventsError> {
        let page = self
            .endpoints
            .list(Some(merchant), None, MAX_WEBHOOK_ENDPOINTS)
            .await?;
        Ok(page.items)
    }

    fn deliveries_of<'a>(
        &self,
        event: &'a StoredEvent,
        endpoints: impl Iterator<Item = &'a WebhookEndpoint>,
    ) -> Vec<NewDelivery> {
        let mut body = None;
        let wants = |endpoint: &&WebhookEndpoint| {
            endpoint.status == EndpointStatus::Enabled
                && endpoint.starts_after < event.position
                && endpoint.events.wants(event.event.kind)
        };
        endpoints
            .filter(wants)
            .map(|endpoint| NewDelivery {
                id: self.ids.webhook_delivery_id(),
                endpoint_id: endpoint.id.clone(),
                event_id: event.id.clone(),
                event_kind: event.event.kind,
                body: body.get_or_insert_with(|| self.renderer.render(event)).clone(),
                created_at: self.clock.now(),
            })
            .collect()
    }
}
