//! Several jobs in one transaction, none of which can undo another.

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::{Job, Work, WriteError, WriteResult};
use crate::sqlite::row::Written;
use crate::sqlite::{api_keys, keys, lists, schema};

/// Does all jobs; the results are in their order.
///
/// A name that is taken and a version that has changed are told by rows that a statement did not touch: no error, nothing
/// to undo. Where a job fails otherwise, the transaction is undone and each job gets one of its own.
pub(super) fn write(connection: &mut Connection, jobs: &[Job]) -> Vec<WriteResult> {
    if jobs.is_empty() {
        return Vec::new();
    }
    match commit(connection, jobs) {
        Ok(results) => results,
        Err(error) if jobs.len() > 1 && is_about_one_job(&error) => jobs
            .iter()
            .map(|job| {
                commit(connection, std::slice::from_ref(job))
                    .unwrap_or_else(|error| vec![refuse(&error)])
                    .pop()
                    .unwrap_or(Ok(0))
            })
            .collect(),
        Err(error) => {
            tracing::error!(%error, jobs = jobs.len(), "payments were not stored");
            jobs.iter().map(|_| refuse(&error)).collect()
        }
    }
}

fn commit(connection: &mut Connection, jobs: &[Job]) -> rusqlite::Result<Vec<WriteResult>> {
    // Dropped without a commit it is undone.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let results = jobs
        .iter()
        .map(|job| execute(&transaction, &job.work))
        .collect::<rusqlite::Result<Vec<_>>>()?;
    transaction.commit()?;
    Ok(results)
}

fn execute(connection: &Connection, work: &Work) -> rusqlite::Result<WriteResult> {
    match work {
        Work::Save(row) => Ok(match row.write(connection)? {
            Written::Yes => Ok(0),
            Written::No => Err(WriteError::OtherVersion),
            Written::KeyTaken => Err(WriteError::KeyTaken),
        }),
        Work::SaveApiKey(key) => Ok(if api_keys::write(connection, key)? {
            Ok(0)
        } else {
            Err(WriteError::OtherVersion)
        }),
        Work::ForgetKeys {
            created_before,
            limit,
        } => keys::forget(connection, *created_before, *limit).map(Ok),
        Work::PutListItem(item) => Ok(lists::put(connection, item)?.map_err(WriteError::List)),
        Work::RemoveListItem(removal) => Ok(lists::remove(connection, removal)?.map_err(WriteError::List)),
        Work::Other(statements) => (statements.0)(connection).map(|()| Ok(0)),
        Work::Check => schema::touch(connection).map(|()| Ok(0)),
    }
}

/// Whether the others may get through without it. A full disk or a lock concerns them all.
fn is_about_one_job(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch)
    ) || error.sqlite_error_code().is_none()
}

fn refuse(error: &rusqlite::Error) -> WriteResult {
    Err(WriteError::Unavailable(error.to_string()))
}
