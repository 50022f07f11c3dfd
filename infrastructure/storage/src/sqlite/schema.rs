//! The schema, and the steps that led to it.

use application::ports::RepositoryError;
use rusqlite::{Connection, TransactionBehavior};

/// In the header of every database of Portcullis: the letters PCUL, so that no other program's file is taken for one.
const APPLICATION_ID: i64 = 0x5043_554c;

/// Each step leads from the version of its place to the next. A step that was released is never changed.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/sqlite/0001_payments.sql"),
    include_str!("../../migrations/sqlite/0002_lifecycle.sql"),
    include_str!("../../migrations/sqlite/0003_lists.sql"),
    include_str!("../../migrations/sqlite/0004_api_keys.sql"),
    include_str!("../../migrations/sqlite/0005_webhooks.sql"),
    include_str!("../../migrations/sqlite/0006_decisions.sql"),
    include_str!("../../migrations/sqlite/0007_append.sql"),
];

/// What this gateway makes of a database file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recognition {
    /// Ours, or empty.
    Usable,
    /// Another program's.
    Foreign,
    /// Written by a newer gateway.
    Newer {
        /// The version of its schema.
        found: i64,
    },
}

/// The version of the schema that this gateway writes.
pub(super) const fn latest() -> i64 {
    // A handful of files: the cast cannot wrap.
    #[expect(clippy::cast_possible_wrap, reason = "the number of migrations is small")]
    {
        MIGRATIONS.len() as i64
    }
}

/// Looks at a file without changing it.
pub(super) fn recognize(connection: &Connection) -> rusqlite::Result<Recognition> {
    let application_id = integer(connection, "application_id")?;
    let version = version(connection)?;
    if application_id != APPLICATION_ID {
        let objects: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        let empty = application_id == 0 && version == 0 && objects == 0;
        return Ok(if empty {
            Recognition::Usable
        } else {
            Recognition::Foreign
        });
    }
    Ok(if version > latest() {
        Recognition::Newer { found: version }
    } else {
        Recognition::Usable
    })
}

/// Takes every step that is still missing, in one transaction: a start that is cut short changes nothing.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Asked under the lock: another process may have been faster.
    let from = version(&transaction)?;
    let done = usize::try_from(from).unwrap_or(0);
    for step in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    if from < latest() {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", latest())?;
    }
    transaction.commit()
}

/// Writes the header again, as it is.
pub(super) fn touch(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "user_version", latest())
}

/// Reads a page of every table that a payment needs.
pub(super) fn check_readable(connection: &Connection) -> Result<(), RepositoryError> {
    const SQL: &str =
        "SELECT EXISTS (SELECT 1 FROM payments LIMIT 1) + EXISTS (SELECT 1 FROM operations LIMIT 1)";
    let read = connection
        .prepare_cached(SQL)
        .and_then(|mut statement| statement.query_row([], |_| Ok(())));
    read.map_err(|error| RepositoryError::Unavailable {
        reason: error.to_string(),
    })
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    integer(connection, "user_version")
}

fn integer(connection: &Connection, pragma: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, pragma, |row| row.get(0))
}
