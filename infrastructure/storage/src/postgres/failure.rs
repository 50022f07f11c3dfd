//! What the server or the way to it said, in words for the operator, and what follows from it.

use std::error::Error as _;
use std::fmt::Write as _;

use application::ports::RepositoryError;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::record::Damage;

/// In words. Without the details that the server adds, since these may repeat what is in a row.
pub(super) fn describe(error: &Error) -> String {
    if let Some(told) = error.as_db_error() {
        let mut text = format!("{} ({})", told.message(), told.code().code());
        if let Some(constraint) = told.constraint() {
            // Writing to a text does not fail.
            let _infallible = write!(text, " on `{constraint}`");
        }
        return text;
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// Whether the statement was undone because another one was in its way, so that it can be tried again at once.
pub(super) fn is_in_the_way(error: &Error) -> bool {
    matches!(
        error.code(),
        Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED)
    )
}

/// Whether another process was faster in making the same table.
pub(super) fn is_made_already(error: &Error) -> bool {
    matches!(
        error.code(),
        Some(&SqlState::UNIQUE_VIOLATION | &SqlState::DUPLICATE_TABLE | &SqlState::DUPLICATE_OBJECT)
    )
}

/// Whether the connection is of no use any more: it is closed, or leads to a server that ends or only reads.
pub(super) fn is_the_connections(error: &Error) -> bool {
    error.as_db_error().is_none()
        || matches!(
            error.code(),
            Some(
                &SqlState::READ_ONLY_SQL_TRANSACTION
                    | &SqlState::ADMIN_SHUTDOWN
                    | &SqlState::CRASH_SHUTDOWN
                    | &SqlState::CANNOT_CONNECT_NOW
            )
        )
}

pub(super) fn unavailable(error: &Error) -> RepositoryError {
    unavailable_because(describe(error))
}

pub(super) const fn unavailable_because(reason: String) -> RepositoryError {
    RepositoryError::Unavailable { reason }
}

/// What is stored of a key or an event is not what a gateway wrote.
pub(super) fn damaged(damage: &Damage) -> RepositoryError {
    unavailable_because(damage.to_string())
}
