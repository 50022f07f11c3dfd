//! Three members: what goes on while one of them is away, and what does not while two are.

use std::sync::Arc;

use portcullis_plugin_host::store::{
    EtcdConfig, PolicyStore, PolicyWatch, StoreError, StoreLocation, WatchEvent,
};
use testkit::etcd::{Cluster, Etcd, Setup};
use testkit::tcp_proxy::TcpProxy;

use crate::etcd_process;
use crate::fixtures::*;

use super::put;
use super::traps::beside;

async fn cluster() -> Option<Arc<Cluster>> {
    if !etcd_process::is_here() {
        return None;
    }
    Some(Arc::new(beside(|| Cluster::start(&Setup::default())).await))
}

async fn open(endpoints: &[String]) -> Arc<dyn PolicyStore> {
    let location: StoreLocation = format!("etcd://{}", endpoints.join(",")).parse().unwrap();
    location.open(&EtcdConfig::default()).await.unwrap()
}

/// Somebody who follows the documents as the reconciler does: by a watch, and by another one when that is lost.
struct Follower<'a> {
    store: &'a dyn PolicyStore,
    seen: u64,
    watch: Option<Box<dyn PolicyWatch>>,
}

impl<'a> Follower<'a> {
    /// Begins at a revision, with a watch that is open.
    async fn begin(store: &'a dyn PolicyStore, seen: u64) -> Self {
        let watch = Some(store.watch(seen).await.unwrap());
        Self { store, seen, watch }
    }

    /// Follows until a document of this name has come. Nothing comes twice, and nothing is lost on the way.
    async fn until(&mut self, policy: &str) {
        tokio::time::timeout(PATIENCE, self.follow(policy))
            .await
            .expect("what was published arrives");
    }

    async fn follow(&mut self, policy: &str) {
        loop {
            let Some(watch) = &mut self.watch else {
                self.watch = self.store.watch(self.seen).await.ok();
                continue;
            };
            match watch.next().await {
                Ok(WatchEvent::Changed { revision, documents }) => {
                    assert!(revision > self.seen, "{revision} came after {}", self.seen);
                    self.seen = revision;
                    if documents.iter().any(|(name, _)| name == policy) {
                        return;
                    }
                }
                Ok(WatchEvent::Progress { .. }) => {}
                Err(error) => {
                    assert!(!error.must_list_again(), "{error}");
                    self.watch = None;
                }
            }
        }
    }
}

#[tokio::test]
async fn what_is_published_while_the_leader_dies_is_written_once_and_watched() {
    let Some(cluster) = cluster().await else {
        return;
    };
    let store = open(&cluster.endpoints()).await;
    let seen = put(store.as_ref(), vec![new("before")]).await.unwrap();
    let killing = Arc::clone(&cluster);
    let killed = beside(move || {
        let leader = killing.leader();
        leader.kill();
        leader.endpoint()
    });
    let publishing = async {
        for number in 0..20 {
            let policy = format!("p{number}");
            eventually("a publication gets through", || async {
                match put(store.as_ref(), vec![new(&policy)]).await {
                    Ok(_) => Some(()),
                    Err(StoreError::Unavailable { .. }) => None,
                    // An answer that was lost on the way is no conflict with oneself.
                    Err(error) => panic!("{error}"),
                }
            })
            .await;
        }
        put(store.as_ref(), vec![new("last")]).await.unwrap();
    };
    let mut follower = Follower::begin(store.as_ref(), seen).await;
    let ((), (), _) = tokio::join!(follower.until("last"), publishing, killed);
    assert_eq!(store.list().await.unwrap().documents.len(), 22);
}

#[tokio::test]
async fn a_member_that_freezes_is_left_for_another() {
    let Some(cluster) = cluster().await else {
        return;
    };
    let store = open(&cluster.endpoints()).await;
    let seen = put(store.as_ref(), vec![new("before")]).await.unwrap();
    let mut follower = Follower::begin(store.as_ref(), seen).await;
    // Whichever of them the watch is with, it is that one's turn at some time.
    for member in cluster.members() {
        member.freeze();
        let policy = format!("frozen-{}", member.endpoint().replace([':', '.'], "-"));
        eventually("a publication gets through", || async {
            put(store.as_ref(), vec![new(&policy)]).await.ok()
        })
        .await;
        follower.until(&policy).await;
        member.thaw();
    }
}

#[tokio::test]
async fn a_member_that_cannot_be_reached_is_left_for_another_and_taken_again() {
    let Some(cluster) = cluster().await else {
        return;
    };
    let proxies: Vec<TcpProxy> = cluster
        .endpoints()
        .iter()
        .map(|member| TcpProxy::start(member))
        .collect();
    let endpoints: Vec<String> = proxies.iter().map(TcpProxy::endpoint).collect();
    let store = open(&endpoints).await;
    let seen = put(store.as_ref(), vec![new("before")]).await.unwrap();
    let mut follower = Follower::begin(store.as_ref(), seen).await;
    for (index, policy) in ["one", "two", "three"].into_iter().enumerate() {
        // All but one: whatever was spoken to before, there is one way left.
        for (other, proxy) in proxies.iter().enumerate() {
            match (other == index, other % 2) {
                (true, _) => proxy.heal(),
                (false, 0) => proxy.freeze(),
                (false, _) => proxy.cut(),
            }
        }
        eventually("a publication gets through", || async {
            put(store.as_ref(), vec![new(policy)]).await.ok()
        })
        .await;
        follower.until(policy).await;
    }
}

#[tokio::test]
async fn a_member_that_lags_behind_is_not_taken_for_a_store_that_went_back() {
    let Some(cluster) = cluster().await else {
        return;
    };
    let store = open(&cluster.endpoints()).await;
    // Members that do not lead learn of a revision up to a heartbeat after it was acknowledged.
    let mut seen = put(store.as_ref(), vec![new("p0")]).await.unwrap();
    for number in 1..40 {
        let mut watch = store.watch(seen).await.unwrap();
        let policy = format!("p{number}");
        seen = put(store.as_ref(), vec![new(&policy)]).await.unwrap();
        let (revision, changed) = change(watch.as_mut()).await;
        assert_eq!((revision, sequences(&changed)), (seen, vec![(policy, Some(1))]));
    }
}

#[tokio::test]
async fn a_member_without_a_leader_is_not_followed() {
    let Some(cluster) = cluster().await else {
        return;
    };
    let [alone, others @ ..] = cluster.members() else {
        panic!("a cluster has members");
    };
    let store = open(&[alone.endpoint()]).await;
    let seen = put(store.as_ref(), vec![new("before")]).await.unwrap();
    let mut watch = store.watch(seen).await.unwrap();
    others.iter().for_each(Etcd::kill);
    let ended = async {
        loop {
            if let Err(error) = watch.next().await {
                return error;
            }
        }
    };
    let error = tokio::time::timeout(PATIENCE, ended)
        .await
        .expect("a watch with a member that may miss everything ends");
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    let error = put(store.as_ref(), vec![new("after")]).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn a_store_goes_on_when_every_member_was_killed_and_started_again() {
    let Some(cluster) = cluster().await else {
        return;
    };
    let store = open(&cluster.endpoints()).await;
    let seen = put(store.as_ref(), vec![new("before")]).await.unwrap();
    let mut follower = Follower::begin(store.as_ref(), seen).await;
    let again = Arc::clone(&cluster);
    beside(move || {
        again.kill();
        again.start_again();
    })
    .await;
    put(store.as_ref(), vec![new("after")]).await.unwrap();
    follower.until("after").await;
    assert_eq!(store.list().await.unwrap().documents.len(), 2);
}
