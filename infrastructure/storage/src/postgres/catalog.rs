//! Payments by something else than their name.

use application::ports::{Page, PageCursor, PaymentQuery, RepositoryError};
use domain::{Payment, PaymentId};
use tokio_postgres::Row;

use super::failure::{unavailable, unavailable_because};
use super::rows::{payments, select_payments};
use crate::listing::Listing;

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

/// One payment more than there is room for, if there is one.
pub(super) fn listing(query: &PaymentQuery, after: Option<&PageCursor>, limit: usize) -> Listing {
    let mut listing = Listing::payments("SELECT * FROM payments", query, after, limit);
    listing.sql = format!(
        select_payments!("({})", "p.created_at_ms DESC, p.id DESC"),
        listing.sql
    );
    listing
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
