//! What stands in Redis: nothing that tells who anybody is, and nothing for ever.

use application::ports::{FeatureStore, SettledAs};
use testkit::builders::{payment_details, risk_request};

use super::{config, connection, own, store};

/// Everything that anybody could read out of it: the names of all keys and all that they hold.
async fn everything(connection: &mut ::redis::aio::MultiplexedConnection) -> Vec<(String, Vec<u8>)> {
    let keys: Vec<String> = ::redis::cmd("KEYS")
        .arg("*")
        .query_async(connection)
        .await
        .unwrap();
    let mut all = Vec::new();
    for key in keys {
        let kind: String = ::redis::cmd("TYPE")
            .arg(&key)
            .query_async(connection)
            .await
            .unwrap();
        let value: Vec<Vec<u8>> = match kind.as_str() {
            "hash" => ::redis::cmd("HGETALL")
                .arg(&key)
                .query_async(connection)
                .await
                .unwrap(),
            "string" => vec![
                ::redis::cmd("GET")
                    .arg(&key)
                    .query_async(connection)
                    .await
                    .unwrap(),
            ],
            other => unreachable!("{key} is a {other}"),
        };
        all.push((key, value.concat()));
    }
    all
}

#[tokio::test]
async fn nobody_is_told_by_name_and_every_key_expires() {
    const DAY: i64 = 86_400;
    let Some(redis) = own(&[]).await else { return };
    let store = store(&config(&redis));
    let details = payment_details()
        .merchant("merchant-1")
        .card("fp_4be04be04be04be04be04be04be04be0")
        .customer("customer-1")
        .email("ada@example.com")
        .device("device-1")
        .ip("203.0.113.7");
    let payment = risk_request("order-1").details(details.build()).build();
    store.observe(&payment.borrow(), &[]).await.unwrap();
    store
        .settle(&payment.borrow(), SettledAs::Approved)
        .await
        .unwrap();

    let mut connection = connection(&redis).await;
    let all = everything(&mut connection).await;
    assert_eq!(all.len(), 7, "six subjects and the payment");
    let contains = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    for (key, value) in &all {
        for name in [
            "merchant-1",
            "4be0",
            "customer-1",
            "ada",
            "example",
            "device-1",
            "203.0.113",
            "order-1",
        ] {
            assert!(!key.contains(name), "{key} holds {name}");
            assert!(!contains(value, name), "{key} holds {name} in its value");
        }
        let seconds: i64 = ::redis::cmd("TTL")
            .arg(key)
            .query_async(&mut connection)
            .await
            .unwrap();
        let most = if key.contains(":p:") { 7 * DAY } else { 91 * DAY };
        assert!(
            (most - 3_600..=most).contains(&seconds),
            "{key} expires in {seconds} s"
        );
    }
}

#[tokio::test]
async fn another_key_of_the_installation_finds_nobody_again() {
    use domain::feature::{FeatureValue, Subject};
    use portcullis_features::{RedisFeatureStore, SubjectKey, SubjectLists};
    use std::sync::Arc;

    let Some(redis) = super::shared().await else {
        return;
    };
    let config = config(&redis);
    for (number, key) in [[1; 32], [2; 32]].iter().enumerate() {
        let lists = Arc::new(SubjectLists::default());
        let store = RedisFeatureStore::open(&config, SubjectKey::new(key), lists).unwrap();
        let payment = risk_request(&format!("pay_{number}"))
            .details(payment_details().card("fp_1").build())
            .build();
        let values = store
            .observe(&payment.borrow(), &[crate::attempts(Subject::Card, 60)])
            .await
            .unwrap();
        assert_eq!(values, [FeatureValue::Count(1)]);
    }
}
