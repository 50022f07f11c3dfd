//! Keys to the HTTP interface as rows.
//!
//! A key and the revision are written in one statement, the revision last: whoever changes keys at the same time waits for its row,
//! so that no change shares a number with another, and a number is seen only after all changes before it are.

use application::ports::{ApiKeyStore, ApiKeyStoreError, Page, RepositoryError};
use async_trait::async_trait;
use domain::ApiKeyId;
use domain::access::ApiKey;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::PostgresPaymentRepository;
use super::failure::unavailable_because;
use super::rows::{get, unsigned};
use crate::listing::one_more;
use crate::record::{ApiKeyColumns, Damage};

macro_rules! save {
    ($key:literal) => {
        concat!(
            "WITH saved AS (",
            $key,
            " RETURNING 1), raised AS (
                UPDATE api_keys_revision SET revision = revision + 1 WHERE EXISTS (SELECT 1 FROM saved))
            SELECT 1 FROM saved"
        )
    };
}

const SAVE_NEW: &str = save!(
    "INSERT INTO api_keys (id, name, role, merchant_id, scopes, digest, last4, previous_digest, previous_valid_until_ms,
        created_at_ms, rotated_at_ms, expires_at_ms, revoked_at_ms, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    ON CONFLICT (id) DO NOTHING"
);

const SAVE_KNOWN: &str = save!(
    "UPDATE api_keys SET name = $2, role = $3, merchant_id = $4, scopes = $5, digest = $6, last4 = $7, previous_digest = $8,
        previous_valid_until_ms = $9, created_at_ms = $10, rotated_at_ms = $11, expires_at_ms = $12, revoked_at_ms = $13,
        version = $14::BIGINT
    WHERE id = $1 AND version = $14::BIGINT - 1"
);

const REVISION: &str = "SELECT revision FROM api_keys_revision";

macro_rules! select_keys {
    ($condition:literal) => {
        concat!(
            "SELECT id, name, role, merchant_id, scopes, digest, last4, previous_digest, previous_valid_until_ms,
                created_at_ms, rotated_at_ms, expires_at_ms, revoked_at_ms, version
            FROM api_keys WHERE ",
            $condition
        )
    };
}

const FIND: &str = select_keys!("id = $1");

const LIST: &str = select_keys!("id > $1 ORDER BY id LIMIT $2");

#[async_trait]
impl ApiKeyStore for PostgresPaymentRepository {
    async fn save(&self, key: &mut ApiKey) -> Result<(), ApiKeyStoreError> {
        let columns = ApiKeyColumns::of(key);
        let is_new = columns.version == 1;
        if self
            .write(&columns)
            .await
            .map_err(|error| of_repository(&error))?
        {
            key.version = columns.version;
            return Ok(());
        }
        let id = key.id.clone();
        Err(if is_new {
            ApiKeyStoreError::AlreadyExists { id }
        } else {
            ApiKeyStoreError::Conflict { id }
        })
    }

    async fn find(&self, id: &ApiKeyId) -> Result<Option<ApiKey>, ApiKeyStoreError> {
        let found = self.query(FIND, &[&id.as_str()]).await;
        let found = found.map_err(|error| of_repository(&error))?;
        found.first().map(restore).transpose()
    }

    async fn list(&self, after: Option<&ApiKeyId>, limit: usize) -> Result<Page<ApiKey>, ApiKeyStoreError> {
        let after = after.map_or("", ApiKeyId::as_str);
        let rows = self.query(LIST, &[&after, &one_more(limit)]).await;
        let mut rows = rows.map_err(|error| of_repository(&error))?;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let items = rows.iter().map(restore).collect::<Result<_, _>>()?;
        Ok(Page { items, has_more })
    }

    async fn revision(&self) -> Result<u64, ApiKeyStoreError> {
        let rows = self.query(REVISION, &[]).await;
        let rows = rows.map_err(|error| of_repository(&error))?;
        let row = rows
            .first()
            .ok_or_else(|| of_damage(&Damage::of("api_keys_revision", "has no row")))?;
        let revision = get(row, 0, "api_keys_revision.revision")
            .and_then(|revision: i64| unsigned(revision, "api_keys_revision.revision"));
        revision.map_err(|damage| of_damage(&damage))
    }
}

impl PostgresPaymentRepository {
    /// Tells whether it was written: not where the name is taken, or the version is another.
    async fn write(&self, key: &ApiKeyColumns) -> Result<bool, RepositoryError> {
        let sql = if key.version == 1 { SAVE_NEW } else { SAVE_KNOWN };
        let version = i64::try_from(key.version)
            .map_err(|_| unavailable_because("the version of the key is out of range".to_owned()))?;
        let created_at_ms = key.created_at_ms.cast_signed();
        let rotated_at_ms = key.rotated_at_ms.cast_signed();
        let [previous_valid_until_ms, expires_at_ms, revoked_at_ms] =
            [key.previous_valid_until_ms, key.expires_at_ms, key.revoked_at_ms]
                .map(|at| at.map(u64::cast_signed));
        let values: [&(dyn ToSql + Sync); 14] = [
            &key.id,
            &key.name,
            &key.role,
            &key.merchant_id,
            &key.scopes,
            &key.digest,
            &key.last4,
            &key.previous_digest,
            &previous_valid_until_ms,
            &created_at_ms,
            &rotated_at_ms,
            &expires_at_ms,
            &revoked_at_ms,
            &version,
        ];
        let written = self.write_and_tell(sql, &values).await?;
        Ok(!written.is_empty())
    }
}

fn restore(row: &Row) -> Result<ApiKey, ApiKeyStoreError> {
    columns(row)
        .and_then(ApiKeyColumns::restore)
        .map_err(|damage| of_damage(&damage))
}

fn columns(row: &Row) -> Result<ApiKeyColumns, Damage> {
    let moment = |column, field| unsigned(get(row, column, field)?, field);
    let moment_if_any = |column, field| {
        let at: Option<i64> = get(row, column, field)?;
        at.map(|at| unsigned(at, field)).transpose()
    };
    Ok(ApiKeyColumns {
        id: get(row, 0, "api_keys.id")?,
        name: get(row, 1, "api_keys.name")?,
        role: get(row, 2, "api_keys.role")?,
        merchant_id: get(row, 3, "api_keys.merchant_id")?,
        scopes: get(row, 4, "api_keys.scopes")?,
        digest: get(row, 5, "api_keys.digest")?,
        last4: get(row, 6, "api_keys.last4")?,
        previous_digest: get(row, 7, "api_keys.previous_digest")?,
        previous_valid_until_ms: moment_if_any(8, "api_keys.previous_valid_until_ms")?,
        created_at_ms: moment(9, "api_keys.created_at_ms")?,
        rotated_at_ms: moment(10, "api_keys.rotated_at_ms")?,
        expires_at_ms: moment_if_any(11, "api_keys.expires_at_ms")?,
        revoked_at_ms: moment_if_any(12, "api_keys.revoked_at_ms")?,
        version: moment(13, "api_keys.version")?,
    })
}

fn of_damage(damage: &Damage) -> ApiKeyStoreError {
    ApiKeyStoreError::Unavailable {
        reason: damage.to_string(),
    }
}

fn of_repository(error: &RepositoryError) -> ApiKeyStoreError {
    ApiKeyStoreError::Unavailable {
        reason: match error {
            RepositoryError::Unavailable { reason } => reason.clone(),
            other => other.to_string(),
        },
    }
}
