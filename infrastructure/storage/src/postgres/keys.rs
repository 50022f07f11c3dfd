//! Idempotency keys as they are read and forgotten. They are written with a payment alone.

use application::ports::{IdempotencyKey, KeyEntry, RepositoryError};
use domain::MerchantId;
use tokio_postgres::Row;

use super::failure::damaged;
use super::rows::{get, unsigned};
use crate::record::{Damage, KeyColumns};

pub(super) const FIND: &str = "
    SELECT digest, payment_id, operation_id, claimed_until_ms, answer_status, answer_body, created_at_ms
    FROM idempotency_keys WHERE tenant = $1 AND key = $2";

pub(super) const FORGET: &str = "
    DELETE FROM idempotency_keys WHERE (tenant, key) IN (
        SELECT tenant, key FROM idempotency_keys WHERE created_at_ms < $1
        ORDER BY created_at_ms LIMIT $2)";

pub(super) fn entry(
    row: &Row,
    tenant: &MerchantId,
    key: &IdempotencyKey,
) -> Result<KeyEntry, RepositoryError> {
    columns(row)
        .and_then(|columns| columns.restore(tenant.clone(), key.clone()))
        .map_err(|damage| damaged(&damage))
}

fn columns(row: &Row) -> Result<KeyColumns, Damage> {
    let claimed_until_ms = get(row, 3, "idempotency_keys.claimed_until_ms")?;
    let answer_status: Option<i64> = get(row, 4, "idempotency_keys.answer_status")?;
    let created_at_ms = get(row, 6, "idempotency_keys.created_at_ms")?;
    Ok(KeyColumns {
        digest: get(row, 0, "idempotency_keys.digest")?,
        payment_id: get(row, 1, "idempotency_keys.payment_id")?,
        operation_id: get(row, 2, "idempotency_keys.operation_id")?,
        claimed_until_ms: unsigned(claimed_until_ms, "idempotency_keys.claimed_until_ms")?,
        answer_status: answer_status
            .map(|status| unsigned(status, "idempotency_keys.answer_status"))
            .transpose()?,
        answer_body: get(row, 5, "idempotency_keys.answer_body")?,
        created_at_ms: unsigned(created_at_ms, "idempotency_keys.created_at_ms")?,
    })
}
