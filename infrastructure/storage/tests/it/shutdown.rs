//! The end: what was taken in is written, what comes later is refused, and nothing hangs.

use std::sync::Arc;

use application::ports::{IdempotencyKey, PaymentRepository, RepositoryError};
use testkit::builders::{merchant_id, payment, payment_id};
use tokio::task::JoinSet;

use crate::{fresh, open};

#[tokio::test]
async fn a_closed_store_has_an_empty_log_and_refuses_everything() {
    let (folder, _config, repository) = fresh();
    let mut stored = payment().build();
    repository.save(&mut stored).await.unwrap();
    repository.close().await.unwrap();
    let log = std::fs::metadata(folder.path().join("payments.db-wal"));
    assert!(log.map_or(0, |log| log.len()) == 0);
    let mut late = payment().id("late").build();
    let key = IdempotencyKey::parse("late").unwrap();
    let refusals = [
        repository.save(&mut late).await.err(),
        repository.find(stored.id()).await.err(),
        repository.find_key(&merchant_id("m_1"), &key).await.err(),
        repository.check().await.err(),
    ];
    for refusal in refusals {
        assert!(
            matches!(refusal, Some(RepositoryError::Unavailable { .. })),
            "{refusal:?}"
        );
    }
    repository.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_while_the_store_closed_is_there_and_the_rest_is_not() {
    let (_folder, config, repository) = fresh();
    let repository = Arc::new(repository);
    let mut saves = JoinSet::new();
    for number in 0..200 {
        let repository = Arc::clone(&repository);
        saves.spawn(async move {
            let mut payment = payment()
                .id(&format!("pay_{number}"))
                .sent(&format!("op_{number}"));
            let saved = repository.save(&mut payment).await.is_ok();
            (payment.id().clone(), saved)
        });
    }
    let first = saves.join_next().await.unwrap().unwrap();
    repository.close().await.unwrap();
    let mut saved = saves.join_all().await;
    saved.push(first);
    drop(repository);
    let again = open(&config);
    for (id, saved) in saved {
        assert_eq!(again.find(&id).await.unwrap().is_some(), saved, "{id}");
    }
}

#[tokio::test]
async fn a_store_that_is_dropped_without_closing_loses_nothing_it_acknowledged() {
    let (_folder, config, repository) = fresh();
    repository.save(&mut payment().build()).await.unwrap();
    drop(repository);
    let again = open(&config);
    assert!(again.find(&payment_id("pay_1")).await.unwrap().is_some());
}
