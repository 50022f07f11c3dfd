//! Keys to the HTTP interface, where several gateways change them.

use application::ports::{ApiKeyStore, ApiKeyStoreError};
use domain::ApiKeyId;
use std::sync::Arc;
use testkit::builders::{after, api_key as key};
use testkit::postgres::shared;
use tokio::task::JoinSet;

use super::{back_door, config, open, somebody_waits_for_a_lock};

/// How many keys each gateway makes.
const KEYS: usize = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_by_two_gateways_at_once_each_raise_the_revision() {
    let server = shared();
    let config = config(server, &server.fresh_database());
    let gateways = [Arc::new(open(&config).await), Arc::new(open(&config).await)];
    let mut saves = JoinSet::new();
    for (number, gateway) in gateways.iter().enumerate() {
        for at in 0..KEYS {
            let gateway = Arc::clone(gateway);
            saves.spawn(async move {
                let mut made = key(&format!("key_{number}_{at}"));
                gateway.save(&mut made).await.unwrap();
                made.revoke(after(1));
                gateway.save(&mut made).await.unwrap();
            });
        }
    }
    saves.join_all().await;
    for gateway in &gateways {
        assert_eq!(gateway.revision().await.unwrap(), 4 * KEYS as u64);
        let page = gateway.list(None, 3 * KEYS).await.unwrap();
        assert_eq!(page.items.len(), 2 * KEYS);
        assert!(page.items.iter().all(|key| key.revoked_at == Some(after(1))));
    }
}

/// Who read the revision and then the keys would else not read them again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revision_is_seen_only_after_the_changes_before_it() {
    let server = shared();
    let database = server.fresh_database();
    let gateway = Arc::new(open(&config(server, &database)).await);
    gateway.save(&mut key("key_1")).await.unwrap();
    let slow = back_door(server, &database).await;
    slow.batch_execute(
        "BEGIN; UPDATE api_keys SET revoked_at_ms = created_at_ms, version = 2;
        UPDATE api_keys_revision SET revision = revision + 1",
    )
    .await
    .unwrap();
    let saving = Arc::clone(&gateway);
    let save = tokio::spawn(async move { saving.save(&mut key("key_2")).await });
    somebody_waits_for_a_lock(&slow).await;
    assert_eq!(gateway.revision().await.unwrap(), 1);
    slow.batch_execute("COMMIT").await.unwrap();
    save.await.unwrap().unwrap();
    assert_eq!(gateway.revision().await.unwrap(), 3);
}

#[tokio::test]
async fn a_key_that_no_gateway_wrote_is_told_as_damage_without_what_is_in_it() {
    let server = shared();
    let database = server.fresh_database();
    let gateway = open(&config(server, &database)).await;
    gateway.save(&mut key("key_1")).await.unwrap();
    server.sql(
        &database,
        "UPDATE api_keys SET role = 'emperor', scopes = 'payments:read'",
    );
    let id = ApiKeyId::parse("key_1").unwrap();
    for error in [
        gateway.find(&id).await.unwrap_err(),
        gateway.list(None, 10).await.unwrap_err(),
    ] {
        assert!(matches!(&error, ApiKeyStoreError::Unavailable { .. }), "{error}");
        assert!(error.to_string().contains("api_keys.role"), "{error}");
        assert!(!error.to_string().contains("emperor"), "{error}");
    }
}
