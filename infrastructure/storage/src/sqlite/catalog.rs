//! Payments by something else than their name.

use application::ports::{Page, PageCursor, PaymentQuery, RepositoryError};
use domain::{Payment, PaymentId, Timestamp};
use rusqlite::{Connection, Params, ToSql, named_params};

use super::row::{find_in, snapshot, unavailable};
use crate::listing::{Listing, Value};

const DUE_FOR_INQUIRY: &str = "
    SELECT payment_id FROM operations WHERE inquire_at_ms <= :now_ms ORDER BY inquire_at_ms LIMIT :limit";

const OVERDUE: &str = "
    SELECT id FROM payments
    WHERE expires_at_ms <= :now_ms AND NOT EXISTS (
        SELECT 1 FROM operations WHERE payment_id = payments.id AND status IN ('sent', 'unknown'))
    ORDER BY expires_at_ms LIMIT :limit";

const LEFT_TO_HUMANS: &str = "
    SELECT payment_id FROM operations
    WHERE status IN ('sent', 'unknown') AND inquire_at_ms IS NULL AND payment_id > :after
    ORDER BY payment_id LIMIT :limit";

pub(super) fn list(
    connection: &Connection,
    query: &PaymentQuery,
    after: Option<&PageCursor>,
    limit: usize,
) -> Result<Page<Payment>, RepositoryError> {
    let listing = Listing::payments("SELECT id FROM payments", query, after, limit);
    page(connection, &listing.sql, values_of(&listing).as_slice(), limit)
}

pub(super) fn left_to_humans(
    connection: &Connection,
    after: Option<&PaymentId>,
    limit: usize,
) -> Result<Page<Payment>, RepositoryError> {
    let after = after.map_or("", PaymentId::as_str);
    let values = named_params! { ":after": after, ":limit": limit + 1 };
    page(connection, LEFT_TO_HUMANS, values, limit)
}

pub(super) fn due_for_inquiry(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<PaymentId>, RepositoryError> {
    let values = named_params! { ":now_ms": now.unix_millis(), ":limit": limit };
    names(connection, DUE_FOR_INQUIRY, values)
}

pub(super) fn overdue(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<PaymentId>, RepositoryError> {
    let values = named_params! { ":now_ms": now.unix_millis(), ":limit": limit };
    names(connection, OVERDUE, values)
}

/// The values of a listing, each for its place.
pub(super) fn values_of(listing: &Listing) -> Vec<&dyn ToSql> {
    let values = listing.values.iter().map(|value| match value {
        Value::Text(text) => text as &dyn ToSql,
        Value::Number(number) => number,
    });
    values.collect()
}

/// The payments of a statement that tells one name more than there is room for, if there is one more.
fn page(
    connection: &Connection,
    sql: &str,
    values: impl Params,
    limit: usize,
) -> Result<Page<Payment>, RepositoryError> {
    let snapshot = snapshot(connection)?;
    let mut names = names(&snapshot, sql, values)?;
    let has_more = names.len() > limit;
    names.truncate(limit);
    let mut items = Vec::with_capacity(names.len());
    for id in &names {
        items.extend(find_in(&snapshot, id)?);
    }
    Ok(Page { items, has_more })
}

fn names(connection: &Connection, sql: &str, values: impl Params) -> Result<Vec<PaymentId>, RepositoryError> {
    let read = || {
        let mut statement = connection.prepare_cached(sql)?;
        let names = statement.query_map(values, |row| row.get::<_, String>(0))?;
        names.collect::<rusqlite::Result<Vec<_>>>()
    };
    let names = read().map_err(|error| unavailable(&error))?;
    let parsed = names.iter().map(|name| PaymentId::parse(name));
    parsed
        .collect::<Result<_, _>>()
        .map_err(|error| RepositoryError::Unavailable {
            reason: format!("a payment is stored under a name that none has: {error}"),
        })
}
