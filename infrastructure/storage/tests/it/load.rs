//! More than the writer can take: bounded waits, and no doubt about what was written.

use std::fs;
use std::sync::Arc;

use application::ports::{PaymentRepository, RepositoryError};
use domain::Payment;
use portcullis_storage::{SqliteConfig, SqlitePaymentRepository};
use testkit::builders::payment;
use tokio::task::JoinSet;

use crate::{back_door, config, open};

type Saved = (Payment, Result<(), RepositoryError>);

/// Sends everything in at once.
fn save_all(
    repository: &Arc<SqlitePaymentRepository>,
    payments: impl IntoIterator<Item = Payment>,
) -> JoinSet<Saved> {
    let mut saves = JoinSet::new();
    for mut payment in payments {
        let repository = Arc::clone(repository);
        saves.spawn(async move {
            let result = repository.save(&mut payment).await;
            (payment, result)
        });
    }
    saves
}

fn numbered(count: usize) -> impl Iterator<Item = Payment> {
    (0..count).map(|number| {
        payment()
            .id(&format!("pay_{number}"))
            .sent(&format!("op_{number}"))
    })
}

async fn check_that_all_were_told_the_truth(repository: &SqlitePaymentRepository, saved: Vec<Saved>) {
    for (payment, result) in saved {
        let found = repository.find(payment.id()).await.unwrap();
        match result {
            Ok(()) => assert_eq!(found, Some(payment)),
            Err(RepositoryError::Unavailable { .. }) => assert_eq!(found, None),
            Err(other) => unreachable!("{other}"),
        }
    }
}

#[tokio::test]
async fn a_payment_that_waits_too_long_is_told_to_come_back_and_is_never_written() {
    let folder = tempfile::tempdir().unwrap();
    let config = SqliteConfig {
        queue_jobs: 2,
        save_timeout_ms: 100,
        busy_timeout_ms: 60_000,
        ..config(folder.path())
    };
    let repository = Arc::new(open(&config));
    let lock = back_door(&config);
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut saves = save_all(&repository, numbered(8));
    // What the writer has taken up waits for the lock; the first to return is one that it has not.
    let first = saves.join_next().await.unwrap().unwrap();
    assert!(
        matches!(first.1, Err(RepositoryError::Unavailable { .. })),
        "{:?}",
        first.1
    );
    lock.execute_batch("ROLLBACK").unwrap();
    let mut saved = saves.join_all().await;
    saved.push(first);
    // Goes through the queue behind them: whatever the writer does with them is done.
    repository.check().await.unwrap();
    check_that_all_were_told_the_truth(&repository, saved).await;
}

#[tokio::test]
async fn a_lock_that_is_held_for_too_long_makes_the_store_unavailable_until_it_is_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let config = SqliteConfig {
        busy_timeout_ms: 1,
        ..config(folder.path())
    };
    let repository = open(&config);
    let lock = back_door(&config);
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut stored = payment().build();
    for result in [repository.save(&mut stored).await, repository.check().await] {
        assert!(
            matches!(result, Err(RepositoryError::Unavailable { .. })),
            "{result:?}"
        );
    }
    assert_eq!(stored.record().version, 0);
    lock.execute_batch("ROLLBACK").unwrap();
    repository.check().await.unwrap();
    repository.save(&mut stored).await.unwrap();
}

#[tokio::test]
async fn a_job_that_fails_does_not_undo_its_neighbours_in_the_same_transaction() {
    let folder = tempfile::tempdir().unwrap();
    let config = SqliteConfig {
        busy_timeout_ms: 60_000,
        ..config(folder.path())
    };
    let repository = Arc::new(open(&config));
    let mut first = payment().id("first").sent("op_taken");
    repository.save(&mut first).await.unwrap();
    let lock = back_door(&config);
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    // No two operations have one name; the database holds that too.
    let colliding = payment().id("colliding").sent("op_taken");
    let saves = save_all(&repository, numbered(10).chain([colliding]));
    tokio::task::yield_now().await;
    lock.execute_batch("ROLLBACK").unwrap();
    let saved = saves.join_all().await;
    for (payment, result) in &saved {
        assert_eq!(
            result.is_ok(),
            payment.id().as_str() != "colliding",
            "{}",
            payment.id()
        );
    }
    check_that_all_were_told_the_truth(&repository, saved).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_stays_short_under_unbroken_load() {
    let folder = tempfile::tempdir().unwrap();
    let config = SqliteConfig {
        checkpoint_wal_bytes: 128 * 1024,
        max_wal_bytes: 512 * 1024,
        ..config(folder.path())
    };
    let repository = Arc::new(open(&config));
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let repository = Arc::clone(&repository);
        tasks.spawn(async move {
            for number in 0..400 {
                let mut payment = payment()
                    .id(&format!("pay_{task}_{number}"))
                    .sent(&format!("op_{task}_{number}"));
                repository.save(&mut payment).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    let log_bytes = fs::metadata(folder.path().join("payments.db-wal")).unwrap().len();
    // Twice the length, and the two commits that may come before the writer looks.
    assert!(log_bytes < 3 * 1024 * 1024, "{log_bytes}");
    repository.close().await.unwrap();
}
