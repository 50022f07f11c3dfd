//! A server that is killed under load, and rows that no gateway wrote.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use application::ports::{PaymentRepository, RepositoryError};
use domain::payment::{AcquirerReference, OperationResult};
use domain::{Payment, PaymentId};
use testkit::builders::{payment, payment_id};
use testkit::postgres::{Postgres, Setup, shared};
use tokio::task::JoinSet;

use super::{back_door, config, open};

/// How many tasks save payments.
const TASKS: usize = 8;

/// How many payments are acknowledged before the server is killed, each time.
const BETWEEN_KILLS: usize = 200;

/// How often it is killed.
const KILLS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_payment_survives_a_killed_server() {
    let server = Postgres::start(&Setup {
        is_durable: true,
        ..Setup::default()
    });
    let database = server.fresh_database();
    let repository = Arc::new(open(&config(&server, &database)).await);
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let wanted = BETWEEN_KILLS * (KILLS + 1);
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let (repository, acknowledged) = (Arc::clone(&repository), Arc::clone(&acknowledged));
        tasks.spawn(async move {
            let mut stored = Vec::new();
            let mut failures = 0_usize;
            for number in 0.. {
                if acknowledged.load(Ordering::SeqCst) >= wanted {
                    break;
                }
                let id = format!("pay_{task}_{number}");
                let mut payment = payment().id(&id).sent(&format!("op_{task}_{number}"));
                failures += save_in_the_end(&*repository, &mut payment).await;
                acknowledged.fetch_add(1, Ordering::SeqCst);
                stored.push(payment);
            }
            (stored, failures)
        });
    }
    for kill in 1..=KILLS {
        while acknowledged.load(Ordering::SeqCst) < kill * BETWEEN_KILLS {
            tokio::task::yield_now().await;
        }
        tokio::task::block_in_place(|| {
            server.kill();
            server.start_again();
        });
    }
    let ended = tasks.join_all().await;
    assert!(
        ended.iter().any(|(_, failures)| *failures > 0),
        "the kills were noticed"
    );
    let mut names = 0;
    for (payments, _) in ended {
        names += payments.len();
        for payment in payments {
            assert_eq!(
                repository.find(payment.id()).await.unwrap().as_ref(),
                Some(&payment)
            );
        }
    }
    let rows = server.sql(&database, "SELECT count(*) FROM payments");
    assert_eq!(rows, names.to_string(), "nothing is there that nobody saved");
    repository.check().await.unwrap();
}

/// Saves until that is acknowledged, or found to be done by a save that broke off. Tells how often it failed.
async fn save_in_the_end(repository: &impl PaymentRepository, payment: &mut Payment) -> usize {
    let mut failures = 0;
    loop {
        match repository.save(payment).await {
            Ok(()) => return failures,
            Err(RepositoryError::Unavailable { .. }) => failures += 1,
            Err(RepositoryError::AlreadyExists { .. }) if failures > 0 => {
                payment.stored_as(1);
                return failures;
            }
            Err(error) => unreachable!("{error:?}"),
        }
        tokio::task::yield_now().await;
    }
}

/// What the store says about an authorized payment after somebody has been at its rows.
async fn after(sql: &str) -> Result<(), RepositoryError> {
    let server = shared();
    let database = server.fresh_database();
    let repository = open(&config(server, &database)).await;
    let reference = AcquirerReference::parse("ref_1").unwrap();
    let mut stored = payment().answered("op_1", OperationResult::Succeeded(reference));
    repository.save(&mut stored).await.unwrap();
    back_door(server, &database)
        .await
        .batch_execute(sql)
        .await
        .unwrap();
    let id: PaymentId = payment_id("pay_1");
    repository
        .find(&id)
        .await
        .map(|found| assert_eq!(found, Some(stored)))
}

#[tokio::test]
async fn rows_that_no_gateway_wrote_are_damage() {
    after("SELECT 1").await.unwrap();
    for (sql, told) in [
        (
            "UPDATE payments SET merchant_id = 'm_2'",
            "merchant_id: is not what",
        ),
        ("UPDATE payments SET status = 'declined'", "status: is not what"),
        ("UPDATE payments SET record = ''", "record"),
        (
            "UPDATE payments SET record = replace(record, '\"format\":1', '\"format\":2')",
            "record.format",
        ),
        ("UPDATE operations SET status = 'lost'", "operations.status"),
        (
            "UPDATE operations SET position = 1",
            "operations: the first is missing",
        ),
        ("DELETE FROM operations", ""),
        ("UPDATE operations SET amount_minor_units = 1", ""),
        (
            "UPDATE operations SET inquiries = 9223372036854775807",
            "operations.inquiries",
        ),
    ] {
        match after(sql).await {
            Err(RepositoryError::Corrupt { id, reason }) => {
                assert_eq!(id.as_str(), "pay_1");
                assert!(reason.starts_with(told), "{sql}: {reason}");
            }
            other => unreachable!("{sql}: {other:?}"),
        }
    }
}
