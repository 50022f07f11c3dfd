//! Payments in SQLite: the contract, the file, its damage, a full queue, the log, the end, and a killed process.

#![expect(
    clippy::unwrap_used,
    reason = "this is test code: what is not as it was built is a defect of the test"
)]

mod contract;
mod damage;
mod durability;
mod file;
mod lists;
mod load;
mod shutdown;

use std::path::Path;

use portcullis_storage::{Config, SqlitePaymentRepository};
use tempfile::TempDir;

/// Patient, so that a busy machine fails no test.
fn config(folder: &Path) -> Config {
    Config {
        path: folder.join("payments.db"),
        save_timeout_ms: 60_000,
        read_timeout_ms: 60_000,
        ..Config::default()
    }
}

fn open(config: &Config) -> SqlitePaymentRepository {
    SqlitePaymentRepository::open(config).unwrap()
}

/// A store in a folder of its own, which is gone when the test has ended.
fn fresh() -> (TempDir, Config, SqlitePaymentRepository) {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let repository = open(&config);
    (folder, config, repository)
}

/// Another way into the same file, to do what no gateway does.
fn back_door(config: &Config) -> rusqlite::Connection {
    rusqlite::Connection::open(&config.path).unwrap()
}
