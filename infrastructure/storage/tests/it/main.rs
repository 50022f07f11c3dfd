//! Payments in SQLite and in PostgreSQL: what both owe, and what each has of its own.
//!
//! SQLite: the file, its damage, a full queue, the log, the end, and a killed process. PostgreSQL: the same of a server.

#![expect(
    clippy::unwrap_used,
    reason = "this is test code: what is not as it was built is a defect of the test"
)]

mod contract;
mod damage;
mod decisions;
mod durability;
mod file;
mod lists;
mod load;
mod migration;
mod money_races;
mod postgres;
mod shutdown;

use std::path::Path;

use portcullis_storage::{SqliteConfig, SqlitePaymentRepository};
use tempfile::TempDir;

/// Patient, so that a busy machine fails no test.
fn config(folder: &Path) -> SqliteConfig {
    SqliteConfig {
        path: folder.join("payments.db"),
        save_timeout_ms: 60_000,
        read_timeout_ms: 60_000,
        ..SqliteConfig::default()
    }
}

fn open(config: &SqliteConfig) -> SqlitePaymentRepository {
    SqlitePaymentRepository::open(config).unwrap()
}

/// A store in a folder of its own, which is gone when the test has ended.
fn fresh() -> (TempDir, SqliteConfig, SqlitePaymentRepository) {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let repository = open(&config);
    (folder, config, repository)
}

/// Another way into the same file, to do what no gateway does.
fn back_door(config: &SqliteConfig) -> rusqlite::Connection {
    rusqlite::Connection::open(&config.path).unwrap()
}
