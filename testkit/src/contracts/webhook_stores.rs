//! What a store of webhook endpoints and deliveries owes.

mod deliveries;

use std::sync::Arc;

use application::ports::{
    AttemptEnd, AttemptNext, ClaimedDelivery, DeliveryAttempt, DisabledReason, EndpointChange,
    EndpointStatus, Enqueued, EventFilter, NewDelivery, NewEndpoint, PaymentRepository, StoredDelivery,
    WebhookDeliveryStore, WebhookEndpoint, WebhookEndpointStore, WebhookSecret, WebhookUrl,
};
use domain::payment::PaymentEventKind;
use domain::{MerchantId, Timestamp, WebhookDeliveryId, WebhookEndpointId};
use tokio::task::JoinSet;

use crate::builders::{NOW, after, payment};

pub use deliveries::{
    a_delivery_keeps_its_body_and_its_attempts, a_replay_makes_a_delivery_due,
    an_attempt_that_ends_behind_the_disabling_disables_nothing,
    an_endpoint_that_nothing_reaches_for_long_is_disabled, an_event_goes_to_an_endpoint_once,
    deliveries_are_listed_and_forgotten, of_many_who_claim_each_gets_others,
    of_many_who_move_the_position_one_does, only_a_success_counts_under_a_lapsed_claim,
};

/// A store, seen from every side.
#[derive(Clone)]
pub struct WebhookStores {
    /// Its endpoints.
    pub endpoints: Arc<dyn WebhookEndpointStore>,
    /// Its deliveries.
    pub deliveries: Arc<dyn WebhookDeliveryStore>,
    /// The payments whose events are told.
    pub payments: Arc<dyn PaymentRepository>,
}

const FOREVER: Timestamp = Timestamp::MAX;

fn id(name: &str) -> WebhookEndpointId {
    WebhookEndpointId::parse(name).unwrap()
}

fn new_endpoint(name: &str) -> NewEndpoint {
    NewEndpoint {
        id: id(name),
        merchant_id: MerchantId::parse("shop-1").unwrap(),
        url: WebhookUrl::allowed("https://shop.example/in"),
        events: EventFilter::Only(vec![PaymentEventKind::Captured, PaymentEventKind::Refunded]),
        secret: WebhookSecret::new([7; 32]),
        created_at: NOW,
    }
}

async fn created(stores: &WebhookStores, name: &str) -> WebhookEndpoint {
    assert!(stores.endpoints.create(&new_endpoint(name), 16).await.unwrap());
    stores.endpoints.find(&id(name)).await.unwrap().unwrap()
}

fn new_delivery(endpoint: &str, number: u64) -> NewDelivery {
    NewDelivery {
        id: WebhookDeliveryId::parse(&format!("whd_{endpoint}_{number}")).unwrap(),
        endpoint_id: id(endpoint),
        event_id: format!("evt_{number}"),
        event_kind: PaymentEventKind::Captured,
        body: format!("{{\"number\":{number}}}").into_bytes(),
        created_at: NOW,
    }
}

async fn enqueued(stores: &WebhookStores, endpoint: &str, count: u64) {
    let from = stores.deliveries.position().await.unwrap();
    let made = (1..=count)
        .map(|number| new_delivery(endpoint, from + number))
        .collect();
    let enqueued = stores.deliveries.enqueue(from, from + count, made).await.unwrap();
    assert_eq!(enqueued, Enqueued::Yes);
}

async fn claimed(
    stores: &WebhookStores,
    endpoint: &str,
    now: Timestamp,
    limit: usize,
) -> Vec<ClaimedDelivery> {
    let until = Timestamp::from_unix_millis(now.unix_millis() + 60_000);
    let claimed = stores
        .deliveries
        .claim(&id(endpoint), now, until, limit)
        .await
        .unwrap();
    claimed.map(|claimed| claimed.deliveries).unwrap_or_default()
}

fn end(delivery: &ClaimedDelivery, at: Timestamp, next: AttemptNext) -> AttemptEnd {
    let succeeded = next == AttemptNext::Succeeded;
    AttemptEnd {
        delivery_id: delivery.id.clone(),
        claim: delivery.claim,
        attempt: DeliveryAttempt {
            at,
            duration_ms: 12,
            status: Some(if succeeded { 204 } else { 500 }),
            error: (!succeeded).then(|| "answered with 500".to_owned()),
        },
        next,
        gone: false,
        disable_if_failing_since: Timestamp::from_unix_millis(0),
    }
}

async fn shown(stores: &WebhookStores, delivery: &WebhookDeliveryId) -> StoredDelivery {
    stores.deliveries.find(delivery).await.unwrap().unwrap()
}

/// With its secret and its filter.
pub async fn an_endpoint_is_found_as_it_was_made(stores: WebhookStores) {
    let made = created(&stores, "we_1").await;
    let new = new_endpoint("we_1");
    assert_eq!(
        (&made.id, &made.url, &made.events),
        (&new.id, &new.url, &new.events)
    );
    assert_eq!(
        (&made.secret, made.status),
        (&new.secret, EndpointStatus::Enabled)
    );
    assert_eq!(
        (made.previous_secret, made.failing_since, made.starts_after),
        (None, None, 0)
    );
    assert!(stores.endpoints.find(&id("we_2")).await.unwrap().is_none());
}

/// Also where many come at once.
pub async fn a_merchant_has_no_more_endpoints_than_he_may(stores: WebhookStores) {
    let mut creating = JoinSet::new();
    for number in 0..12 {
        let stores = stores.clone();
        creating.spawn(async move {
            let endpoint = new_endpoint(&format!("we_{number:02}"));
            stores.endpoints.create(&endpoint, 5).await.unwrap()
        });
    }
    let made = creating.join_all().await.into_iter().filter(|made| *made).count();
    assert_eq!(made, 5);
    let merchant = MerchantId::parse("shop-1").unwrap();
    let listed = stores.endpoints.list(Some(&merchant), None, 3).await.unwrap();
    assert_eq!((listed.items.len(), listed.has_more), (3, true));
    let rest = stores
        .endpoints
        .list(None, Some(&listed.items[2].id), 3)
        .await
        .unwrap();
    assert_eq!((rest.items.len(), rest.has_more), (2, false));
}

/// So that it gets what is stored behind that, and nothing twice.
pub async fn an_endpoint_starts_behind_the_last_event(stores: WebhookStores) {
    let mut declined = payment().decided(domain::risk::Outcome::Decline).build();
    stores.payments.save(&mut declined).await.unwrap();
    assert!(created(&stores, "we_1").await.starts_after > 0);
}

/// And nothing else.
pub async fn a_change_changes_what_it_says(stores: WebhookStores) {
    let before = created(&stores, "we_1").await;
    let change = EndpointChange {
        secret: Some((WebhookSecret::new([9; 32]), after(60))),
        ..EndpointChange::default()
    };
    let rotated = stores
        .endpoints
        .change(&before.id, &change)
        .await
        .unwrap()
        .unwrap();
    let signing: Vec<_> = rotated
        .signing_secrets(NOW)
        .map(|secret| secret.expose()[0])
        .collect();
    assert_eq!(signing, [9, 7]);
    assert_eq!(rotated.signing_secrets(FOREVER).count(), 1);
    assert_eq!((&rotated.url, &rotated.events), (&before.url, &before.events));
    let change = EndpointChange {
        events: Some(EventFilter::All),
        enabled: Some(false),
        ..EndpointChange::default()
    };
    let changed = stores
        .endpoints
        .change(&before.id, &change)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        changed.status,
        EndpointStatus::Disabled(DisabledReason::ByMerchant)
    );
    assert_eq!(
        (changed.events, changed.secret),
        (EventFilter::All, rotated.secret)
    );
    assert!(
        stores
            .endpoints
            .change(&id("we_2"), &change)
            .await
            .unwrap()
            .is_none()
    );
}

/// Not found, not listed, not sent to; what was to be sent is cancelled.
pub async fn a_deleted_endpoint_is_gone(stores: WebhookStores) {
    created(&stores, "we_1").await;
    enqueued(&stores, "we_1", 2).await;
    assert!(stores.endpoints.delete(&id("we_1"), NOW).await.unwrap());
    assert!(!stores.endpoints.delete(&id("we_1"), NOW).await.unwrap());
    assert!(stores.endpoints.find(&id("we_1")).await.unwrap().is_none());
    assert!(
        stores
            .endpoints
            .list(None, None, 9)
            .await
            .unwrap()
            .items
            .is_empty()
    );
    assert!(
        stores
            .deliveries
            .endpoints_due(FOREVER, None, 9)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(claimed(&stores, "we_1", NOW, 9).await.is_empty());
    assert_eq!(stores.deliveries.cancel_unwanted(after(1), 1).await.unwrap(), 1);
    assert_eq!(stores.deliveries.cancel_unwanted(after(1), 9).await.unwrap(), 1);
    assert_eq!(stores.deliveries.count_pending(9).await.unwrap(), 0);
}
