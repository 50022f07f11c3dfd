//! Keys to the HTTP interface as rows.

use application::ports::{ApiKeyStore, ApiKeyStoreError, Page, RepositoryError};
use async_trait::async_trait;
use domain::ApiKeyId;
use domain::access::ApiKey;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::SqlitePaymentRepository;
use super::row::unavailable;
use super::writer::{Work, WriteError};
use crate::record::{ApiKeyColumns, Damage};

const INSERT: &str = "
    INSERT INTO api_keys (id, name, role, merchant_id, scopes, digest, last4, previous_digest, previous_valid_until_ms,
        created_at_ms, rotated_at_ms, expires_at_ms, revoked_at_ms, version)
    VALUES (:id, :name, :role, :merchant_id, :scopes, :digest, :last4, :previous_digest, :previous_valid_until_ms,
        :created_at_ms, :rotated_at_ms, :expires_at_ms, :revoked_at_ms, :version)
    ON CONFLICT (id) DO NOTHING";

const UPDATE: &str = "
    UPDATE api_keys SET name = :name, role = :role, merchant_id = :merchant_id, scopes = :scopes, digest = :digest,
        last4 = :last4, previous_digest = :previous_digest, previous_valid_until_ms = :previous_valid_until_ms,
        created_at_ms = :created_at_ms, rotated_at_ms = :rotated_at_ms, expires_at_ms = :expires_at_ms,
        revoked_at_ms = :revoked_at_ms, version = :version
    WHERE id = :id AND version = :version - 1";

const RAISE_REVISION: &str = "UPDATE api_keys_revision SET revision = revision + 1";

const REVISION: &str = "SELECT revision FROM api_keys_revision";

const FIND: &str = "
    SELECT id, name, role, merchant_id, scopes, digest, last4, previous_digest, previous_valid_until_ms, created_at_ms,
        rotated_at_ms, expires_at_ms, revoked_at_ms, version
    FROM api_keys WHERE id = :id";

const LIST: &str = "
    SELECT id, name, role, merchant_id, scopes, digest, last4, previous_digest, previous_valid_until_ms, created_at_ms,
        rotated_at_ms, expires_at_ms, revoked_at_ms, version
    FROM api_keys WHERE id > :after ORDER BY id LIMIT :limit";

/// Tells whether it was written: not where the name is taken, or the version is another.
pub(super) fn write(connection: &Connection, key: &ApiKeyColumns) -> rusqlite::Result<bool> {
    let sql = if key.version == 1 { INSERT } else { UPDATE };
    let rows = connection.prepare_cached(sql)?.execute(named_params! {
        ":id": key.id,
        ":name": key.name,
        ":role": key.role,
        ":merchant_id": key.merchant_id,
        ":scopes": key.scopes,
        ":digest": key.digest,
        ":last4": key.last4,
        ":previous_digest": key.previous_digest,
        ":previous_valid_until_ms": key.previous_valid_until_ms,
        ":created_at_ms": key.created_at_ms,
        ":rotated_at_ms": key.rotated_at_ms,
        ":expires_at_ms": key.expires_at_ms,
        ":revoked_at_ms": key.revoked_at_ms,
        ":version": key.version,
    })?;
    if rows == 0 {
        return Ok(false);
    }
    connection.prepare_cached(RAISE_REVISION)?.execute([])?;
    Ok(true)
}

fn find(connection: &Connection, id: &ApiKeyId) -> Result<Option<ApiKey>, ApiKeyStoreError> {
    let found = connection.prepare_cached(FIND).and_then(|mut statement| {
        let wanted = named_params! { ":id": id.as_str() };
        statement.query_row(wanted, columns).optional()
    });
    let found = found.map_err(|error| of_repository(&unavailable(&error)))?;
    found
        .map(ApiKeyColumns::restore)
        .transpose()
        .map_err(|damage| of_damage(&damage))
}

fn list(
    connection: &Connection,
    after: Option<&ApiKeyId>,
    limit: usize,
) -> Result<Page<ApiKey>, ApiKeyStoreError> {
    let rows = connection.prepare_cached(LIST).and_then(|mut statement| {
        let wanted = named_params! {
            ":after": after.map_or("", ApiKeyId::as_str),
            // One more tells whether there is more.
            ":limit": limit.saturating_add(1),
        };
        statement
            .query_map(wanted, columns)?
            .collect::<rusqlite::Result<Vec<_>>>()
    });
    let mut rows = rows.map_err(|error| of_repository(&unavailable(&error)))?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let items = rows
        .into_iter()
        .map(ApiKeyColumns::restore)
        .collect::<Result<_, _>>();
    Ok(Page {
        items: items.map_err(|damage| of_damage(&damage))?,
        has_more,
    })
}

fn revision(connection: &Connection) -> Result<u64, ApiKeyStoreError> {
    let read = connection
        .prepare_cached(REVISION)
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)));
    read.map_err(|error| of_repository(&unavailable(&error)))
}

fn columns(row: &Row<'_>) -> rusqlite::Result<ApiKeyColumns> {
    Ok(ApiKeyColumns {
        id: row.get(0)?,
        name: row.get(1)?,
        role: row.get(2)?,
        merchant_id: row.get(3)?,
        scopes: row.get(4)?,
        digest: row.get(5)?,
        last4: row.get(6)?,
        previous_digest: row.get(7)?,
        previous_valid_until_ms: row.get(8)?,
        created_at_ms: row.get(9)?,
        rotated_at_ms: row.get(10)?,
        expires_at_ms: row.get(11)?,
        revoked_at_ms: row.get(12)?,
        version: row.get(13)?,
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

#[async_trait]
impl ApiKeyStore for SqlitePaymentRepository {
    async fn save(&self, key: &mut ApiKey) -> Result<(), ApiKeyStoreError> {
        let columns = ApiKeyColumns::of(key);
        let version = columns.version;
        let id = || key.id.clone();
        match self.writer.write(Work::SaveApiKey(Box::new(columns))).await {
            Ok(_) => {
                key.version = version;
                Ok(())
            }
            Err(WriteError::OtherVersion) if version == 1 => {
                Err(ApiKeyStoreError::AlreadyExists { id: id() })
            }
            Err(WriteError::OtherVersion | WriteError::KeyTaken | WriteError::List(_)) => {
                Err(ApiKeyStoreError::Conflict { id: id() })
            }
            Err(WriteError::Unavailable(reason)) => Err(ApiKeyStoreError::Unavailable { reason }),
        }
    }

    async fn find(&self, id: &ApiKeyId) -> Result<Option<ApiKey>, ApiKeyStoreError> {
        let wanted = id.clone();
        let read = self
            .readers
            .run(move |connection| find(connection, &wanted))
            .await;
        read.map_err(|error| of_repository(&error))?
    }

    async fn list(&self, after: Option<&ApiKeyId>, limit: usize) -> Result<Page<ApiKey>, ApiKeyStoreError> {
        let after = after.cloned();
        let read = self
            .readers
            .run(move |connection| list(connection, after.as_ref(), limit))
            .await;
        read.map_err(|error| of_repository(&error))?
    }

    async fn revision(&self) -> Result<u64, ApiKeyStoreError> {
        let read = self.readers.run(revision).await;
        read.map_err(|error| of_repository(&error))?
    }
}
