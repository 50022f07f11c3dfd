//! Bare decisions as rows.

use std::sync::Arc;

use application::ports::{DecisionCursor, DecisionLogError, DecisionQuery, Page, RecordedDecision};
use async_trait::async_trait;
use domain::{DecisionId, MerchantId, PaymentId, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::PostgresPaymentRepository;
use super::catalog::{as_limit, one_more};
use super::rows::{get, unsigned};
use super::save::millis;
use crate::decisions::{DecisionTable, unread};
use crate::record::{Damage, DecisionColumns};

/// A list for each column.
const INSERT: &str = "
    INSERT INTO decisions (id, merchant_id, payment_id, outcome, created_at_ms, record)
    SELECT d.id, d.merchant_id, d.payment_id, d.outcome, d.created_at_ms, d.record
    FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::BIGINT[], $6::TEXT[])
        AS d (id, merchant_id, payment_id, outcome, created_at_ms, record)
    ON CONFLICT (id) DO NOTHING";

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
        let listing = Listing::of(query, after, limit);
        let values: Vec<&(dyn ToSql + Sync)> = listing
            .values
            .iter()
            .map(|value| &**value as &(dyn ToSql + Sync))
            .collect();
        let rows = self.query(&listing.sql, &values).await.map_err(unread)?;
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

/// A statement and its values.
struct Listing {
    sql: String,
    values: Vec<Box<dyn ToSql + Sync + Send>>,
}

impl Listing {
    /// One decision more than there is room for, if there is one. Only what is asked for is in the statement, so that it goes by the
    /// index of that.
    fn of(query: &DecisionQuery, after: Option<&DecisionCursor>, limit: usize) -> Self {
        let DecisionQuery {
            merchant,
            payment,
            outcome,
            created_from,
            created_before,
        } = query;
        let mut listing = Self {
            sql:
                "SELECT id, merchant_id, payment_id, outcome, created_at_ms, record FROM decisions WHERE TRUE"
                    .to_owned(),
            values: Vec::new(),
        };
        if let Some(merchant) = merchant.as_ref().map(MerchantId::to_string) {
            listing.narrow("merchant_id =", merchant);
        }
        if let Some(payment) = payment.as_ref().map(PaymentId::to_string) {
            listing.narrow("payment_id =", payment);
        }
        if let Some(outcome) = outcome {
            listing.narrow("outcome =", outcome.as_str());
        }
        if let Some(at) = created_from.map(millis) {
            listing.narrow("created_at_ms >=", at);
        }
        if let Some(at) = created_before.map(millis) {
            listing.narrow("created_at_ms <", at);
        }
        if let Some(DecisionCursor { created_at, id }) = after {
            let at = listing.value(millis(*created_at));
            let id = listing.value(id.to_string());
            listing
                .sql
                .push_str(&format!(" AND (created_at_ms, id) < ({at}, {id})"));
        }
        let limit = listing.value(one_more(limit));
        let rest = format!(" ORDER BY created_at_ms DESC, id DESC LIMIT {limit}");
        listing.sql.push_str(&rest);
        listing
    }

    fn narrow(&mut self, comparison: &str, value: impl ToSql + Sync + Send + 'static) {
        let value = self.value(value);
        self.sql.push_str(&format!(" AND {comparison} {value}"));
    }

    /// Takes a value in, and tells its place.
    fn value(&mut self, value: impl ToSql + Sync + Send + 'static) -> String {
        self.values.push(Box::new(value));
        format!("${}", self.values.len())
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
