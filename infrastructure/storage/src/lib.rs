//! Adapters of the payment repository and the list store.
//!
//! [`SqlitePaymentRepository`] keeps payments in one SQLite file beside the gateway. A payment that `save` has returned is
//! on the disk: every commit waits for it, and many payments share one commit.
//! [`SqliteListStore`] keeps the items of lists in the same file, by the same writer.

mod config;
mod record;
mod sqlite;

pub use config::Config;
pub use sqlite::{CloseError, OpenError, SqliteListStore, SqlitePaymentRepository};
