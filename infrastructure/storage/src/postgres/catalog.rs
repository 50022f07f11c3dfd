//! Payments by something else than their name.

use application::ports::{Page, PageCursor, PaymentQuery, RepositoryError};
use domain::payment::PaymentStatus;
use domain::{MerchantId, Payment, PaymentId};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::failure::{unavailable, unavailable_because};
use super::rows::{payments, select_payments};
use super::save::millis;

pub(super) const DUE_FOR_INQUIRY: &str = "
    SELECT payment_id FROM operations WHERE inquire_at_ms <= $1 ORDER BY inquire_at_ms, payment_id LIMIT $2";

pub(super) const OVERDUE: &str = "
    SELECT id FROM payments
    WHERE expires_at_ms <= $1 AND NOT EXISTS (
        SELECT 1 FROM operations WHERE payment_id = payments.id AND status IN ('sent', 'unknown'))
    ORDER BY expires_at_ms, id LIMIT $2";

pub(super) const LEFT_TO_HUMANS: &str = select_payments!(
    "(SELECT * FROM payments WHERE id IN (
        SELECT payment_id FROM operations
        WHERE status IN ('sent', 'unknown') AND inquire_at_ms IS NULL AND payment_id > $1
        ORDER BY payment_id LIMIT $2))",
    "p.id"
);

/// A statement and its values.
pub(super) struct Listing {
    pub(super) sql: String,
    values: Vec<Box<dyn ToSql + Sync + Send>>,
}

impl Listing {
    /// One payment more than there is room for, if there is one. Only what is asked for is in the statement, so that it goes by the
    /// index of that.
    pub(super) fn of(query: &PaymentQuery, after: Option<&PageCursor>, limit: usize) -> Self {
        let PaymentQuery {
            merchant,
            status,
            created_from,
            created_before,
        } = query;
        let mut listing = Self {
            sql: String::new(),
            values: Vec::new(),
        };
        let mut from = "(SELECT * FROM payments WHERE TRUE".to_owned();
        if let Some(merchant) = merchant.as_ref().map(MerchantId::to_string) {
            from.push_str(&format!(" AND merchant_id = {}", listing.value(merchant)));
        }
        if let Some(status) = status.map(PaymentStatus::as_str) {
            from.push_str(&format!(" AND status = {}", listing.value(status)));
        }
        if let Some(at) = created_from.map(millis) {
            from.push_str(&format!(" AND created_at_ms >= {}", listing.value(at)));
        }
        if let Some(at) = created_before.map(millis) {
            from.push_str(&format!(" AND created_at_ms < {}", listing.value(at)));
        }
        if let Some(PageCursor { created_at, id }) = after {
            let at = listing.value(millis(*created_at));
            let id = listing.value(id.to_string());
            from.push_str(&format!(" AND (created_at_ms, id) < ({at}, {id})"));
        }
        let limit = listing.value(one_more(limit));
        from.push_str(&format!(" ORDER BY created_at_ms DESC, id DESC LIMIT {limit})"));
        listing.sql = format!(select_payments!("{}", "p.created_at_ms DESC, p.id DESC"), from);
        listing
    }

    /// Takes a value in, and tells its place.
    fn value(&mut self, value: impl ToSql + Sync + Send + 'static) -> String {
        self.values.push(Box::new(value));
        format!("${}", self.values.len())
    }

    pub(super) fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.values
            .iter()
            .map(|value| &**value as &(dyn ToSql + Sync))
            .collect()
    }
}

/// As the database takes it. More than there can be is as good as all.
pub(super) fn one_more(limit: usize) -> i64 {
    as_limit(limit).saturating_add(1)
}

pub(super) fn as_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The payments of rows, of which there may be one more than there is room for.
pub(super) fn page(rows: &[Row], limit: usize) -> Result<Page<Payment>, RepositoryError> {
    let mut items = payments(rows)?;
    let has_more = items.len() > limit;
    items.truncate(limit);
    Ok(Page { items, has_more })
}

pub(super) fn names(rows: &[Row]) -> Result<Vec<PaymentId>, RepositoryError> {
    let name = |row: &Row| {
        let name: &str = row.try_get(0).map_err(|error| unavailable(&error))?;
        PaymentId::parse(name).map_err(|error| {
            unavailable_because(format!("a payment is stored under a name that none has: {error}"))
        })
    };
    rows.iter().map(name).collect()
}
