//! Bare decisions as rows.

use std::sync::Arc;

use application::ports::{DecisionCursor, DecisionLogError, DecisionQuery, Page, RecordedDecision};
use async_trait::async_trait;
use domain::{DecisionId, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::PostgresPaymentRepository;
use super::rows::{get, unsigned};
use super::save::millis;
use crate::decisions::{DecisionTable, unread};
use crate::listing::{Listing, as_limit};
use crate::record::{Damage, DecisionColumns};

/// A list for each column.
const INSERT: &str = "
    INSERT INTO decisions (id, merchant_id, payment_id, outcome, created_at_ms, record)
    SELECT d.id, d.merchant_id, d.payment_id, d.outcome, d.created_at_ms, d.record
    FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::BIGINT[], $6::TEXT[])
        AS d (id, merchant_id, payment_id, outcome, created_at_ms, record)
    ON CONFLICT (id) DO NOTHING";

const SELECT: &str = "SELECT id, merchant_id, payment_id, outcome, created_at_ms, record FROM decisions";

const FIND: &str = "
    SELECT id, merchant_id, payment_id, outcome, created_at_ms, record FROM decisions WHERE id = $1";

const FORGET: &str = "
    DELETE FROM decisions WHERE id IN (
        SELECT id FROM decisions WHERE created_at_ms < $1 ORDER BY created_at_ms LIMIT $2)";

#[async_trait]
impl DecisionTable for PostgresPaymentRepository {
    async fn insert(&self, rows: Arc<[DecisionColumns]>) -> Result<(), DecisionLogError> {
        let texts = |column: fn(&DecisionColumns) -> &String| -> Vec<&str> {
            rows.iter().map(|row| column(row).as_str()).collect()
        };
        let ids = texts(|row| &row.id);
        let merchants = texts(|row| &row.merchant_id);
        let payments = texts(|row| &row.payment_id);
        let outcomes = texts(|row| &row.outcome);
        let created: Vec<i64> = rows.iter().map(|row| row.created_at_ms.cast_signed()).collect();
        let records = texts(|row| &row.record);
        let parameters: [&(dyn ToSql + Sync); 6] =
            [&ids, &merchants, &payments, &outcomes, &created, &records];
        self.execute(INSERT, &parameters)
            .await
            .map(|_| ())
            .map_err(unread)
    }

    async fn find(&self, id: &DecisionId) -> Result<Option<RecordedDecision>, DecisionLogError> {
        let rows = self.query(FIND, &[&id.as_str()]).await.map_err(unread)?;
        rows.first().map(restore).transpose()
    }

    async fn page(
        &self,
        query: &DecisionQuery,
        after: Option<&DecisionCursor>,
        limit: usize,
    ) -> Result<Page<RecordedDecision>, DecisionLogError> {
        let listing = Listing::decisions(SELECT, query, after, limit);
        let rows = self.listed(&listing).await.map_err(unread)?;
        let items = rows.iter().take(limit).map(restore).collect::<Result<_, _>>()?;
        Ok(Page {
            items,
            has_more: rows.len() > limit,
        })
    }

    async fn forget(&self, created_before: Timestamp, limit: usize) -> Result<usize, DecisionLogError> {
        let gone = self
            .execute(FORGET, &[&millis(created_before), &as_limit(limit)])
            .await
            .map_err(unread)?;
        Ok(usize::try_from(gone).unwrap_or(usize::MAX))
    }
}

fn restore(row: &Row) -> Result<RecordedDecision, DecisionLogError> {
    let restored = columns(row).and_then(|columns| columns.restore());
    restored.map_err(|damage| DecisionLogError::Corrupt {
        reason: damage.to_string(),
    })
}

fn columns(row: &Row) -> Result<DecisionColumns, Damage> {
    let created_at_ms = get(row, 4, "decisions.created_at_ms")?;
    Ok(DecisionColumns {
        id: get(row, 0, "decisions.id")?,
        merchant_id: get(row, 1, "decisions.merchant_id")?,
        payment_id: get(row, 2, "decisions.payment_id")?,
        outcome: get(row, 3, "decisions.outcome")?,
        created_at_ms: unsigned(created_at_ms, "decisions.created_at_ms")?,
        record: get(row, 5, "decisions.record")?,
    })
}
