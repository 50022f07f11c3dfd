//! What only etcd can do: compact, restart, freeze, refuse, fragment.

mod access;
mod cluster;
mod rights;
mod tokens;
mod traps;

use std::sync::Arc;
use std::time::{Duration, Instant};

use portcullis_plugin_host::node_status::NodeId;
use portcullis_plugin_host::store::layout::Layout;
use portcullis_plugin_host::store::{
    DocumentWrite, EtcdConfig, EtcdOptions, EtcdPolicyStore, PolicyStore, StoreError, StoreLocation,
    Transaction, WatchEvent,
};

use testkit::etcd::Setup;

use crate::backend::{self, Backend};
use crate::etcd_process::{self, Etcd};
use crate::fixtures::*;

/// An etcd that the test may kill; none where there is no etcd.
async fn own(flags: &[&str]) -> Option<(Arc<Etcd>, Backend)> {
    let etcd = etcd_process::own(Setup::with_flags(flags)).await?;
    let backend = backend::in_etcd(Arc::clone(&etcd)).await;
    Some((etcd, backend))
}

async fn put(store: &dyn PolicyStore, documents: Vec<DocumentWrite>) -> Result<u64, StoreError> {
    let artifacts = Vec::new();
    store.put(Transaction { artifacts, documents }).await
}

#[tokio::test]
async fn a_watch_from_a_compacted_revision_asks_to_list_again() {
    let Some((etcd, backend)) = own(&[]).await else {
        return;
    };
    let store = backend.store.as_ref();
    let first = put(store, vec![new("a")]).await.unwrap();
    put(store, vec![new("b")]).await.unwrap();
    put(store, vec![new("c")]).await.unwrap();
    etcd.compact();
    let error = watch_error(store, first).await;
    assert!(matches!(error, StoreError::Compacted { after, oldest } if after == first && oldest > first));
    assert!(error.must_list_again());
    let listing = store.list().await.unwrap();
    assert_eq!(listing.documents.len(), 3);
    let mut watch = store.watch(listing.revision).await.unwrap();
    put(store, vec![new("d")]).await.unwrap();
    let (_, changed) = change(watch.as_mut()).await;
    assert_eq!(sequences(&changed), [("d".to_owned(), Some(1))]);
}

#[tokio::test]
async fn a_listing_tells_which_documents_were_written_together() {
    let Some(backend) = backend::etcd().await else {
        return;
    };
    let store = backend.store.as_ref();
    put(store, vec![new("a"), new("b")]).await.unwrap();
    put(store, vec![new("c")]).await.unwrap();
    let listing = store.list().await.unwrap();
    let [a, b, c] = &listing.documents[..] else {
        panic!("{:?}", listing.documents)
    };
    assert_eq!(a.transaction, b.transaction);
    assert_ne!(a.transaction, c.transaction);
}

#[tokio::test]
async fn a_watch_from_a_revision_in_the_future_asks_to_list_again() {
    let Some(backend) = backend::etcd().await else {
        return;
    };
    let listing = backend.store.list().await.unwrap();
    let future = listing.revision + 1_000_000;
    let error = watch_error(backend.store.as_ref(), future).await;
    assert!(
        matches!(error, StoreError::Rewound { after, .. } if after == future),
        "{error}"
    );
    assert!(error.must_list_again());
}

#[tokio::test]
async fn a_watch_goes_on_without_loss_after_etcd_was_killed_and_started_again() {
    let Some((etcd, backend)) = own(&[]).await else {
        return;
    };
    let store = backend.store.as_ref();
    let mut seen = put(store, vec![new("a")]).await.unwrap();
    let mut watch = store.watch(seen).await.unwrap();
    for round in 0..2 {
        let missed = format!("while-away-{round}");
        put(store, vec![new(&missed)]).await.unwrap();
        etcd.kill();
        let ended = async {
            loop {
                match watch.next().await {
                    Err(error) => return error,
                    Ok(WatchEvent::Changed { revision, .. }) => seen = revision,
                    Ok(WatchEvent::Progress { .. }) => {}
                }
            }
        };
        let error = tokio::time::timeout(PATIENCE, ended).await.unwrap();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        let again = Arc::clone(&etcd);
        tokio::task::spawn_blocking(move || again.start_again())
            .await
            .unwrap();
        let behind = format!("behind-{round}");
        put(store, vec![new(&behind)]).await.unwrap();
        watch = store.watch(seen).await.unwrap();
        let mut changed = Vec::new();
        while !changed.iter().any(|(policy, _)| *policy == behind) {
            let (revision, documents) = change(watch.as_mut()).await;
            assert!(revision > seen);
            seen = revision;
            changed.extend(sequences(&documents));
        }
    }
    let listing = store.list().await.unwrap();
    assert_eq!((listing.revision, listing.documents.len()), (seen, 5));
}

#[tokio::test]
async fn every_revision_is_delivered_on_its_own_and_in_order() {
    let Some(backend) = backend::etcd().await else {
        return;
    };
    let store = backend.store.as_ref();
    let listing = store.list().await.unwrap();
    let mut written = Vec::new();
    for number in 0..30 {
        let pair = vec![new(&format!("a{number}")), new(&format!("b{number}"))];
        written.push(put(store, pair).await.unwrap());
    }
    // All of it comes in one message.
    let mut watch = store.watch(listing.revision).await.unwrap();
    for revision in written {
        let (found, documents) = change(watch.as_mut()).await;
        assert_eq!((found, documents.len()), (revision, 2));
    }
}

#[tokio::test]
async fn a_revision_that_fragments_part_is_delivered_whole() {
    let Some(backend) = backend::etcd().await else {
        return;
    };
    let store = backend.store.as_ref();
    let listing = store.list().await.unwrap();
    let mut written = vec![put(store, vec![opaque("alone", 300_000)]).await.unwrap()];
    for number in 0..5 {
        let three = ["x", "y", "z"].map(|policy| opaque(&format!("{policy}{number}"), 240_000));
        written.push(put(store, three.to_vec()).await.unwrap());
    }
    let mut watch = store.watch(listing.revision).await.unwrap();
    for (index, revision) in written.into_iter().enumerate() {
        let (found, documents) = change(watch.as_mut()).await;
        let expected = if index == 0 { 1 } else { 3 };
        assert_eq!((found, documents.len()), (revision, expected));
    }
    // More than the client takes by itself in one answer.
    assert_eq!(store.list().await.unwrap().documents.len(), 16);
}

#[tokio::test]
async fn chunks_and_nodes_do_not_wake_the_watch() {
    let Some(backend) = backend::etcd().await else {
        return;
    };
    let store = backend.store.as_ref();
    let listing = store.list().await.unwrap();
    let mut watch = store.watch(listing.revision).await.unwrap();
    store.report(&NodeId::parse("n").unwrap(), b"{}").await.unwrap();
    backend.put_by_hand("artifacts/sha256:0/000000", b"chunk");
    backend.put_by_hand("policies-history/a/9", b"old");
    put(store, vec![new("a")]).await.unwrap();
    let (_, changed) = change(watch.as_mut()).await;
    assert_eq!(sequences(&changed), [("a".to_owned(), Some(1))]);
    assert_eq!(store.last_sequence(&name("a")).await, Ok(9));
}

#[tokio::test]
async fn a_request_above_the_servers_limit_is_refused_with_the_reason() {
    let Some((_etcd, backend)) = own(&["--max-request-bytes", "65536"]).await else {
        return;
    };
    let result = put(backend.store.as_ref(), vec![opaque("a", 100_000)]).await;
    let Err(StoreError::Invalid { detail }) = result else {
        panic!("{result:?}");
    };
    assert!(detail.contains("--max-request-bytes"), "{detail}");
}

#[tokio::test]
async fn a_node_that_stops_reporting_is_gone_when_its_lease_is() {
    let Some(backend) = backend::etcd().await else {
        return;
    };
    let store = backend.store.as_ref();
    let node = NodeId::parse("gateway-1").unwrap();
    store.report(&node, b"{}").await.unwrap();
    let begun = Instant::now();
    eventually("the lease expires", || async {
        store.nodes().await.unwrap().is_empty().then_some(())
    })
    .await;
    assert!(
        begun.elapsed() > Duration::from_secs(5),
        "gone after {:?}",
        begun.elapsed()
    );
    // The same process may come back after its lease is gone.
    store.report(&node, b"{}").await.unwrap();
    assert_eq!(store.nodes().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_etcd_that_is_away_is_unavailable_in_bounded_time() {
    let location: StoreLocation = "etcd://127.0.0.1:9".parse().unwrap();
    let store = location.open(&EtcdConfig::default()).await.unwrap();
    assert_eq!(store.describe(), "etcd://127.0.0.1:9 prefix /portcullis/v1");
    let asking = tokio::time::timeout(PATIENCE, store.list());
    let error = asking.await.unwrap().unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("etcd://127.0.0.1:9"), "{error}");
}

#[tokio::test]
async fn a_frozen_etcd_is_unavailable_and_goes_on_when_it_thaws() {
    let Some((etcd, backend)) = own(&[]).await else {
        return;
    };
    let store = backend.store.as_ref();
    let revision = put(store, vec![new("a")]).await.unwrap();
    let mut watch = store.watch(revision).await.unwrap();
    etcd.freeze();
    let error = tokio::time::timeout(PATIENCE, store.list())
        .await
        .unwrap()
        .unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    let ended = async {
        loop {
            if let Err(error) = watch.next().await {
                return error;
            }
        }
    };
    let error = tokio::time::timeout(PATIENCE, ended).await.unwrap();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    etcd.thaw();
    let listing = eventually("etcd thaws", || async { store.list().await.ok() }).await;
    assert_eq!(listing.documents.len(), 1);
}

#[tokio::test]
async fn calls_get_through_while_one_of_two_members_is_dead() {
    let Some((etcd, backend)) = own(&[]).await else {
        return;
    };
    let endpoints = ["127.0.0.1:9".to_owned(), etcd.endpoint()];
    let layout = Layout::new(backend.prefix()).unwrap();
    let store = EtcdPolicyStore::connect(&endpoints, layout, EtcdOptions::default())
        .await
        .unwrap();
    for number in 0..20 {
        put(&store, vec![new(&format!("p{number}"))]).await.unwrap();
    }
    assert_eq!(store.list().await.unwrap().documents.len(), 20);
    store.watch(0).await.unwrap();
}

#[tokio::test]
async fn a_quiet_etcd_says_that_it_is_alive_and_moves_no_revision() {
    let Some(backend) = backend::etcd().await else {
        return;
    };
    let store = backend.store.as_ref();
    let revision = put(store, vec![new("a")]).await.unwrap();
    let mut watch = store.watch(revision).await.unwrap();
    let event = tokio::time::timeout(PATIENCE, watch.next())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(event, WatchEvent::Progress { revision });
}
