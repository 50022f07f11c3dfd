//! Idempotency keys as rows.

use application::ports::{IdempotencyKey, KeyEntry, RepositoryError, StoredAnswer};
use domain::{MerchantId, OperationId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::row::{KeyRow, unavailable};
use crate::record::KeyColumns;

const PLACE: &str = "
    SELECT id, EXISTS (SELECT 1 FROM idempotency_answers WHERE key_id = id)
    FROM idempotency_keys WHERE tenant = :tenant AND key = :key";

// Values are bound in the order in which their names stand here, as those of payments are.
const INSERT: &str = "
    INSERT INTO idempotency_keys (tenant, key, digest, payment_id, operation_id, claimed_until_ms, created_at_ms)
    VALUES (:tenant, :key, :digest, :payment_id, :operation_id, :claimed_until_ms, :created_at_ms)";

const UPDATE: &str = "
    UPDATE idempotency_keys SET operation_id = :operation_id, claimed_until_ms = :claimed_until_ms WHERE id = :id";

const ANSWER: &str =
    "INSERT INTO idempotency_answers (key_id, status, body) VALUES (:key_id, :status, :body)";

const FIND: &str = "
    SELECT digest, payment_id, operation_id, claimed_until_ms, status, body, created_at_ms
    FROM idempotency_keys LEFT JOIN idempotency_answers ON key_id = id
    WHERE tenant = :tenant AND key = :key";

const FORGET: &str = "
    DELETE FROM idempotency_keys WHERE id IN (
        SELECT id FROM idempotency_keys WHERE created_at_ms < :created_before_ms ORDER BY created_at_ms LIMIT :limit)";

/// Where a key is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is not there yet.
    New,
    /// It is there, without an answer.
    Kept {
        /// Its row.
        id: i64,
    },
}

/// Where a key is to be written: `None` where it is there although it is new, is answered, or is gone.
pub(super) fn place(connection: &Connection, row: &KeyRow) -> rusqlite::Result<Option<Place>> {
    let found: Option<(i64, bool)> = connection
        .prepare_cached(PLACE)?
        .query_row(
            params![row.entry.tenant.as_str(), row.entry.key.as_str()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    Ok(match found {
        None if row.is_new => Some(Place::New),
        Some((id, false)) if !row.is_new => Some(Place::Kept { id }),
        _ => None,
    })
}

pub(super) fn put(connection: &Connection, row: &KeyRow, place: Place) -> rusqlite::Result<()> {
    let entry = &row.entry;
    let id = match place {
        Place::New => insert(connection, entry)?,
        Place::Kept { id } => {
            connection.prepare_cached(UPDATE)?.execute(params![
                entry.operation_id.as_ref().map(OperationId::as_str),
                entry.claimed_until.unix_millis(),
                id,
            ])?;
            id
        }
    };
    if let Some(StoredAnswer { status, body }) = &entry.answer {
        connection
            .prepare_cached(ANSWER)?
            .execute(params![id, status, body.as_slice()])?;
    }
    Ok(())
}

fn insert(connection: &Connection, entry: &KeyEntry) -> rusqlite::Result<i64> {
    connection.prepare_cached(INSERT)?.insert(params![
        entry.tenant.as_str(),
        entry.key.as_str(),
        entry.digest.0.as_slice(),
        entry.payment_id.as_str(),
        entry.operation_id.as_ref().map(OperationId::as_str),
        entry.claimed_until.unix_millis(),
        entry.created_at.unix_millis(),
    ])
}

pub(super) fn find(
    connection: &Connection,
    tenant: MerchantId,
    key: IdempotencyKey,
) -> Result<Option<KeyEntry>, RepositoryError> {
    let found = connection.prepare_cached(FIND).and_then(|mut statement| {
        let wanted = params![tenant.as_str(), key.as_str()];
        statement.query_row(wanted, columns).optional()
    });
    let found = found.map_err(|error| unavailable(&error))?;
    found
        .map(|columns| columns.restore(tenant, key))
        .transpose()
        .map_err(|damage| RepositoryError::Unavailable {
            reason: damage.to_string(),
        })
}

/// Tells how many are gone.
pub(super) fn forget(
    connection: &Connection,
    created_before: Timestamp,
    limit: usize,
) -> rusqlite::Result<usize> {
    connection.prepare_cached(FORGET)?.execute(named_params! {
        ":created_before_ms": created_before.unix_millis(),
        ":limit": limit,
    })
}

fn columns(row: &Row<'_>) -> rusqlite::Result<KeyColumns> {
    Ok(KeyColumns {
        digest: row.get(0)?,
        payment_id: row.get(1)?,
        operation_id: row.get(2)?,
        claimed_until_ms: row.get(3)?,
        answer_status: row.get(4)?,
        answer_body: row.get(5)?,
        created_at_ms: row.get(6)?,
    })
}
