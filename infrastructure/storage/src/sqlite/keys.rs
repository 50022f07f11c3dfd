//! Idempotency keys as rows.

use application::ports::{IdempotencyKey, KeyEntry, RepositoryError, StoredAnswer};
use domain::{MerchantId, OperationId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::row::{KeyRow, unavailable};
use crate::record::KeyColumns;

const IS_ANSWERED: &str = "
    SELECT answer_status IS NOT NULL FROM idempotency_keys WHERE tenant = :tenant AND key = :key";

// Values are bound in the order in which their names stand here, as those of payments are.
const PUT: &str = "
    INSERT INTO idempotency_keys (tenant, key, digest, payment_id, operation_id, claimed_until_ms, answer_status,
        answer_body, created_at_ms)
    VALUES (:tenant, :key, :digest, :payment_id, :operation_id, :claimed_until_ms, :answer_status, :answer_body,
        :created_at_ms)
    ON CONFLICT (tenant, key) DO UPDATE
    SET operation_id = excluded.operation_id, claimed_until_ms = excluded.claimed_until_ms,
        answer_status = excluded.answer_status, answer_body = excluded.answer_body";

const FIND: &str = "
    SELECT digest, payment_id, operation_id, claimed_until_ms, answer_status, answer_body, created_at_ms
    FROM idempotency_keys WHERE tenant = :tenant AND key = :key";

const FORGET: &str = "
    DELETE FROM idempotency_keys WHERE (tenant, key) IN (
        SELECT tenant, key FROM idempotency_keys WHERE created_at_ms < :created_before_ms
        ORDER BY created_at_ms LIMIT :limit)";

/// Whether a key that is new is not there, and one that is not is there without an answer.
pub(super) fn is_as_expected(connection: &Connection, row: &KeyRow) -> rusqlite::Result<bool> {
    let answered: Option<bool> = connection
        .prepare_cached(IS_ANSWERED)?
        .query_row(
            params![row.entry.tenant.as_str(), row.entry.key.as_str()],
            |row| row.get(0),
        )
        .optional()?;
    Ok(match answered {
        None => row.is_new,
        Some(answered) => !row.is_new && !answered,
    })
}

pub(super) fn put(connection: &Connection, row: &KeyRow) -> rusqlite::Result<()> {
    let KeyEntry {
        tenant,
        key,
        digest,
        payment_id,
        operation_id,
        claimed_until,
        answer,
        created_at,
    } = &row.entry;
    connection.prepare_cached(PUT)?.execute(params![
        tenant.as_str(),
        key.as_str(),
        digest.0.as_slice(),
        payment_id.as_str(),
        operation_id.as_ref().map(OperationId::as_str),
        claimed_until.unix_millis(),
        answer.as_ref().map(|answer| answer.status),
        answer.as_ref().map(|StoredAnswer { body, .. }| body.as_slice()),
        created_at.unix_millis(),
    ])?;
    Ok(())
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
