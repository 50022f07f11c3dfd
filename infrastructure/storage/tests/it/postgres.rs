//! Payments in a real PostgreSQL server.

mod api_keys;
mod connections;
mod events;
mod faults;
mod lists;
mod migration;
mod opening;
mod webhooks;

use portcullis_storage::{PostgresConfig, PostgresPaymentRepository};
use testkit::postgres::{Postgres, shared};

/// Patient, so that a busy machine fails no test.
pub(crate) fn config(server: &Postgres, database: &str) -> PostgresConfig {
    PostgresConfig {
        url: server.url(database),
        password_file: server.password_file(),
        acquire_timeout_ms: 60_000,
        statement_timeout_ms: 60_000,
        ..PostgresConfig::default()
    }
}

pub(crate) async fn open(config: &PostgresConfig) -> PostgresPaymentRepository {
    PostgresPaymentRepository::open(config).await.unwrap()
}

/// A database of its own on the server of all tests.
pub(crate) async fn fresh() -> PostgresPaymentRepository {
    let server = shared();
    open(&config(server, &server.fresh_database())).await
}

/// Another way into a database, to do what no gateway does. What it has open is undone when it is dropped.
pub(crate) async fn back_door(server: &Postgres, database: &str) -> tokio_postgres::Client {
    let mut config: tokio_postgres::Config = server.url(database).parse().unwrap();
    config.password(testkit::postgres::PASSWORD);
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Waits until a statement at the server waits for a lock.
pub(crate) async fn somebody_waits_for_a_lock(back_door: &tokio_postgres::Client) {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    while back_door.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        tokio::task::yield_now().await;
    }
}
