//! What an operator may set.

use std::path::PathBuf;

use serde::Deserialize;

/// Where payments are kept. The settings of the kind that is not chosen are read and checked all the same, and not used.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// In which database. Default `sqlite`.
    pub kind: StorageKind,
    /// SQLite: a file beside the one gateway that uses it.
    pub sqlite: SqliteConfig,
    /// PostgreSQL: a server that several gateways share.
    pub postgres: PostgresConfig,
    /// Bare decisions, in either.
    pub decisions: DecisionsConfig,
}

/// How bare decisions are written down, so that somebody can see why.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DecisionsConfig {
    /// For how many days they are kept. Default 90: as long as the longest window of a feature, and as most chargebacks take. 0:
    /// none are written, and those that there are are forgotten.
    pub keep_days: u32,
    /// How many are written a second at most, in the long run; what is beyond, and does not fit into a queue of 4,096, is dropped and
    /// counted. Default 1000: more than a gateway is sent that is not being tested, and a bound on what writing takes from deciding. 1 or
    /// more.
    pub max_per_second: u32,
    /// For how many milliseconds somebody who reads them waits until those that came before him are written. Default 1000; then he is
    /// shown what there is.
    pub read_wait_ms: u64,
}

impl DecisionsConfig {
    /// Whether the numbers mean something.
    ///
    /// # Errors
    /// With the path of the setting, what was found and what was expected.
    pub fn check(&self) -> Result<(), String> {
        if self.max_per_second == 0 {
            return Err(
                "storage.decisions.max_per_second: found 0, expected 1 or more; keep_days = 0 keeps none at all"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

impl Default for DecisionsConfig {
    fn default() -> Self {
        Self {
            keep_days: 90,
            max_per_second: 1_000,
            read_wait_ms: 1_000,
        }
    }
}

/// Which database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StorageKind {
    /// A file beside the gateway.
    #[default]
    Sqlite,
    /// A server.
    Postgres,
}

/// Settings of the SQLite store.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SqliteConfig {
    /// The database file; made at the first start, with access for its owner alone. SQLite keeps two more beside it,
    /// `-wal` and `-shm`. On a disk of this machine, never on a network file system.
    pub path: PathBuf,
    /// How many payments may wait for the writer; more are told to come back. Default 1024: at some 40,000 a second
    /// that is a wait of 25 ms, and a longer queue would only make everybody wait longer. As many may wait for their
    /// idempotency key to be looked up.
    pub queue_jobs: usize,
    /// How many payments share one commit, and one look for their idempotency keys, at most. Default 256: beyond that the
    /// commit takes longer and gains nothing.
    pub batch_jobs: usize,
    /// For how many milliseconds a payment waits for its turn, in the queue and before it, until it is told to come back.
    /// A commit that has begun is waited for to its end, since nobody else knows how it ends. Default 2000: a disk that
    /// is slower than that is in trouble.
    pub save_timeout_ms: u64,
    /// How many connections read at the same time, beside the one that looks idempotency keys up. Default 4: a read takes
    /// some 50 µs.
    pub readers: usize,
    /// For how many milliseconds a read waits for its turn until it is told to come back. Default 1000.
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

impl Default for SqliteConfig {
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

/// Settings of the PostgreSQL store. Relative paths begin at the folder of the configuration file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PostgresConfig {
    /// Where it is and which database, such as `postgres://portcullis@db.example:5432/portcullis`; several hosts with commas
    /// between them, of which the one that takes writes is used. No password: it would end up in logs.
    pub url: String,
    /// The file with the password; a line break at its end is no part of it. Empty, the default: the server asks for none.
    pub password_file: PathBuf,
    /// The certificates, as PEM, of the authorities that the server's own certificate may be from. With it the server is spoken
    /// to with TLS alone and its name held against its certificate; without it, the default, in the clear.
    pub ca_file: PathBuf,
    /// How many connections there are at most. Default 16: a save holds one for its commit, which on an ordinary disk is some
    /// 5 ms that many share, so that is thousands a second; and the server's own bound (100 where nobody set it) is shared by all
    /// gateways.
    pub max_connections: usize,
    /// For how many milliseconds a payment waits for a connection, and a connection to be made, until it is told to come back.
    /// Default 2000: a server that is slower than that is in trouble.
    pub acquire_timeout_ms: u64,
    /// For how many milliseconds a statement may run at the server, which then undoes it. Default 5000: none takes 50 in health.
    /// One second later a server that has not answered by then is given up, and so is the connection.
    pub statement_timeout_ms: u64,
}

impl Default for PostgresConfig {
    fn default() -> Self {
        Self {
            url: "postgres://portcullis@127.0.0.1:5432/portcullis".to_owned(),
            password_file: PathBuf::new(),
            ca_file: PathBuf::new(),
            max_connections: 16,
            acquire_timeout_ms: 2_000,
            statement_timeout_ms: 5_000,
        }
    }
}

impl PostgresConfig {
    /// Lets relative files begin at this folder.
    pub fn resolve_files(&mut self, folder: &std::path::Path) {
        for file in [&mut self.password_file, &mut self.ca_file] {
            if !file.as_os_str().is_empty() {
                *file = folder.join(&*file);
            }
        }
    }

    /// Whether the settings and the files that they name can be right, as far as that shows without connecting.
    ///
    /// # Errors
    /// With the setting that cannot be.
    pub fn check(&self) -> Result<(), crate::PostgresConfigError> {
        crate::postgres::check_config(self)
    }
}
