//! What an event log owes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use application::ports::StoredEvent;
use domain::payment::{PaymentEventKind, PaymentStatus};
use domain::risk::Outcome;
use domain::{Payment, PaymentId};
use tokio::task::JoinSet;

use super::store::{Store, all_events, save, succeeded};
use crate::builders::{after, cny, merchant_id, operation_id, payment, payment_details};

/// How many tasks write at the same time, and how many payments each.
const WRITERS: usize = 16;
const PAYMENTS_PER_WRITER: usize = 24;

fn kinds(events: &[StoredEvent]) -> Vec<PaymentEventKind> {
    events.iter().map(|event| event.event.kind).collect()
}

/// A payment of a merchant, held for review: one event.
fn held(id: &str, merchant: &str) -> Payment {
    let details = payment_details().complete().merchant(merchant).build();
    payment().id(id).details(details).decided(Outcome::Review).build()
}

/// Nothing is made up.
pub async fn a_log_without_events_is_empty(store: Store) {
    assert_eq!(all_events(&store).await, []);
    assert_eq!(store.events_after(u64::MAX, None, 10).await.unwrap().items, []);
}

/// With what the payment was like then, and not with what became of it.
pub async fn an_event_is_told_as_it_happened(store: Store) {
    let details = payment_details().complete().amount(cny(100)).build();
    let mut stored = payment().details(details).answered("op_1", succeeded("ref_1"));
    let happened = stored.events().to_vec();
    store.save(&mut stored).await.unwrap();
    for (id, amount) in [("op_2", 60), ("op_3", 30)] {
        let id = operation_id(id);
        stored
            .begin_capture(id.clone(), Some(cny(amount)), after(1))
            .unwrap();
        stored
            .finish_operation(&id, succeeded("ref_2"), after(2))
            .unwrap();
        store.save(&mut stored).await.unwrap();
    }
    let id = operation_id("op_4");
    stored.begin_refund(id.clone(), Some(cny(40)), after(3)).unwrap();
    stored
        .finish_operation(&id, succeeded("ref_3"), after(4))
        .unwrap();
    store.save(&mut stored).await.unwrap();
    let events = all_events(&store).await;
    let authorized = events.first().unwrap();
    assert_eq!(happened.as_slice(), std::slice::from_ref(&authorized.event));
    assert_eq!(authorized.payment_id, *stored.id());
    assert_eq!(authorized.merchant_id, stored.record().details.merchant_id);
    assert_eq!(authorized.status, PaymentStatus::Authorized);
    assert!(authorized.id.starts_with("evt_"), "{}", authorized.id);
    let amounts: Vec<_> = events
        .iter()
        .map(|event| {
            (
                event.amount,
                event.captured_minor_units,
                event.refunded_minor_units,
            )
        })
        .collect();
    assert_eq!(
        amounts,
        [
            (cny(100), 0, 0),
            (cny(100), 60, 0),
            (cny(100), 90, 0),
            (cny(100), 90, 40)
        ]
    );
    let refunded = events.last().unwrap();
    assert_eq!(refunded.event.operation, Some(id));
    assert_eq!(refunded.event.occurred_at, after(4));
    assert_eq!(
        kinds(&events),
        [
            PaymentEventKind::Authorized,
            PaymentEventKind::Captured,
            PaymentEventKind::Captured,
            PaymentEventKind::Refunded
        ]
    );
}

/// What is only written down concerns nobody.
pub async fn a_save_without_events_adds_none(store: Store) {
    let mut stored = payment().sent("op_1");
    store.save(&mut stored).await.unwrap();
    store.save(&mut stored).await.unwrap();
    assert_eq!(all_events(&store).await, []);
}

/// The save takes it out of the payment, so the next one does not write it again.
pub async fn an_event_is_told_once(store: Store) {
    let mut stored = held("pay_1", "m_1");
    for _ in 0..3 {
        store.save(&mut stored).await.unwrap();
        assert_eq!(stored.events(), []);
        assert_eq!(
            kinds(&all_events(&store).await),
            [PaymentEventKind::HeldForReview]
        );
    }
    assert_eq!(all_events(&store).await, all_events(&store).await);
}

/// Nor does the payment lose it, so that it is written when the payment is.
pub async fn a_refused_save_adds_no_event(store: Store) {
    let stored = save(&store, held("pay_1", "m_1")).await;
    let mut taken = held("pay_1", "m_1");
    store.save(&mut taken).await.unwrap_err();
    assert_eq!(taken.events().len(), 1);
    let mut stale = stored.clone();
    stale.stored_as(9);
    stale.cancel(after(1)).unwrap();
    store.save(&mut stale).await.unwrap_err();
    assert_eq!(stale.events().len(), 1);
    assert_eq!(all_events(&store).await.len(), 1);
}

/// Also those of one save; and no two have one name or one position.
pub async fn events_of_a_payment_come_in_their_order(store: Store) {
    let mut several = held("pay_2", "m_1");
    several.cancel(after(1)).unwrap();
    assert_eq!(several.events().len(), 2);
    save(&store, several).await;
    let mut stored = save(&store, held("pay_1", "m_1")).await;
    stored.cancel(after(1)).unwrap();
    store.save(&mut stored).await.unwrap();
    let events = all_events(&store).await;
    assert_eq!(
        kinds(&events),
        [
            PaymentEventKind::HeldForReview,
            PaymentEventKind::Voided,
            PaymentEventKind::HeldForReview,
            PaymentEventKind::Voided
        ]
    );
    assert!(events.is_sorted_by(|one, next| one.position < next.position));
    assert!(events.iter().all(|event| event.position > 0));
    let names: BTreeSet<&str> = events.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(names.len(), events.len());
}

/// And all of them where no merchant is named.
pub async fn events_of_one_merchant_alone(store: Store) {
    for number in 0..6 {
        save(
            &store,
            held(&format!("pay_{number}"), &format!("m_{}", number % 2)),
        )
        .await;
    }
    assert_eq!(all_events(&store).await.len(), 6);
    let merchant = merchant_id("m_1");
    let page = store.events_after(0, Some(&merchant), 2).await.unwrap();
    assert!(page.has_more);
    let last = page.items.last().unwrap().position;
    let rest = store.events_after(last, Some(&merchant), 2).await.unwrap();
    assert!(!rest.has_more);
    let told: Vec<_> = page.items.iter().chain(&rest.items).collect();
    assert!(told.iter().all(|event| event.merchant_id == merchant));
    let payments: Vec<&str> = told.iter().map(|event| event.payment_id.as_str()).collect();
    assert_eq!(payments, ["pay_1", "pay_3", "pay_5"]);
    let nobody = merchant_id("m_9");
    assert_eq!(store.events_after(0, Some(&nobody), 2).await.unwrap().items, []);
}

/// To the last one, and from there on to what comes.
pub async fn pages_go_on_behind_a_position(store: Store) {
    for number in 0..7 {
        save(&store, held(&format!("pay_{number}"), "m_1")).await;
    }
    let all = all_events(&store).await;
    let mut told = Vec::new();
    for (events, has_more) in [(3, true), (3, true), (1, false), (0, false)] {
        let position = told.last().map_or(0, |event: &StoredEvent| event.position);
        let page = store.events_after(position, None, 3).await.unwrap();
        assert_eq!((page.items.len(), page.has_more), (events, has_more));
        told.extend(page.items);
    }
    assert_eq!(told, all);
    save(&store, held("pay_7", "m_1")).await;
    let last = told.last().unwrap().position;
    let page = store.events_after(last, None, 3).await.unwrap();
    assert_eq!(page.items.len(), 1);
}

/// Two readers who go on from the last event they saw see every event once, in one order, while many payments are saved, each
/// twice.
pub async fn nothing_is_skipped_while_others_write(store: Store) {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            for number in 0..PAYMENTS_PER_WRITER {
                let mut stored = save(&store, held(&format!("pay_{writer}_{number}"), "m_1")).await;
                stored.cancel(after(1)).unwrap();
                store.save(&mut stored).await.unwrap();
            }
        });
    }
    let mut readers = JoinSet::new();
    for _ in 0..2 {
        let store = Arc::clone(&store);
        readers.spawn(async move {
            let mut told: Vec<StoredEvent> = Vec::new();
            while told.len() < 2 * WRITERS * PAYMENTS_PER_WRITER {
                let position = told.last().map_or(0, |event| event.position);
                told.extend(store.events_after(position, None, 50).await.unwrap().items);
                tokio::task::yield_now().await;
            }
            told
        });
    }
    writers.join_all().await;
    let told = readers.join_all().await;
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0], all_events(&store).await);
    let mut of_payment: HashMap<PaymentId, Vec<PaymentEventKind>> = HashMap::new();
    for event in &told[0] {
        of_payment
            .entry(event.payment_id.clone())
            .or_default()
            .push(event.event.kind);
    }
    assert_eq!(of_payment.len(), WRITERS * PAYMENTS_PER_WRITER);
    let wanted = [PaymentEventKind::HeldForReview, PaymentEventKind::Voided];
    assert!(of_payment.values().all(|kinds| *kinds == wanted));
}
