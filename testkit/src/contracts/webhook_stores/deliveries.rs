//! What a store of webhook deliveries owes.

use application::ports::{
    AttemptNext, DeliveryCursor, DeliveryQuery, DeliveryState, DisabledReason, EndpointChange,
    EndpointStatus, Enqueued, Replayed,
};
use domain::{Timestamp, WebhookDeliveryId};
use tokio::task::JoinSet;

use super::{FOREVER, WebhookStores, claimed, created, end, enqueued, id, new_delivery, shown};
use crate::builders::{NOW, after};

/// Several gateways hand the same events out; one of them does.
pub async fn of_many_who_move_the_position_one_does(stores: WebhookStores) {
    created(&stores, "we_1").await;
    let mut moving = JoinSet::new();
    for _ in 0..8 {
        let stores = stores.clone();
        moving.spawn(async move {
            let made = vec![new_delivery("we_1", 1)];
            stores.deliveries.enqueue(0, 5, made).await.unwrap()
        });
    }
    let moved = moving
        .join_all()
        .await
        .into_iter()
        .filter(|enqueued| *enqueued == Enqueued::Yes);
    assert_eq!(moved.count(), 1);
    assert_eq!(stores.deliveries.position().await.unwrap(), 5);
    assert_eq!(stores.deliveries.count_pending(9).await.unwrap(), 1);
}

/// Whatever names the deliveries have.
pub async fn an_event_goes_to_an_endpoint_once(stores: WebhookStores) {
    created(&stores, "we_1").await;
    let mut again = new_delivery("we_1", 1);
    again.id = WebhookDeliveryId::parse("whd_other").unwrap();
    let made = vec![new_delivery("we_1", 1), again, new_delivery("we_2", 1)];
    stores.deliveries.enqueue(0, 1, made).await.unwrap();
    assert_eq!(stores.deliveries.count_pending(9).await.unwrap(), 1);
}

/// Until the claim lapses.
pub async fn of_many_who_claim_each_gets_others(stores: WebhookStores) {
    created(&stores, "we_1").await;
    enqueued(&stores, "we_1", 10).await;
    let mut claiming = JoinSet::new();
    for _ in 0..8 {
        let stores = stores.clone();
        claiming.spawn(async move { claimed(&stores, "we_1", NOW, 3).await });
    }
    let mut names: Vec<_> = claiming
        .join_all()
        .await
        .into_iter()
        .flatten()
        .map(|one| one.id)
        .collect();
    assert_eq!(names.len(), 10);
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 10);
    assert!(
        stores
            .deliveries
            .endpoints_due(NOW, None, 9)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(claimed(&stores, "we_1", after(120_000), 99).await.len(), 10);
}

/// With the bytes that it was made with, from the first attempt to the last.
pub async fn a_delivery_keeps_its_body_and_its_attempts(stores: WebhookStores) {
    created(&stores, "we_1").await;
    enqueued(&stores, "we_1", 1).await;
    let mut now = NOW;
    for tries in 0..3 {
        let [delivery] = &claimed(&stores, "we_1", now, 9).await[..] else {
            panic!()
        };
        assert_eq!(
            (delivery.tries, delivery.body.as_slice()),
            (tries, &b"{\"number\":1}"[..])
        );
        let next = Timestamp::from_unix_millis(now.unix_millis() + 5_000);
        let end = end(delivery, now, AttemptNext::RetryAt(next));
        assert_eq!(stores.deliveries.finish(&end).await.unwrap(), None);
        assert!(claimed(&stores, "we_1", now, 9).await.is_empty());
        now = next;
    }
    let [delivery] = &claimed(&stores, "we_1", now, 9).await[..] else {
        panic!()
    };
    stores
        .deliveries
        .finish(&end(delivery, now, AttemptNext::Succeeded))
        .await
        .unwrap();
    let shown = shown(&stores, &delivery.id).await;
    assert_eq!(
        (shown.state, shown.next_attempt_at),
        (DeliveryState::Succeeded, None)
    );
    let statuses: Vec<_> = shown.attempts.iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [Some(500), Some(500), Some(500), Some(204)]);
    assert!(claimed(&stores, "we_1", FOREVER, 9).await.is_empty());
}

/// The other one has it now. That it got through is believed of both.
pub async fn only_a_success_counts_under_a_lapsed_claim(stores: WebhookStores) {
    created(&stores, "we_1").await;
    enqueued(&stores, "we_1", 1).await;
    let late = claimed(&stores, "we_1", NOW, 9).await.remove(0);
    let second = claimed(&stores, "we_1", after(120_000), 9).await.remove(0);
    assert_ne!(late.claim, second.claim);
    stores
        .deliveries
        .finish(&end(&late, NOW, AttemptNext::Failed))
        .await
        .unwrap();
    assert_eq!(shown(&stores, &late.id).await.state, DeliveryState::Pending);
    stores
        .deliveries
        .finish(&end(&late, NOW, AttemptNext::Succeeded))
        .await
        .unwrap();
    stores
        .deliveries
        .finish(&end(&second, NOW, AttemptNext::Failed))
        .await
        .unwrap();
    let shown = shown(&stores, &late.id).await;
    assert_eq!((shown.state, shown.attempts_made), (DeliveryState::Succeeded, 1));
}

/// Since the first failure behind the last success.
pub async fn an_endpoint_that_nothing_reaches_for_long_is_disabled(stores: WebhookStores) {
    created(&stores, "we_1").await;
    enqueued(&stores, "we_1", 3).await;
    let taken = claimed(&stores, "we_1", NOW, 9).await;
    let mut failed = end(&taken[0], NOW, AttemptNext::Failed);
    assert_eq!(stores.deliveries.finish(&failed).await.unwrap(), None);
    let found = stores.endpoints.find(&id("we_1")).await.unwrap().unwrap();
    assert_eq!(found.failing_since, Some(NOW));
    failed = end(&taken[1], after(9), AttemptNext::Failed);
    failed.disable_if_failing_since = NOW;
    let reason = stores.deliveries.finish(&failed).await.unwrap();
    assert_eq!(reason, Some(DisabledReason::Failing));
    let enable = EndpointChange {
        enabled: Some(true),
        ..EndpointChange::default()
    };
    let enabled = stores
        .endpoints
        .change(&id("we_1"), &enable)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (enabled.status, enabled.failing_since),
        (EndpointStatus::Enabled, None)
    );
    let mut gone = end(&taken[2], after(9), AttemptNext::Failed);
    gone.gone = true;
    assert_eq!(
        stores.deliveries.finish(&gone).await.unwrap(),
        Some(DisabledReason::Gone)
    );
}

/// It keeps its reason, and says since when nothing reaches it, until something does.
pub async fn an_attempt_that_ends_behind_the_disabling_disables_nothing(stores: WebhookStores) {
    created(&stores, "we_1").await;
    enqueued(&stores, "we_1", 2).await;
    let taken = claimed(&stores, "we_1", NOW, 9).await;
    let disable = EndpointChange {
        enabled: Some(false),
        ..EndpointChange::default()
    };
    stores.endpoints.change(&id("we_1"), &disable).await.unwrap();
    let mut gone = end(&taken[0], after(9), AttemptNext::Failed);
    gone.gone = true;
    assert_eq!(stores.deliveries.finish(&gone).await.unwrap(), None);
    let found = stores.endpoints.find(&id("we_1")).await.unwrap().unwrap();
    assert_eq!(
        (found.status, found.failing_since),
        (
            EndpointStatus::Disabled(DisabledReason::ByMerchant),
            Some(after(9))
        )
    );
    let reached = end(&taken[1], after(9), AttemptNext::Succeeded);
    assert_eq!(stores.deliveries.finish(&reached).await.unwrap(), None);
    let found = stores.endpoints.find(&id("we_1")).await.unwrap().unwrap();
    assert_eq!(found.failing_since, None);
}

/// Whatever had come of it, unless it is being sent, or nothing is sent to its endpoint.
pub async fn a_replay_makes_a_delivery_due(stores: WebhookStores) {
    created(&stores, "we_1").await;
    enqueued(&stores, "we_1", 1).await;
    let delivery = claimed(&stores, "we_1", NOW, 9).await.remove(0);
    assert_eq!(
        stores.deliveries.replay(&delivery.id, NOW).await.unwrap(),
        Replayed::InFlight
    );
    stores
        .deliveries
        .finish(&end(&delivery, NOW, AttemptNext::Succeeded))
        .await
        .unwrap();
    assert_eq!(
        stores.deliveries.replay(&delivery.id, NOW).await.unwrap(),
        Replayed::Yes
    );
    let again = claimed(&stores, "we_1", NOW, 9).await.remove(0);
    assert_eq!((again.tries, &again.body), (0, &delivery.body));
    stores
        .deliveries
        .finish(&end(&again, NOW, AttemptNext::Failed))
        .await
        .unwrap();
    assert_eq!(shown(&stores, &delivery.id).await.attempts_made, 2);
    let disable = EndpointChange {
        enabled: Some(false),
        ..EndpointChange::default()
    };
    stores.endpoints.change(&id("we_1"), &disable).await.unwrap();
    let refused = stores.deliveries.replay(&delivery.id, NOW).await.unwrap();
    assert_eq!(refused, Replayed::EndpointDisabled);
    let unknown = WebhookDeliveryId::parse("whd_unknown").unwrap();
    assert_eq!(
        stores.deliveries.replay(&unknown, NOW).await.unwrap(),
        Replayed::NotFound
    );
}

/// Page by page, in one state or in any; and forgotten when they are old.
pub async fn deliveries_are_listed_and_forgotten(stores: WebhookStores) {
    created(&stores, "we_1").await;
    enqueued(&stores, "we_1", 5).await;
    for delivery in claimed(&stores, "we_1", NOW, 2).await {
        stores
            .deliveries
            .finish(&end(&delivery, NOW, AttemptNext::Failed))
            .await
            .unwrap();
    }
    let mut query = DeliveryQuery {
        endpoint_id: id("we_1"),
        state: None,
    };
    let page = stores.deliveries.list(&query, None, 3).await.unwrap();
    assert_eq!((page.items.len(), page.has_more), (3, true));
    assert!(
        page.items
            .is_sorted_by(|one, other| one.position > other.position)
    );
    let cursor = DeliveryCursor(page.items[2].position);
    let rest = stores.deliveries.list(&query, Some(cursor), 3).await.unwrap();
    assert_eq!((rest.items.len(), rest.has_more), (2, false));
    query.state = Some(DeliveryState::Failed);
    assert_eq!(
        stores.deliveries.list(&query, None, 9).await.unwrap().items.len(),
        2
    );
    assert_eq!(stores.deliveries.forget(NOW, 9).await.unwrap(), 0);
    assert_eq!(stores.deliveries.forget(after(1_000), 1).await.unwrap(), 1);
    assert_eq!(stores.deliveries.forget(after(1_000), 9).await.unwrap(), 1);
    assert_eq!(stores.deliveries.count_pending(9).await.unwrap(), 3);
}
