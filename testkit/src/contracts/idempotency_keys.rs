//! What a payment repository owes about idempotency keys.

use application::ports::{
    IdempotencyKey, KeyEntry, KeyWrite, RepositoryError, RequestDigest, StoredAnswer, StoredEvent,
};
use domain::Payment;
use domain::risk::Outcome;
use tokio::task::JoinSet;

use super::store::{CROWD, Store, all_events, found, succeeded};
use crate::builders::{NOW, after, merchant_id, operation_id, payment, payment_id};

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).unwrap()
}

/// A claim that has no answer yet.
fn claim_of(name: &str, payment: &Payment) -> KeyEntry {
    let operation = payment.open_operation();
    KeyEntry {
        tenant: payment.record().details.merchant_id.clone(),
        key: key(name),
        digest: RequestDigest([7; 32]),
        payment_id: payment.id().clone(),
        operation_id: operation.map(|operation| operation.id.clone()),
        claimed_until: after(25),
        answer: None,
        created_at: NOW,
    }
}

fn answered(mut entry: KeyEntry, body: &[u8]) -> KeyEntry {
    entry.claimed_until = after(1);
    entry.answer = Some(StoredAnswer {
        status: 201,
        body: body.to_vec(),
    });
    entry
}

async fn find(store: &Store, entry: &KeyEntry) -> Option<KeyEntry> {
    store.find_key(&entry.tenant, &entry.key).await.unwrap()
}

/// A payment that is sent under a claimed key.
async fn claimed(store: &Store, name: &str) -> (Payment, KeyEntry) {
    let mut stored = payment().sent("op_1");
    let entry = claim_of(name, &stored);
    let claim = Some(KeyWrite::Claim(&entry));
    store.save_with_key(&mut stored, claim).await.unwrap();
    (stored, entry)
}

/// All that a refused save must leave as it was.
async fn snapshot(store: &Store, entry: &KeyEntry) -> (Option<KeyEntry>, Option<Payment>, Vec<StoredEvent>) {
    let first = store.find(&payment_id("pay_1")).await.unwrap();
    (find(store, entry).await, first, all_events(store).await)
}

/// Nothing is made up.
pub async fn a_key_that_was_never_claimed_is_not_found(store: Store) {
    let (_, entry) = claimed(&store, "one").await;
    let other = store.find_key(&entry.tenant, &key("other")).await.unwrap();
    assert_eq!(other, None);
    let elsewhere = store.find_key(&merchant_id("m_other"), &entry.key).await.unwrap();
    assert_eq!(elsewhere, None);
}

/// Every field, with a name of the longest kind and of any script.
pub async fn a_claimed_key_is_found_with_all_that_was_written(store: Store) {
    for (number, name) in ["a", "ключ 1/ü'\"\\%", &"k".repeat(255)].into_iter().enumerate() {
        let mut stored = payment()
            .id(&format!("pay_{number}"))
            .sent(&format!("op_{number}"));
        let mut entry = claim_of(name, &stored);
        entry.digest = RequestDigest(std::array::from_fn(|index| u8::try_from(index * 8).unwrap()));
        let claim = Some(KeyWrite::Claim(&entry));
        store.save_with_key(&mut stored, claim).await.unwrap();
        assert_eq!(found(&store, &stored).await, stored);
        assert_eq!(find(&store, &entry).await, Some(entry));
    }
    let mut waiting = payment().id("pay_9").decided(Outcome::Review).build();
    let entry = claim_of("without an operation", &waiting);
    assert_eq!(entry.operation_id, None);
    let claim = Some(KeyWrite::Claim(&entry));
    store.save_with_key(&mut waiting, claim).await.unwrap();
    assert_eq!(find(&store, &entry).await, Some(entry));
}

/// In the save that stores how the payment ended.
pub async fn an_update_gives_the_key_its_answer(store: Store) {
    let (mut stored, entry) = claimed(&store, "one").await;
    // First again without an answer, as after an interruption.
    let mut again = entry.clone();
    again.claimed_until = after(50);
    again.operation_id = Some(operation_id("op_2"));
    let update = Some(KeyWrite::Update(&again));
    store.save_with_key(&mut stored, update).await.unwrap();
    assert_eq!(find(&store, &entry).await.as_ref(), Some(&again));
    stored
        .finish_operation(&operation_id("op_1"), succeeded("ref_1"), after(1))
        .unwrap();
    let entry = answered(again, b"{\"status\":\"authorized\"}");
    let update = Some(KeyWrite::Update(&entry));
    store.save_with_key(&mut stored, update).await.unwrap();
    assert_eq!(found(&store, &stored).await, stored);
    assert_eq!(find(&store, &entry).await, Some(entry));
}

/// Empty, every byte there is, and as long as an answer can be; also where the key is claimed with its answer.
pub async fn an_answer_of_any_bytes_comes_back(store: Store) {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let long = vec![0xff; 256 * 1024];
    for (number, body) in [&[][..], &[0], &every_byte, &long].into_iter().enumerate() {
        let mut stored = payment()
            .id(&format!("pay_{number}"))
            .decided(Outcome::Decline)
            .build();
        let entry = answered(claim_of(&format!("key {number}"), &stored), body);
        let claim = Some(KeyWrite::Claim(&entry));
        store.save_with_key(&mut stored, claim).await.unwrap();
        assert_eq!(find(&store, &entry).await, Some(entry));
    }
}

/// They never meet.
pub async fn two_merchants_may_use_one_key(store: Store) {
    let (_, first) = claimed(&store, "one").await;
    let details = crate::builders::payment_details()
        .complete()
        .merchant("m_other")
        .build();
    let mut stored = payment().id("pay_2").details(details).sent("op_2");
    let second = claim_of("one", &stored);
    let claim = Some(KeyWrite::Claim(&second));
    store.save_with_key(&mut stored, claim).await.unwrap();
    assert_eq!(find(&store, &first).await, Some(first));
    assert_eq!(find(&store, &second).await, Some(second));
}

async fn is_refused(store: &Store, refused: &mut Payment, write: KeyWrite<'_>) {
    let (before, version) = (snapshot(store, write.entry()).await, refused.record().version);
    let events = refused.events().to_vec();
    let error = store.save_with_key(refused, Some(write)).await.unwrap_err();
    assert!(matches!(error, RepositoryError::KeyTaken), "{error}");
    assert_eq!(refused.record().version, version);
    assert_eq!(refused.events(), events);
    assert_eq!(snapshot(store, write.entry()).await, before);
}

/// By a payment that is new and by one that is not.
pub async fn a_key_that_is_taken_refuses_and_nothing_is_written(store: Store) {
    let (mut stored, entry) = claimed(&store, "one").await;
    let mut other = payment().id("pay_2").decided(Outcome::Review).build();
    let claim = claim_of("one", &other);
    is_refused(&store, &mut other, KeyWrite::Claim(&claim)).await;
    assert_eq!(store.find(other.id()).await.unwrap(), None);
    stored
        .finish_operation(&operation_id("op_1"), succeeded("ref_1"), after(1))
        .unwrap();
    is_refused(&store, &mut stored, KeyWrite::Claim(&answered(entry, b"{}"))).await;
}

/// As where it was forgotten meanwhile.
pub async fn an_update_of_a_key_that_is_not_there_refuses_and_nothing_is_written(store: Store) {
    let (mut stored, entry) = claimed(&store, "one").await;
    stored
        .finish_operation(&operation_id("op_1"), succeeded("ref_1"), after(1))
        .unwrap();
    let mut lost = answered(entry, b"{}");
    lost.key = key("lost");
    is_refused(&store, &mut stored, KeyWrite::Update(&lost)).await;
    let mut new = payment().id("pay_2").decided(Outcome::Review).build();
    is_refused(&store, &mut new, KeyWrite::Update(&lost)).await;
    assert_eq!(store.find(new.id()).await.unwrap(), None);
}

/// An answer that was given is not taken back.
pub async fn an_update_of_an_answered_key_refuses_and_nothing_is_written(store: Store) {
    let (mut stored, entry) = claimed(&store, "one").await;
    let first = answered(entry, b"first");
    let update = Some(KeyWrite::Update(&first));
    store.save_with_key(&mut stored, update).await.unwrap();
    stored
        .finish_operation(&operation_id("op_1"), succeeded("ref_1"), after(1))
        .unwrap();
    let second = answered(first.clone(), b"second");
    is_refused(&store, &mut stored, KeyWrite::Update(&second)).await;
    assert_eq!(find(&store, &first).await, Some(first));
}

/// The key can be claimed by another payment then.
pub async fn a_refused_payment_leaves_its_key_unclaimed(store: Store) {
    let (stored, _) = claimed(&store, "one").await;
    let mut taken = payment().build();
    let entry = claim_of("two", &taken);
    let claim = Some(KeyWrite::Claim(&entry));
    let error = store.save_with_key(&mut taken, claim).await.unwrap_err();
    assert!(matches!(error, RepositoryError::AlreadyExists { .. }), "{error}");
    let mut stale = stored.clone();
    stale.stored_as(9);
    let error = store.save_with_key(&mut stale, claim).await.unwrap_err();
    assert!(matches!(error, RepositoryError::Conflict { .. }), "{error}");
    assert_eq!(find(&store, &entry).await, None);
    assert_eq!(found(&store, &stored).await, stored);
}

/// So that whoever wins may answer it.
pub async fn a_refused_update_leaves_its_key_unanswered(store: Store) {
    let (stored, entry) = claimed(&store, "one").await;
    let mut stale = stored.clone();
    stale.stored_as(9);
    let answer = answered(entry.clone(), b"stale");
    let update = Some(KeyWrite::Update(&answer));
    let error = store.save_with_key(&mut stale, update).await.unwrap_err();
    assert!(matches!(error, RepositoryError::Conflict { .. }), "{error}");
    assert_eq!(find(&store, &entry).await, Some(entry));
}

async fn claim_at_once(store: &Store, payments: Vec<(Payment, KeyEntry)>) -> Vec<(Payment, bool)> {
    let mut saves = JoinSet::new();
    for (mut payment, entry) in payments {
        let store = std::sync::Arc::clone(store);
        saves.spawn(async move {
            let claim = Some(KeyWrite::Claim(&entry));
            let saved = store.save_with_key(&mut payment, claim).await;
            let refused = matches!(saved, Err(RepositoryError::KeyTaken));
            assert!(saved.is_ok() || refused, "{saved:?}");
            (payment, saved.is_ok())
        });
    }
    saves.join_all().await
}

/// And of the payments that came under it only the winner's is there.
pub async fn of_many_claims_of_one_key_one_wins(store: Store) {
    let payments = (0..CROWD).map(|number| {
        let payment = payment()
            .id(&format!("pay_{number}"))
            .sent(&format!("op_{number}"));
        let entry = claim_of("one", &payment);
        (payment, entry)
    });
    let ended = claim_at_once(&store, payments.collect()).await;
    assert_eq!(ended.iter().filter(|(_, won)| *won).count(), 1);
    for (payment, won) in &ended {
        let stored = store.find(payment.id()).await.unwrap();
        assert_eq!(stored.is_some(), *won, "{}", payment.id());
        if *won {
            let entry = claim_of("one", payment);
            assert_eq!(find(&store, &entry).await, Some(entry));
        }
    }
}

/// Also where an adapter writes several payments at once.
pub async fn a_claim_that_lost_does_not_undo_its_neighbours(store: Store) {
    let payments = (0..CROWD).map(|number| {
        let payment = payment()
            .id(&format!("pay_{number}"))
            .sent(&format!("op_{number}"));
        let name = if number % 2 == 0 {
            "one".to_owned()
        } else {
            format!("key {number}")
        };
        let entry = claim_of(&name, &payment);
        (payment, entry)
    });
    let ended = claim_at_once(&store, payments.collect()).await;
    assert_eq!(ended.iter().filter(|(_, won)| *won).count(), CROWD / 2 + 1);
    for (payment, won) in &ended {
        assert_eq!(store.find(payment.id()).await.unwrap().is_some(), *won);
    }
}

/// Also where an adapter looks several up at once; a key that nobody claimed among them is still unknown.
pub async fn keys_that_are_asked_for_at_once_are_each_found_as_they_are(store: Store) {
    let mut kept = Vec::new();
    for number in 0..CROWD {
        let mut stored = payment()
            .id(&format!("pay_{number}"))
            .sent(&format!("op_{number}"));
        let mut entry = claim_of(&format!("key {number}"), &stored);
        if number % 3 == 0 {
            entry = answered(entry, format!("answer {number}").as_bytes());
        }
        if number % 2 == 0 {
            let claim = Some(KeyWrite::Claim(&entry));
            store.save_with_key(&mut stored, claim).await.unwrap();
        }
        kept.push((entry, number % 2 == 0));
    }
    let mut lookups = JoinSet::new();
    for (entry, is_kept) in kept {
        let store = std::sync::Arc::clone(&store);
        lookups.spawn(async move {
            let found = find(&store, &entry).await;
            assert_eq!(found, is_kept.then_some(entry));
        });
    }
    assert_eq!(lookups.join_all().await.len(), CROWD);
}
