//! Users by password: what they are known by expires, is forgotten, and becomes too old.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use portcullis_plugin_host::node_status::NodeId;
use portcullis_plugin_host::store::{EtcdConfig, PolicyStore, StoreError, WatchEvent};
use tempfile::TempDir;
use testkit::etcd::{Etcd, Setup};

use crate::etcd_process;
use crate::fixtures::*;

use super::access::{open, secret};
use super::put;

/// An etcd with these flags, and a store opened by a user with a password who may do everything below the prefix.
async fn with_password(flags: &[&str]) -> Option<(Arc<Etcd>, Arc<dyn PolicyStore>)> {
    let etcd = etcd_process::own(Setup::with_flags(flags)).await?;
    etcd.ctl_line("user add gateway:right");
    etcd.ctl_line("role add gateway");
    etcd.ctl_line("role grant-permission --prefix=true gateway readwrite /portcullis/v1/");
    etcd.ctl_line("user grant-role gateway gateway");
    etcd.enable_users();
    let folder = TempDir::new().unwrap();
    let store = open(&etcd.endpoint(), &gateway(folder.path())).await.unwrap();
    Some((etcd, store))
}

/// The user, whose password is put into this folder.
fn gateway(folder: &Path) -> EtcdConfig {
    EtcdConfig {
        user: "gateway".to_owned(),
        password_file: secret(folder, "password", "right"),
        ..EtcdConfig::default()
    }
}

/// Waits until etcd has let this many tokens of the user die, which it says in its log.
async fn tokens_to_die(etcd: &Etcd, count: usize) {
    let died = |line: &&str| line.contains("deleted a simple token") && line.contains("gateway");
    eventually("tokens die", || async {
        (etcd.log().lines().filter(died).count() >= count).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_watch_and_calls_go_on_when_their_token_has_expired() {
    let Some((etcd, store)) = with_password(&["--logger", "zap", "--auth-token-ttl", "1"]).await else {
        return;
    };
    let node = NodeId::parse("n").unwrap();
    store.report(&node, b"{}").await.unwrap();
    let revision = put(store.as_ref(), vec![new("a")]).await.unwrap();
    let mut watch = store.watch(revision).await.unwrap();
    // One of the connection, and one of the watch.
    tokens_to_die(&etcd, 2).await;
    etcd.put("/portcullis/v1/policies/b", &envelope("b", 1));
    let (seen, changed) = change(watch.as_mut()).await;
    assert_eq!(sequences(&changed), [("b".to_owned(), Some(1))]);
    assert_eq!(store.list().await.unwrap().documents.len(), 2);
    tokens_to_die(&etcd, 3).await;
    store.report(&node, b"{\"a\":1}").await.unwrap();
    tokens_to_die(&etcd, 4).await;
    let mut again = store.watch(seen).await.unwrap();
    put(store.as_ref(), vec![new("c")]).await.unwrap();
    for watch in [&mut watch, &mut again] {
        let (_, changed) = change(watch.as_mut()).await;
        assert_eq!(sequences(&changed), [("c".to_owned(), Some(1))]);
    }
}

#[tokio::test]
async fn calls_and_a_new_watch_go_on_when_etcd_was_started_again_and_knows_no_token() {
    let Some((etcd, store)) = with_password(&[]).await else {
        return;
    };
    let node = NodeId::parse("n").unwrap();
    store.report(&node, b"{}").await.unwrap();
    let seen = put(store.as_ref(), vec![new("a")]).await.unwrap();
    let mut watch = store.watch(seen).await.unwrap();
    etcd.kill();
    let ended = async {
        loop {
            match watch.next().await {
                Ok(WatchEvent::Progress { .. }) => {}
                Ok(changed) => panic!("{changed:?}"),
                Err(error) => return error,
            }
        }
    };
    let error = tokio::time::timeout(PATIENCE, ended).await.unwrap();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    let again = Arc::clone(&etcd);
    tokio::task::spawn_blocking(move || again.start_again())
        .await
        .unwrap();
    assert_eq!(store.list().await.unwrap().documents.len(), 1);
    let mut watch = store.watch(seen).await.unwrap();
    store.report(&node, b"{\"a\":1}").await.unwrap();
    put(store.as_ref(), vec![new("b")]).await.unwrap();
    let (_, changed) = change(watch.as_mut()).await;
    assert_eq!(sequences(&changed), [("b".to_owned(), Some(1))]);
}

/// An RSA key, and the flag that makes etcd sign tokens with it that say at which state of users and roles they were made.
fn signed_tokens(folder: &Path) -> String {
    let file = |name: &str| folder.join(name).display().to_string();
    let (private, public) = (file("private.pem"), file("public.pem"));
    for arguments in [
        &["genrsa", "-out", &private, "2048"][..],
        &["rsa", "-in", &private, "-pubout", "-out", &public],
    ] {
        let output = Command::new("openssl").args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    format!("jwt,pub-key={public},priv-key={private},sign-method=RS256,ttl=10m")
}

#[tokio::test]
async fn a_token_that_is_older_than_a_change_of_roles_is_replaced() {
    let folder = TempDir::new().unwrap();
    let tokens = signed_tokens(folder.path());
    let Some((etcd, store)) = with_password(&["--auth-token", &tokens]).await else {
        return;
    };
    let revision = put(store.as_ref(), vec![new("a")]).await.unwrap();
    let mut watch = store.watch(revision).await.unwrap();
    etcd.ctl_line("role add another");
    assert_eq!(store.list().await.unwrap().documents.len(), 1);
    etcd.ctl_line("role add a-third");
    put(store.as_ref(), vec![new("b")]).await.unwrap();
    let (_, changed) = change(watch.as_mut()).await;
    assert_eq!(sequences(&changed), [("b".to_owned(), Some(1))]);
}

#[tokio::test]
async fn users_that_are_switched_off_are_told_and_do_not_hinder_a_start_and_all_goes_on_when_they_are_on() {
    let Some((etcd, store)) = with_password(&[]).await else {
        return;
    };
    let revision = put(store.as_ref(), vec![new("a")]).await.unwrap();
    etcd.ctl_line("auth disable");
    let folder = TempDir::new().unwrap();
    let started = open(&etcd.endpoint(), &gateway(folder.path())).await.unwrap();
    for store in [&store, &started] {
        let error = store.list().await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        assert!(error.to_string().contains("`etcdctl auth enable`"), "{error}");
    }
    etcd.ctl_line("auth enable");
    for store in [&store, &started] {
        assert_eq!(store.list().await.unwrap().documents.len(), 1);
        store.watch(revision).await.unwrap();
    }
}
