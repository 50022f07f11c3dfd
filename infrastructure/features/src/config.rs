//! What an operator may set.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::lists::{ListError, SubjectLists};
use crate::redis::{RedisConfigError, check_redis};

/// Settings of the features.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where velocity is counted: `memory`, of one gateway by itself, or `redis`, shared by several. Default `memory`.
    pub store: StoreKind,
    /// For how many milliseconds a payment waits for its features; then every one of it is unavailable, and the payment goes
    /// on. Of Redis alone: memory answers at once. Default 20: twenty times what Redis takes, and little beside an acquirer.
    pub deadline_ms: u64,
    /// How Redis is reached, where it is the store.
    pub redis: RedisConfig,
    /// How many subjects (a card, an e-mail address, a device…) are remembered in memory; the one that was idle for longest is
    /// forgotten first. Default 1,000,000: some 250,000 payments of strangers.
    pub max_subjects: usize,
    /// How many bytes their past may take in memory, about; the same ones are forgotten first. Default 512 MiB. A subject with
    /// one payment takes some 450 bytes, one with millions of them some 150 KiB.
    pub max_memory_bytes: usize,
    /// How many payments are remembered in memory by merchant and name, so that one that is observed or settled twice counts once
    /// with each of its subjects. The oldest is forgotten first; it then counts again when it is observed again, and is
    /// not settled any more. Default 500,000, some 70 MB: ten minutes at 800 payments a second.
    pub max_recent_payments: usize,
    /// Up to what number `distinct` counts, per subject, filter and kind of the other. Default 128: a rule that fires at more
    /// than a hundred has fired long before.
    pub max_distinct: usize,
    /// Lists by name, then by subject (`card`, `customer`, `email`, `ip`, `device`, `merchant`). An entry of `ip` is an
    /// address or a range such as `203.0.113.0/24`; one of `card` is a fingerprint, `fp_` and 32 digits, and
    /// never a card number; those of `email` are compared without regard to case, all of them without white space round
    /// them or characters that are not seen. Items that are added while the gateway runs come on top. Default: none.
    pub lists: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

/// Where velocity is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// In the memory of this gateway.
    #[default]
    Memory,
    /// In Redis.
    Redis,
}

/// How Redis is reached.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RedisConfig {
    /// `redis://host:port/database`, without user or password. Default `redis://127.0.0.1:6379/0`.
    pub url: String,
    /// The user, where Redis has others than its default one. Default: none.
    pub user: String,
    /// The file with that user's password, or with that of Redis itself; a line break at its end is no part of it. Default:
    /// none.
    pub password_file: PathBuf,
    /// What the names of all keys begin with, so that several installations can share a Redis. Default `portcullis:v1:`.
    pub key_prefix: String,
    /// For how many hours a payment is remembered by merchant and name after it was last observed or settled, so that it
    /// counts once with each of its subjects. Later it counts again when it is observed again, and is not settled any more.
    /// Default 168, a week: longer than a review or an authorization is left open. A payment takes some 150 bytes.
    pub remember_payments_hours: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            store: StoreKind::Memory,
            deadline_ms: 20,
            redis: RedisConfig::default(),
            max_subjects: 1_000_000,
            max_memory_bytes: 512 * 1024 * 1024,
            max_recent_payments: 500_000,
            max_distinct: 128,
            lists: BTreeMap::new(),
        }
    }
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            url: "redis://127.0.0.1:6379/0".to_owned(),
            user: String::new(),
            password_file: PathBuf::new(),
            key_prefix: "portcullis:v1:".to_owned(),
            remember_payments_hours: 168,
        }
    }
}

/// Settings that mean nothing.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A list cannot be kept as it is written.
    #[error("features.lists: {0}")]
    Lists(ListError),
    /// Redis cannot be reached as it is written.
    #[error("{0}")]
    Redis(RedisConfigError),
}

impl Config {
    /// Checks every text that means something, and connects to nobody.
    ///
    /// # Errors
    /// The path of the setting, what was found and what was expected.
    pub fn check(&self) -> Result<(), ConfigError> {
        SubjectLists::new(&self.lists).map_err(ConfigError::Lists)?;
        if self.store == StoreKind::Redis {
            check_redis(&self.redis).map_err(ConfigError::Redis)?;
        }
        Ok(())
    }
}
