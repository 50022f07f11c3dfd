//! Payments in a real PostgreSQL server.

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
