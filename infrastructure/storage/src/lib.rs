//! Adapters of the payment repository, the payment catalog, the event log, and the stores of API keys, lists and webhooks.
//!
//! [`SqlitePaymentRepository`] keeps payments in one SQLite file beside the gateway. A payment that `save` has returned is
//! on the disk: every commit waits for it, and many payments share one commit. [`PostgresPaymentRepository`] keeps them on a
//! server that several gateways share. [`open`] gives whichever of them the configuration chose.
//! Both keep keys to the HTTP interface, the items of lists and webhooks beside the payments; [`SqliteListStore`] puts the items into
//! the same file, by the same writer. [`Storage::decision_log`] keeps bare decisions in either, written in the background.

mod config;
mod decisions;
mod listing;
mod postgres;
mod record;
mod sqlite;
mod storage;

pub use config::{Config, DecisionsConfig, PostgresConfig, SqliteConfig, StorageKind};
pub use postgres::{PostgresConfigError, PostgresOpenError, PostgresPaymentRepository};
pub use sqlite::{CloseError, SqliteListStore, SqliteOpenError, SqlitePaymentRepository};
pub use storage::{OpenError, Storage, open};
