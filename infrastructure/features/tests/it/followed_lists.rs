//! Lists that are kept in a store, and found by payments.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{FeatureStore, ListStore, Removed};
use domain::feature::{FeatureSpec, FeatureValue, Subject};
use domain::{ListAuthor, ListItem, ListName, ListedValue, Timestamp};
use portcullis_features::{Config, FollowedLists, MemoryFeatureStore, SubjectLists};
use testkit::builders::{OwnedRiskRequest, after, payment_details, risk_request};
use testkit::fakes::{InMemoryListStore, SettableClock};
use tokio::sync::oneshot;

use crate::value;

/// One of several gateways that share a list store.
struct Gateway {
    lists: Arc<FollowedLists>,
    features: MemoryFeatureStore,
}

impl Gateway {
    fn of(store: &Arc<InMemoryListStore>) -> Self {
        let lists = Arc::new(SubjectLists::default());
        let store: Arc<dyn ListStore> = Arc::clone(store) as _;
        let clock = Arc::new(SettableClock::default());
        Self {
            features: MemoryFeatureStore::with_lists(&Config::default(), Arc::clone(&lists)),
            lists: Arc::new(FollowedLists::new(store, lists, clock)),
        }
    }

    async fn listed(&self, seconds: u64) -> FeatureValue {
        let listed = FeatureSpec::Listed {
            list: "blocked".into(),
            subject: Subject::Email,
        };
        value(&self.features, &payment(seconds), listed).await
    }
}

fn payment(seconds: u64) -> OwnedRiskRequest {
    let details = payment_details().email("Ada@Example.com");
    risk_request("pay_1")
        .details(details.build())
        .at(after(seconds))
        .build()
}

fn ada(expires_at: Option<Timestamp>) -> ListItem {
    ListItem {
        list: ListName::parse("blocked").unwrap(),
        value: ListedValue::parse(Subject::Email, "ada@example.com").unwrap(),
        expires_at,
        added_by: ListAuthor::parse("grace").unwrap(),
        added_at: after(0),
        note: None,
    }
}

fn many(number: usize) -> ListItem {
    ListItem {
        value: ListedValue::parse(Subject::Email, &format!("{number}@example.com")).unwrap(),
        ..ada(None)
    }
}

#[tokio::test]
async fn what_is_put_here_is_found_here_at_once() {
    let gateway = Gateway::of(&Arc::default());
    assert_eq!(gateway.listed(0).await, FeatureValue::Unavailable);
    gateway.lists.put(&ada(Some(after(60)))).await.unwrap();
    assert_eq!(gateway.listed(0).await, FeatureValue::Listed(true));
    assert_eq!(gateway.listed(59).await, FeatureValue::Listed(true));
    assert_eq!(gateway.listed(60).await, FeatureValue::Listed(false));
    let item = ada(None);
    let removed = gateway.lists.remove(&item.list, &item.value, after(1)).await;
    assert_eq!(removed.unwrap(), Removed::Yes);
    assert_eq!(gateway.listed(0).await, FeatureValue::Listed(false));
}

#[tokio::test]
async fn what_was_there_before_is_found_after_the_first_refresh() {
    let store = Arc::new(InMemoryListStore::default());
    // More than are read at once.
    for number in 0..2_500 {
        store.put(&many(number)).await.unwrap();
    }
    store.put(&ada(None)).await.unwrap();
    let gateway = Gateway::of(&store);
    gateway.lists.refresh().await.unwrap();
    assert_eq!(gateway.listed(0).await, FeatureValue::Listed(true));
    assert_eq!(store.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_another_gateway_puts_there_is_found_within_two_seconds() {
    let store = Arc::new(InMemoryListStore::default());
    let (here, elsewhere) = (Gateway::of(&store), Gateway::of(&store));
    let (stop, stopped) = oneshot::channel::<()>();
    let lists = Arc::clone(&here.lists);
    let following = tokio::spawn(async move {
        lists.follow_until(async { drop(stopped.await) }).await;
    });
    elsewhere.lists.put(&ada(None)).await.unwrap();
    tokio::time::advance(Duration::from_secs(1)).await;
    while here.listed(0).await != FeatureValue::Listed(true) {
        tokio::task::yield_now().await;
    }
    let item = ada(None);
    elsewhere
        .lists
        .remove(&item.list, &item.value, after(1))
        .await
        .unwrap();
    tokio::time::advance(Duration::from_secs(1)).await;
    while here.listed(0).await != FeatureValue::Listed(false) {
        tokio::task::yield_now().await;
    }
    stop.send(()).unwrap();
    following.await.unwrap();
}

#[tokio::test]
async fn lists_stay_as_they_were_while_the_store_does_not_answer() {
    let store = Arc::new(InMemoryListStore::default());
    let gateway = Gateway::of(&store);
    gateway.lists.put(&ada(None)).await.unwrap();
    store.set_available(false);
    gateway.lists.refresh().await.unwrap_err();
    assert_eq!(gateway.listed(0).await, FeatureValue::Listed(true));
    store.set_available(true);
    let item = ada(None);
    store.remove(&item.list, &item.value, after(1)).await.unwrap();
    gateway.lists.refresh().await.unwrap();
    assert_eq!(gateway.listed(0).await, FeatureValue::Listed(false));
}

#[tokio::test(start_paused = true)]
async fn whoever_was_cut_off_for_long_reads_everything_anew() {
    let store = Arc::new(InMemoryListStore::default());
    let gateway = Gateway::of(&store);
    gateway.lists.put(&ada(None)).await.unwrap();
    for number in 0..1_500 {
        store.put(&many(number)).await.unwrap();
    }
    gateway.lists.refresh().await.unwrap();
    let asked = store.asked();
    gateway.lists.refresh().await.unwrap();
    assert_eq!(store.asked() - asked, 1, "nothing new: one question");
    tokio::time::advance(Duration::from_secs(13 * 3_600)).await;
    let asked = store.asked();
    gateway.lists.refresh().await.unwrap();
    assert_eq!(store.asked() - asked, 2, "everything: two pages");
    assert_eq!(gateway.listed(0).await, FeatureValue::Listed(true));
    let specs: [FeatureSpec; 0] = [];
    assert!(
        gateway
            .features
            .observe(&payment(0).borrow(), &specs)
            .await
            .is_ok()
    );
}
