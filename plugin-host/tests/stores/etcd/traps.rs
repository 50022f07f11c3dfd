//! What etcd and its client do that nobody expects: each was met once, and each has a test.

use std::sync::Arc;

use portcullis_plugin_host::store::{EtcdConfig, PolicyStore, StoreError, StoreLocation, WatchEvent};
use tempfile::TempDir;
use testkit::etcd::{Etcd, Setup};
use testkit::tcp_proxy::TcpProxy;

use crate::etcd_process;
use crate::fixtures::*;

use super::{own, put};

/// A store behind a proxy.
async fn through(proxy: &TcpProxy) -> Arc<dyn PolicyStore> {
    let location: StoreLocation = format!("etcd://{}", proxy.endpoint()).parse().unwrap();
    location.open(&EtcdConfig::default()).await.unwrap()
}

/// Something that keeps the executor of a test waiting, done beside it.
pub(super) async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test]
async fn a_page_of_the_largest_documents_is_more_than_the_client_takes_by_itself_and_is_read() {
    let Some((_etcd, backend)) = own(&[]).await else {
        return;
    };
    let store = backend.store.as_ref();
    for number in 0..8 {
        // 5.6 MB in one answer: by itself the client takes 4 MiB.
        put(store, vec![opaque(&format!("p{number}"), 700_000)])
            .await
            .unwrap();
    }
    let listing = store.list().await.unwrap();
    assert_eq!(listing.documents.len(), 8);
    let mut watch = store.watch(1).await.unwrap();
    for _ in 0..8 {
        change(watch.as_mut()).await;
    }
}

#[tokio::test]
async fn a_compaction_behind_a_quiet_watch_does_it_no_harm() {
    let Some((etcd, backend)) = own(&[]).await else {
        return;
    };
    let store = backend.store.as_ref();
    let revision = put(store, vec![new("a")]).await.unwrap();
    let mut watch = store.watch(revision).await.unwrap();
    for number in 0..20 {
        etcd.put(&format!("/another/{number}"), b"of no concern here");
    }
    etcd.compact();
    put(store, vec![new("b")]).await.unwrap();
    let (_, changed) = change(watch.as_mut()).await;
    assert_eq!(sequences(&changed), [("b".to_owned(), Some(1))]);
    // From where it began it could not be opened again; from a new listing it can.
    let error = watch_error(store, revision).await;
    assert!(matches!(error, StoreError::Compacted { .. }), "{error}");
    let listing = store.list().await.unwrap();
    store.watch(listing.revision).await.unwrap();
}

#[tokio::test]
async fn a_quiet_connection_is_not_pinged_so_often_that_etcd_closes_it() {
    let Some((_etcd, backend)) = own(&[]).await else {
        return;
    };
    let store = backend.store.as_ref();
    let revision = put(store, vec![new("a")]).await.unwrap();
    let mut watch = store.watch(revision).await.unwrap();
    // At every second ping within the server's minimum it would have been closed by the third.
    for _ in 0..3 {
        let event = tokio::time::timeout(PATIENCE, watch.next()).await.unwrap();
        assert_eq!(event, Ok(WatchEvent::Progress { revision }));
    }
}

#[tokio::test]
async fn the_first_call_after_etcd_is_back_does_not_fail_for_an_error_of_before() {
    let Some((etcd, backend)) = own(&[]).await else {
        return;
    };
    let store = backend.store.as_ref();
    put(store, vec![new("a")]).await.unwrap();
    for _ in 0..3 {
        etcd.kill();
        let error = store.list().await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        let again = Arc::clone(&etcd);
        beside(move || again.start_again()).await;
        assert_eq!(store.list().await.unwrap().documents.len(), 1);
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_off_without_a_word_is_noticed_and_a_new_one_goes_on() {
    let Some((etcd, backend)) = own(&[]).await else {
        return;
    };
    let proxy = TcpProxy::start(&etcd.endpoint());
    let store = through(&proxy).await;
    let revision = put(store.as_ref(), vec![new("a")]).await.unwrap();
    let mut watch = store.watch(revision).await.unwrap();
    proxy.freeze();
    let ended = async {
        loop {
            match watch.next().await {
                Ok(WatchEvent::Progress { .. }) => {}
                Ok(changed) => panic!("{changed:?}"),
                Err(error) => return error,
            }
        }
    };
    let error = tokio::time::timeout(PATIENCE, ended)
        .await
        .expect("a dead stream is noticed");
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    let listing = tokio::time::timeout(PATIENCE, store.list())
        .await
        .expect("every call ends");
    assert!(
        matches!(listing, Err(StoreError::Unavailable { .. })),
        "{listing:?}"
    );
    etcd.put("/portcullis/v1/policies/b", &envelope("b", 1));
    proxy.heal();
    let mut watch = eventually("the connection heals", || async {
        store.watch(revision).await.ok()
    })
    .await;
    let (_, changed) = change(watch.as_mut()).await;
    assert_eq!(sequences(&changed), [("b".to_owned(), Some(1))]);
    drop(backend);
}

#[tokio::test]
async fn a_connection_that_nobody_answers_on_is_given_up_for_a_new_one() {
    let Some((etcd, _backend)) = own(&[]).await else {
        return;
    };
    let proxy = TcpProxy::start(&etcd.endpoint());
    let store = through(&proxy).await;
    put(store.as_ref(), vec![new("a")]).await.unwrap();
    proxy.strand();
    let listing = eventually("a new connection", || async { store.list().await.ok() }).await;
    assert_eq!(listing.documents.len(), 1);
}

#[tokio::test]
async fn a_store_that_was_restored_from_before_what_was_seen_asks_to_list_again() {
    let Some((etcd, backend)) = own(&[]).await else {
        return;
    };
    let store = backend.store.as_ref();
    put(store, vec![new("a")]).await.unwrap();
    let folder = TempDir::new().unwrap();
    let snapshot = folder.path().join("snapshot");
    etcd.save(&snapshot);
    for policy in ["b", "c", "d"] {
        put(store, vec![new(policy)]).await.unwrap();
    }
    let listing = store.list().await.unwrap();
    let again = Arc::clone(&etcd);
    beside(move || {
        again.restore(&snapshot);
        again.start_again();
    })
    .await;
    let error = watch_error(store, listing.revision).await;
    assert!(
        matches!(error, StoreError::Rewound { after, current } if after == listing.revision && current < after),
        "{error}"
    );
    assert!(error.must_list_again());
    assert_eq!(store.list().await.unwrap().documents.len(), 1);
}

#[tokio::test]
async fn another_cluster_behind_the_same_address_asks_to_list_again_however_far_it_is() {
    let (Some((first, _)), Some(second)) = (own(&[]).await, etcd_process::own(other_cluster()).await) else {
        return;
    };
    for number in 0..50 {
        second.put("/another", number.to_string().as_bytes());
    }
    let proxy = TcpProxy::start(&first.endpoint());
    let store = through(&proxy).await;
    let revision = put(store.as_ref(), vec![new("a")]).await.unwrap();
    assert_eq!(store.list().await.unwrap().documents.len(), 1);
    assert!(ahead(&second, revision));
    proxy.redirect(&second.endpoint());
    let error = watch_error(store.as_ref(), revision).await;
    assert!(matches!(error, StoreError::Rewound { .. }), "{error}");
    assert_eq!(store.list().await.unwrap().documents.len(), 0);
}

/// Members know a cluster by this token, and its id is made of it.
fn other_cluster() -> Setup {
    Setup::with_flags(&["--initial-cluster-token", "another"])
}

fn ahead(etcd: &Etcd, revision: u64) -> bool {
    etcd.revision() > revision
}
