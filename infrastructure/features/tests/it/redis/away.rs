//! A Redis that does not answer, is not there, or comes back as another one.

use std::sync::Arc;
use std::time::Duration;

use application::ports::FeatureStore;
use domain::feature::{FeatureSpec, FeatureValue, Subject};
use portcullis_features::{Config, RedisConfig, RedisFeatureStore};
use testkit::builders::{OwnedRiskRequest, payment_details, risk_request};
use tokio::time::timeout;

use super::{config, own, store};
use crate::{attempts, lists_of};

/// How long a call is waited for whose own bound is far shorter, and a state that is to come: so that only a defect, and no busy
/// machine, runs into it.
const PATIENCE: Duration = Duration::from_secs(120);

fn payment(number: u64) -> OwnedRiskRequest {
    risk_request(&format!("pay_{number}"))
        .details(payment_details().card("fp_1").build())
        .build()
}

/// What a payment is told; none where that is nothing.
async fn count(store: &RedisFeatureStore, number: u64) -> Option<u64> {
    let payment = payment(number);
    let specs = [attempts(Subject::Card, 60)];
    let request = payment.borrow();
    let answer = timeout(PATIENCE, store.observe(&request, &specs)).await;
    let values = answer.expect("every call ends within a bound").ok()?;
    match values.as_slice() {
        [FeatureValue::Count(count)] => Some(*count),
        other => unreachable!("{other:?}"),
    }
}

/// Asks about the same payment until there is an answer, and tells it.
async fn count_at_last(store: &RedisFeatureStore, number: u64) -> u64 {
    let asked = async {
        loop {
            if let Some(count) = count(store, number).await {
                return count;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, asked).await.expect("it works again in the end")
}

/// With a deadline that a busy machine does not keep: whoever waits asks again.
fn hurried(config: Config) -> Config {
    Config {
        deadline_ms: 50,
        ..config
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_redis_costs_a_payment_its_features_and_nothing_more() {
    let Some(redis) = own(&[]).await else { return };
    let store = store(&hurried(config(&redis)));
    assert_eq!(count_at_last(&store, 0).await, 1);
    let server = Arc::clone(&redis);
    tokio::task::spawn_blocking(move || server.freeze())
        .await
        .unwrap();
    for number in 1..4 {
        let error = store
            .observe(&payment(number).borrow(), &[attempts(Subject::Card, 60)])
            .await
            .unwrap_err();
        assert!(error.reason.contains("50 ms"), "{error}");
    }
    redis.thaw();
    // What had reached it before the deadline counts all the same, and each once.
    assert_eq!(count_at_last(&store, 9).await, 5);
    for number in 1..4 {
        assert_eq!(count_at_last(&store, number).await, 5);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_was_killed_is_found_again_when_it_is_back() {
    let Some(redis) = own(&[]).await else { return };
    let store = store(&hurried(config(&redis)));
    assert_eq!(count_at_last(&store, 0).await, 1);
    let server = Arc::clone(&redis);
    tokio::task::spawn_blocking(move || server.kill()).await.unwrap();
    for number in 1..4 {
        assert_eq!(count(&store, number).await, None);
    }
    let server = Arc::clone(&redis);
    tokio::task::spawn_blocking(move || server.start_again())
        .await
        .unwrap();
    assert_eq!(count_at_last(&store, 5).await, 1, "it begins with nothing");
    assert_eq!(count_at_last(&store, 6).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_is_opened_before_there_is_a_redis() {
    let Some(redis) = own(&[]).await else { return };
    let server = Arc::clone(&redis);
    tokio::task::spawn_blocking(move || server.kill()).await.unwrap();
    let store = store(&hurried(config(&redis)));
    assert_eq!(count(&store, 0).await, None);
    let server = Arc::clone(&redis);
    tokio::task::spawn_blocking(move || server.start_again())
        .await
        .unwrap();
    assert_eq!(count_at_last(&store, 1).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_at_hand_while_redis_is_away() {
    let Some(redis) = own(&[]).await else { return };
    let server = Arc::clone(&redis);
    tokio::task::spawn_blocking(move || server.kill()).await.unwrap();
    let store = store(&Config {
        lists: lists_of(&[("customer", "c_1")]),
        ..hurried(config(&redis))
    });
    let payment = risk_request("pay_1")
        .details(payment_details().customer("c_1").build())
        .build();
    let specs = [
        attempts(Subject::Customer, 60),
        FeatureSpec::Listed {
            list: "blocked".into(),
            subject: Subject::Customer,
        },
    ];
    store.observe(&payment.borrow(), &specs).await.unwrap_err();
    assert_eq!(
        store.at_hand(&payment.borrow(), &specs),
        [FeatureValue::Unavailable, FeatureValue::Listed(true)]
    );
}

#[tokio::test]
async fn a_redis_that_has_forgotten_the_script_is_given_it_again() {
    let Some(redis) = own(&[]).await else { return };
    let store = store(&config(&redis));
    assert_eq!(count(&store, 0).await, Some(1));
    let server = Arc::clone(&redis);
    tokio::task::spawn_blocking(move || server.forget_scripts())
        .await
        .unwrap();
    assert_eq!(count(&store, 1).await, Some(2));
}

#[tokio::test]
async fn a_redis_that_asks_for_a_password_is_given_it() {
    let Some(redis) = own(&["--requirepass", "open sesame"]).await else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "open sesame\n").unwrap();
    let config = config(&redis);
    let without = hurried(config.clone());
    assert_eq!(count(&store(&without), 0).await, None);
    let with = Config {
        redis: RedisConfig {
            password_file: file,
            ..config.redis.clone()
        },
        ..config
    };
    assert_eq!(count(&store(&with), 0).await, Some(1));
}
