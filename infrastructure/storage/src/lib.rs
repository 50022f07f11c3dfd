//! Adapters of the payment repository, the payment catalog, the event log, the store of API keys and the list store.
//!
//! [`SqlitePaymentRepository`] keeps payments in one SQLite file beside the gateway. A payment that `save` has returned is
//! on the disk: every commit waits for it, and many payments share one commit. [`PostgresPaymentRepository`] keeps them on a
//! server that several gateways share. [`open`] gives whichever of them the configuration chose.
//! Both keep keys to the HTTP interface and the items of lists beside the payments; [`SqliteListStore`] puts the latter into the same
//! file, by the same writer.

mod config;
mod no_webhooks;
mod postgres;
mod record;
mod sqlite;
mod storage;

pub use config::{Config, PostgresConfig, SqliteConfig, StorageKind};
pub use postgres::{PostgresConfigError, PostgresOpenError, PostgresPaymentRepository};
pub use sqlite::{CloseError, SqliteListStore, SqliteOpenError, SqlitePaymentRepository};
pub use storage::{OpenError, Storage, open};
