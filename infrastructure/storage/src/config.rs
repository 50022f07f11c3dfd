//! What an operator may set.

use std::path::PathBuf;

use serde::Deserialize;

/// Settings of the SQLite store.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The database file; made at the first start, with access for its owner alone. SQLite keeps two more beside it,
    /// `-wal` and `-shm`. On a disk of this machine, never on a network file system.
    pub path: PathBuf,
    /// How many payments may wait for the writer; more are told to come back. Default 1024: at some 40,000 a second
    /// that is a wait of 25 ms, and a longer queue would only make everybody wait longer.
    pub queue_jobs: usize,
    /// How many payments share one commit at most. Default 256: beyond that the commit takes longer and gains nothing.
    pub batch_jobs: usize,
    /// For how many milliseconds a payment waits for its turn, in the queue and before it, until it is told to come back.
    /// A commit that has begun is waited for to its end, since nobody else knows how it ends. Default 2000: a disk that
    /// is slower than that is in trouble.
    pub save_timeout_ms: u64,
    /// How many payments are read at the same time. Default 4: a read takes some 50 µs.
    pub readers: usize,
    /// For how many milliseconds a read waits for a reader until it is told to come back. Default 1000.
    pub read_timeout_ms: u64,
    /// For how many milliseconds SQLite waits for a lock that another process holds, such as a backup. Default 5000.
    pub busy_timeout_ms: u64,
    /// From what length on, in bytes, the write-ahead log is copied into the database, beside the commits. Default
    /// 16 MiB. The file keeps its length: to overwrite is faster than to append.
    pub checkpoint_wal_bytes: u64,
    /// From what length on, in bytes, the writer finishes that copy itself between two commits, since under unbroken
    /// load the log would grow for ever; at twice this length payments wait for the copy. Default 64 MiB.
    pub max_wal_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            path: PathBuf::from("data/portcullis.db"),
            queue_jobs: 1_024,
            batch_jobs: 256,
            save_timeout_ms: 2_000,
            readers: 4,
            read_timeout_ms: 1_000,
            busy_timeout_ms: 5_000,
            checkpoint_wal_bytes: 16 * MIB,
            max_wal_bytes: 64 * MIB,
        }
    }
}
