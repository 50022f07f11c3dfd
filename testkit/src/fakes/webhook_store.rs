//! Webhook endpoints and deliveries in maps.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use application::ports::{
    AttemptEnd, AttemptNext, ClaimedDeliveries, ClaimedDelivery, DeliveryCursor, DeliveryQuery,
    DeliveryState, DisabledReason, EndpointChange, EndpointStatus, Enqueued, EventLog, NewDelivery,
    NewEndpoint, Page, PreviousSecret, Replayed, StoredDelivery, WebhookDeliveryStore, WebhookEndpoint,
    WebhookEndpointStore, WebhookStoreUnavailable,
};
use async_trait::async_trait;
use domain::{MerchantId, Timestamp, WebhookDeliveryId, WebhookEndpointId};

use super::InMemoryPaymentRepository;

type Result<T> = std::result::Result<T, WebhookStoreUnavailable>;

struct Delivery {
    shown: StoredDelivery,
    body: Vec<u8>,
    tries: u32,
    claim: u64,
    claimed_until: Timestamp,
    ended_at: Option<Timestamp>,
}

#[derive(Default)]
struct State {
    endpoints: BTreeMap<WebhookEndpointId, WebhookEndpoint>,
    deliveries: Vec<Delivery>,
    made: u64,
    position: u64,
}

/// Keeps webhooks for as long as the test runs, beside the payments whose events they tell.
pub struct InMemoryWebhookStore {
    payments: Arc<InMemoryPaymentRepository>,
    state: Mutex<State>,
}

impl InMemoryWebhookStore {
    /// A store beside these payments.
    #[must_use]
    pub fn beside(payments: Arc<InMemoryPaymentRepository>) -> Self {
        Self {
            payments,
            state: Mutex::default(),
        }
    }
}

impl State {
    fn is_enabled(&self, id: &WebhookEndpointId) -> bool {
        let endpoint = self.endpoints.get(id);
        endpoint.is_some_and(|endpoint| endpoint.status == EndpointStatus::Enabled)
    }

    fn is_due(delivery: &Delivery, now: Timestamp) -> bool {
        delivery.shown.next_attempt_at.is_some_and(|at| at <= now)
    }
}

#[async_trait]
impl WebhookEndpointStore for InMemoryWebhookStore {
    async fn create(&self, endpoint: &NewEndpoint, max_of_merchant: usize) -> Result<bool> {
        let events = self.payments.events_after(0, None, usize::MAX - 1).await.unwrap();
        let mut state = self.state.lock().unwrap();
        let of_merchant = |other: &&WebhookEndpoint| other.merchant_id == endpoint.merchant_id;
        if state.endpoints.values().filter(of_merchant).count() >= max_of_merchant {
            return Ok(false);
        }
        let made = WebhookEndpoint {
            id: endpoint.id.clone(),
            merchant_id: endpoint.merchant_id.clone(),
            url: endpoint.url.clone(),
            events: endpoint.events.clone(),
            status: EndpointStatus::Enabled,
            secret: endpoint.secret.clone(),
            previous_secret: None,
            starts_after: events.items.last().map_or(0, |event| event.position),
            failing_since: None,
            created_at: endpoint.created_at,
        };
        state.endpoints.insert(made.id.clone(), made);
        Ok(true)
    }

    async fn find(&self, id: &WebhookEndpointId) -> Result<Option<WebhookEndpoint>> {
        Ok(self.state.lock().unwrap().endpoints.get(id).cloned())
    }

    async fn list(
        &self,
        merchant: Option<&MerchantId>,
        after: Option<&WebhookEndpointId>,
        limit: usize,
    ) -> Result<Page<WebhookEndpoint>> {
        let state = self.state.lock().unwrap();
        let wanted = |endpoint: &&WebhookEndpoint| {
            merchant.is_none_or(|merchant| *merchant == endpoint.merchant_id)
                && after.is_none_or(|after| endpoint.id > *after)
        };
        let found = state.endpoints.values().filter(wanted).cloned();
        Ok(page(found.take(limit + 1).collect(), limit))
    }

    async fn change(
        &self,
        id: &WebhookEndpointId,
        change: &EndpointChange,
    ) -> Result<Option<WebhookEndpoint>> {
        let mut state = self.state.lock().unwrap();
        let Some(endpoint) = state.endpoints.get_mut(id) else {
            return Ok(None);
        };
        let change = change.clone();
        endpoint.url = change.url.unwrap_or_else(|| endpoint.url.clone());
        endpoint.events = change.events.unwrap_or_else(|| endpoint.events.clone());
        match (change.enabled, endpoint.status) {
            (Some(true), EndpointStatus::Disabled(_)) => {
                endpoint.status = EndpointStatus::Enabled;
                endpoint.failing_since = None;
            }
            (Some(false), EndpointStatus::Enabled) => {
                endpoint.status = EndpointStatus::Disabled(DisabledReason::ByMerchant);
            }
            _ => {}
        }
        if let Some((secret, until)) = change.secret {
            let secret = std::mem::replace(&mut endpoint.secret, secret);
            endpoint.previous_secret = Some(PreviousSecret { secret, until });
        }
        Ok(Some(endpoint.clone()))
    }

    async fn delete(&self, id: &WebhookEndpointId, _now: Timestamp) -> Result<bool> {
        Ok(self.state.lock().unwrap().endpoints.remove(id).is_some())
    }
}

#[async_trait]
impl WebhookDeliveryStore for InMemoryWebhookStore {
    async fn position(&self) -> Result<u64> {
        Ok(self.state.lock().unwrap().position)
    }

    async fn enqueue(&self, from: u64, to: u64, deliveries: Vec<NewDelivery>) -> Result<Enqueued> {
        let mut state = self.state.lock().unwrap();
        if state.position != from {
            return Ok(Enqueued::PositionMoved);
        }
        state.position = to;
        for new in deliveries {
            let same = |old: &Delivery| {
                old.shown.endpoint_id == new.endpoint_id && old.shown.event_id == new.event_id
            };
            if !state.endpoints.contains_key(&new.endpoint_id) || state.deliveries.iter().any(same) {
                continue;
            }
            state.made += 1;
            let shown = StoredDelivery {
                id: new.id,
                position: state.made,
                endpoint_id: new.endpoint_id,
                event_id: new.event_id,
                event_kind: new.event_kind,
                state: DeliveryState::Pending,
                next_attempt_at: Some(new.created_at),
                attempts_made: 0,
                attempts: Vec::new(),
                created_at: new.created_at,
            };
            state.deliveries.push(Delivery {
                shown,
                body: new.body,
                tries: 0,
                claim: 0,
                claimed_until: Timestamp::from_unix_millis(0),
                ended_at: None,
            });
        }
        Ok(Enqueued::Yes)
    }

    async fn endpoints_due(
        &self,
        now: Timestamp,
        after: Option<&WebhookEndpointId>,
        limit: usize,
    ) -> Result<Vec<WebhookEndpointId>> {
        let state = self.state.lock().unwrap();
        let has_due = |id: &&WebhookEndpointId| {
            let due =
                |delivery: &Delivery| delivery.shown.endpoint_id == **id && State::is_due(delivery, now);
            state.is_enabled(id) && after.is_none_or(|after| *id > after) && state.deliveries.iter().any(due)
        };
        Ok(state
            .endpoints
            .keys()
            .filter(has_due)
            .take(limit)
            .cloned()
            .collect())
    }

    async fn claim(
        &self,
        endpoint: &WebhookEndpointId,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Option<ClaimedDeliveries>> {
        let mut state = self.state.lock().unwrap();
        if !state.is_enabled(endpoint) {
            return Ok(None);
        }
        let found = state.endpoints[endpoint].clone();
        let of_endpoint = state.deliveries.iter_mut();
        let due = of_endpoint
            .filter(|delivery| delivery.shown.endpoint_id == *endpoint && State::is_due(delivery, now));
        let mut due: Vec<_> = due.collect();
        due.sort_by_key(|delivery| delivery.shown.next_attempt_at);
        let claim = |delivery: &mut Delivery| {
            delivery.claim += 1;
            delivery.claimed_until = until;
            delivery.shown.next_attempt_at = Some(until);
            ClaimedDelivery {
                id: delivery.shown.id.clone(),
                event_id: delivery.shown.event_id.clone(),
                body: delivery.body.clone(),
                tries: delivery.tries,
                claim: delivery.claim,
            }
        };
        Ok(Some(ClaimedDeliveries {
            endpoint: found,
            deliveries: due.into_iter().take(limit).map(claim).collect(),
        }))
    }

    async fn finish(&self, end: &AttemptEnd) -> Result<Option<DisabledReason>> {
        let mut state = self.state.lock().unwrap();
        let succeeded = end.next == AttemptNext::Succeeded;
        let counts = |delivery: &&mut Delivery| {
            delivery.shown.id == end.delivery_id
                && delivery.shown.state == DeliveryState::Pending
                && (succeeded || delivery.claim == end.claim)
        };
        let Some(delivery) = state.deliveries.iter_mut().find(counts) else {
            return Ok(None);
        };
        delivery.tries += 1;
        delivery.claimed_until = Timestamp::from_unix_millis(0);
        delivery.shown.attempts_made += 1;
        delivery.shown.attempts.push(end.attempt.clone());
        if delivery.shown.attempts.len() > StoredDelivery::MAX_ATTEMPTS_KEPT {
            delivery.shown.attempts.remove(0);
        }
        let (now_in, next) = match end.next {
            AttemptNext::Succeeded => (DeliveryState::Succeeded, None),
            AttemptNext::RetryAt(at) => (DeliveryState::Pending, Some(at)),
            AttemptNext::Failed => (DeliveryState::Failed, None),
        };
        delivery.shown.state = now_in;
        delivery.shown.next_attempt_at = next;
        delivery.ended_at = next.is_none().then_some(end.attempt.at);
        let endpoint = delivery.shown.endpoint_id.clone();
        let Some(endpoint) = state.endpoints.get_mut(&endpoint) else {
            return Ok(None);
        };
        if succeeded {
            endpoint.failing_since = None;
            return Ok(None);
        }
        let since = *endpoint.failing_since.get_or_insert(end.attempt.at);
        if endpoint.status != EndpointStatus::Enabled {
            return Ok(None);
        }
        let reason = match (end.gone, since <= end.disable_if_failing_since) {
            (true, _) => DisabledReason::Gone,
            (false, true) => DisabledReason::Failing,
            (false, false) => return Ok(None),
        };
        endpoint.status = EndpointStatus::Disabled(reason);
        Ok(Some(reason))
    }

    async fn replay(&self, id: &WebhookDeliveryId, now: Timestamp) -> Result<Replayed> {
        let mut state = self.state.lock().unwrap();
        let Some(place) = state
            .deliveries
            .iter()
            .position(|delivery| delivery.shown.id == *id)
        else {
            return Ok(Replayed::NotFound);
        };
        let endpoint = state.deliveries[place].shown.endpoint_id.clone();
        if !state.is_enabled(&endpoint) {
            return Ok(Replayed::EndpointDisabled);
        }
        let delivery = &mut state.deliveries[place];
        if delivery.shown.state == DeliveryState::Pending && delivery.claimed_until > now {
            return Ok(Replayed::InFlight);
        }
        delivery.shown.state = DeliveryState::Pending;
        delivery.shown.next_attempt_at = Some(now);
        delivery.ended_at = None;
        delivery.tries = 0;
        delivery.claim += 1;
        Ok(Replayed::Yes)
    }

    async fn find(&self, id: &WebhookDeliveryId) -> Result<Option<StoredDelivery>> {
        let state = self.state.lock().unwrap();
        let found = state.deliveries.iter().find(|delivery| delivery.shown.id == *id);
        Ok(found.map(|delivery| delivery.shown.clone()))
    }

    async fn list(
        &self,
        query: &DeliveryQuery,
        after: Option<DeliveryCursor>,
        limit: usize,
    ) -> Result<Page<StoredDelivery>> {
        let state = self.state.lock().unwrap();
        let shown = state.deliveries.iter().rev().map(|delivery| &delivery.shown);
        let wanted = |delivery: &&StoredDelivery| {
            delivery.endpoint_id == query.endpoint_id
                && query.state.is_none_or(|wanted| wanted == delivery.state)
                && after.is_none_or(|after| delivery.position < after.0)
        };
        Ok(page(
            shown.filter(wanted).take(limit + 1).cloned().collect(),
            limit,
        ))
    }

    async fn cancel_unwanted(&self, now: Timestamp, limit: usize) -> Result<usize> {
        let mut state = self.state.lock().unwrap();
        let unwanted: Vec<usize> = (0..state.deliveries.len())
            .filter(|place| {
                let delivery = &state.deliveries[*place];
                let enabled = state.is_enabled(&delivery.shown.endpoint_id);
                !enabled && delivery.shown.state == DeliveryState::Pending && delivery.claimed_until <= now
            })
            .take(limit)
            .collect();
        for place in &unwanted {
            let delivery = &mut state.deliveries[*place];
            delivery.shown.state = DeliveryState::Cancelled;
            delivery.shown.next_attempt_at = None;
            delivery.ended_at = Some(now);
        }
        Ok(unwanted.len())
    }

    async fn forget(&self, ended_before: Timestamp, limit: usize) -> Result<usize> {
        let mut state = self.state.lock().unwrap();
        let mut forgotten = 0;
        state.deliveries.retain(|delivery| {
            let old = delivery.ended_at.is_some_and(|at| at < ended_before) && forgotten < limit;
            forgotten += usize::from(old);
            !old
        });
        Ok(forgotten)
    }

    async fn count_pending(&self, at_most: usize) -> Result<usize> {
        let state = self.state.lock().unwrap();
        let pending = |delivery: &&Delivery| delivery.shown.state == DeliveryState::Pending;
        Ok(state.deliveries.iter().filter(pending).take(at_most).count())
    }
}

fn page<T>(mut items: Vec<T>, limit: usize) -> Page<T> {
    let has_more = items.len() > limit;
    items.truncate(limit);
    Page { items, has_more }
}
