//! Bare decisions as rows.

use std::sync::Arc;

use application::ports::{
    DecisionCursor, DecisionLogError, DecisionQuery, Page, RecordedDecision, RepositoryError,
};
use async_trait::async_trait;
use domain::{DecisionId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::SqlitePaymentRepository;
use super::catalog::values_of;
use super::row::unavailable;
use super::writer::Work;
use crate::decisions::{DecisionTable, unread};
use crate::listing::Listing;
use crate::record::DecisionColumns;

// Values are bound in the order in which their names stand here, as those of payments are.
const INSERT: &str = "
    INSERT INTO decisions (id, merchant_id, payment_id, outcome, created_at_ms, record)
    VALUES (:id, :merchant_id, :payment_id, :outcome, :created_at_ms, :record)
    ON CONFLICT (id) DO NOTHING";

const SELECT: &str = "SELECT id, merchant_id, payment_id, outcome, created_at_ms, record FROM decisions";

const FIND: &str = "
    SELECT id, merchant_id, payment_id, outcome, created_at_ms, record FROM decisions WHERE id = :id";

const FORGET: &str = "
    DELETE FROM decisions WHERE id IN (
        SELECT id FROM decisions WHERE created_at_ms < :created_before_ms ORDER BY created_at_ms LIMIT :limit)";

#[async_trait]
impl DecisionTable for SqlitePaymentRepository {
    async fn insert(&self, rows: Arc<[DecisionColumns]>) -> Result<(), DecisionLogError> {
        let written = self.write_other(Work::RecordDecisions(rows)).await;
        written.map(|_| ()).map_err(unread)
    }

    async fn find(&self, id: &DecisionId) -> Result<Option<RecordedDecision>, DecisionLogError> {
        let id = id.clone();
        let found = self.readers.run(move |connection| find(connection, &id)).await;
        let found = found.and_then(|found| found).map_err(unread)?;
        found.map(|columns| restore(&columns)).transpose()
    }

    async fn page(
        &self,
        query: &DecisionQuery,
        after: Option<&DecisionCursor>,
        limit: usize,
    ) -> Result<Page<RecordedDecision>, DecisionLogError> {
        let (query, after) = (query.clone(), after.cloned());
        let read = self
            .readers
            .run(move |connection| rows(connection, &query, after.as_ref(), limit))
            .await;
        let mut rows = read.and_then(|rows| rows).map_err(unread)?;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let items = rows.iter().map(restore).collect::<Result<_, _>>()?;
        Ok(Page { items, has_more })
    }

    async fn forget(&self, created_before: Timestamp, limit: usize) -> Result<usize, DecisionLogError> {
        let work = Work::ForgetDecisions {
            created_before,
            limit,
        };
        self.write_other(work).await.map_err(unread)
    }
}

fn restore(columns: &DecisionColumns) -> Result<RecordedDecision, DecisionLogError> {
    columns.restore().map_err(|damage| DecisionLogError::Corrupt {
        reason: damage.to_string(),
    })
}

pub(super) fn insert(connection: &Connection, rows: &[DecisionColumns]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(INSERT)?;
    for row in rows {
        statement.execute(params![
            row.id,
            row.merchant_id,
            row.payment_id,
            row.outcome,
            row.created_at_ms,
            row.record,
        ])?;
    }
    Ok(())
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

fn find(connection: &Connection, id: &DecisionId) -> Result<Option<DecisionColumns>, RepositoryError> {
    let found = connection.prepare_cached(FIND).and_then(|mut statement| {
        statement
            .query_row(named_params! { ":id": id.as_str() }, columns)
            .optional()
    });
    found.map_err(|error| unavailable(&error))
}

/// One more than there is room for, if there is one.
fn rows(
    connection: &Connection,
    query: &DecisionQuery,
    after: Option<&DecisionCursor>,
    limit: usize,
) -> Result<Vec<DecisionColumns>, RepositoryError> {
    let listing = Listing::decisions(SELECT, query, after, limit);
    let read = connection.prepare_cached(&listing.sql).and_then(|mut statement| {
        let rows = statement.query_map(values_of(&listing).as_slice(), columns)?;
        rows.collect()
    });
    read.map_err(|error| unavailable(&error))
}

fn columns(row: &Row<'_>) -> rusqlite::Result<DecisionColumns> {
    Ok(DecisionColumns {
        id: row.get(0)?,
        merchant_id: row.get(1)?,
        payment_id: row.get(2)?,
        outcome: row.get(3)?,
        created_at_ms: row.get(4)?,
        record: row.get(5)?,
    })
}
