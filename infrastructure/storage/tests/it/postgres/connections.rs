//! Everything is waited for within a bound, and what is broken is thrown away.

use std::sync::Arc;

use application::ports::{PaymentRepository, RepositoryError};
use domain::payment::OperationResult;
use testkit::builders::{after, operation_id, payment};
use testkit::postgres::shared;
use testkit::tcp_proxy::TcpProxy;

use super::{back_door, config, open, somebody_waits_for_a_lock};

fn reason(error: RepositoryError) -> String {
    match error {
        RepositoryError::Unavailable { reason } => reason,
        error => unreachable!("{error:?}"),
    }
}

/// Holds the row of the payment until it is dropped or told to commit.
const HOLD: &str = "BEGIN; SELECT 1 FROM payments WHERE id = 'pay_1' FOR UPDATE";

#[tokio::test]
async fn a_save_that_takes_too_long_is_undone_and_told() {
    let server = shared();
    let database = server.fresh_database();
    let mut config = config(server, &database);
    config.statement_timeout_ms = 1_000;
    let repository = open(&config).await;
    let mut stored = payment().sent("op_1");
    repository.save(&mut stored).await.unwrap();
    let holder = back_door(server, &database).await;
    holder.batch_execute(HOLD).await.unwrap();
    let told = reason(repository.save(&mut stored).await.unwrap_err());
    assert!(told.contains("57014"), "{told}");
    holder.batch_execute("COMMIT").await.unwrap();
    assert_eq!(
        repository.find(stored.id()).await.unwrap().as_ref(),
        Some(&stored)
    );
    repository.save(&mut stored).await.unwrap();
    assert_eq!(stored.record().version, 2);
}

#[tokio::test]
async fn a_payment_that_finds_every_connection_busy_is_told_to_come_back() {
    let server = shared();
    let database = server.fresh_database();
    let mut config = config(server, &database);
    config.max_connections = 1;
    config.acquire_timeout_ms = 5_000;
    let repository = Arc::new(open(&config).await);
    let mut stored = payment().sent("op_1");
    repository.save(&mut stored).await.unwrap();
    let holder = back_door(server, &database).await;
    holder.batch_execute(HOLD).await.unwrap();
    let waiting = Arc::clone(&repository);
    let save = tokio::spawn(async move { waiting.save(&mut stored).await });
    somebody_waits_for_a_lock(&holder).await;
    let told = reason(repository.check().await.unwrap_err());
    assert_eq!(told, "every connection is busy");
    holder.batch_execute("COMMIT").await.unwrap();
    save.await.unwrap().unwrap();
    repository.check().await.unwrap();
}

/// The connection of a save whose caller has left is closed, and the next one does not wait for what that began.
#[tokio::test]
async fn a_save_that_nobody_waits_for_any_more_holds_up_no_other() {
    let server = shared();
    let database = server.fresh_database();
    let mut config = config(server, &database);
    config.max_connections = 1;
    let repository = Arc::new(open(&config).await);
    let mut stored = payment().sent("op_1");
    repository.save(&mut stored).await.unwrap();
    let holder = back_door(server, &database).await;
    holder.batch_execute(HOLD).await.unwrap();
    let waiting = Arc::clone(&repository);
    let mut held = stored.clone();
    let save = tokio::spawn(async move { waiting.save(&mut held).await });
    somebody_waits_for_a_lock(&holder).await;
    save.abort();
    assert!(save.await.unwrap_err().is_cancelled());
    repository.save(&mut payment().id("pay_2").build()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_says_nothing_is_given_up_and_found_again() {
    let server = shared();
    let proxy = TcpProxy::start(&server.endpoint());
    let database = server.fresh_database();
    let mut config = config(server, &database);
    config.url = server.url_by(&proxy.endpoint(), &database);
    config.statement_timeout_ms = 1_000;
    config.acquire_timeout_ms = 5_000;
    config.max_connections = 1;
    let repository = open(&config).await;
    let mut stored = payment().sent("op_1");
    repository.save(&mut stored).await.unwrap();
    proxy.freeze();
    let told = reason(repository.save(&mut stored).await.unwrap_err());
    assert_eq!(told, "the server did not answer in time");
    reason(repository.check().await.unwrap_err());
    proxy.heal();
    // A connection that was begun meanwhile may be given up first.
    while repository.check().await.is_err() {
        tokio::task::yield_now().await;
    }
    // The frozen save may have got through when the line was.
    let found = repository.find(stored.id()).await.unwrap().unwrap();
    assert!(found.record().version <= 2);
}

/// The commit goes through, its answer does not: told as unavailable, and not done twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_save_whose_connection_is_cut_in_its_commit_is_never_done_twice() {
    let server = shared();
    let proxy = TcpProxy::start(&server.endpoint());
    let database = server.fresh_database();
    let mut config = config(server, &database);
    config.url = server.url_by(&proxy.endpoint(), &database);
    let repository = Arc::new(open(&config).await);
    let mut stored = payment().sent("op_1");
    repository.save(&mut stored).await.unwrap();
    let holder = back_door(server, &database).await;
    holder.batch_execute(HOLD).await.unwrap();

    stored
        .finish_operation(&operation_id("op_1"), OperationResult::Unknown, after(1))
        .unwrap();
    let waiting = Arc::clone(&repository);
    let save = tokio::spawn(async move {
        let saved = waiting.save(&mut stored).await;
        (stored, saved)
    });
    somebody_waits_for_a_lock(&holder).await;
    proxy.cut();
    let (mut stored, saved) = save.await.unwrap();
    reason(saved.unwrap_err());
    assert_eq!(stored.record().version, 1);
    holder.batch_execute("COMMIT").await.unwrap();
    proxy.heal();

    // Whoever comes first, the save that was cut off or this one, gets the version.
    let again = repository.save(&mut stored).await;
    let found = repository.find(stored.id()).await.unwrap().unwrap();
    assert_eq!(found.record().version, 2);
    assert_eq!(found.record().operations, stored.record().operations);
    match again {
        Ok(()) => assert_eq!(found, stored),
        Err(error) => assert!(matches!(error, RepositoryError::Conflict { .. }), "{error}"),
    }
}

/// As in databases that know nothing below serializable: the server undoes whoever comes second, and he comes again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_save_that_was_undone_for_another_one_is_tried_again() {
    let server = shared();
    let database = server.fresh_database();
    let strict = format!("ALTER DATABASE {database} SET default_transaction_isolation = 'serializable'");
    server.sql(&database, &strict);
    let repository = Arc::new(open(&config(server, &database)).await);
    let mut stored = payment().sent("op_1");
    repository.save(&mut stored).await.unwrap();
    let stranger = back_door(server, &database).await;
    let touch = "BEGIN; UPDATE payments SET version = version WHERE id = 'pay_1'";
    stranger.batch_execute(touch).await.unwrap();
    let waiting = Arc::clone(&repository);
    let save = tokio::spawn(async move {
        let saved = waiting.save(&mut stored).await;
        (stored, saved)
    });
    somebody_waits_for_a_lock(&stranger).await;
    stranger.batch_execute("COMMIT").await.unwrap();
    let (stored, saved) = save.await.unwrap();
    saved.unwrap();
    assert_eq!(stored.record().version, 2);
    assert_eq!(repository.find(stored.id()).await.unwrap(), Some(stored));
    let undone = format!("{database} ERROR:  could not serialize access");
    assert!(server.log().contains(&undone), "the save was undone once");
}
