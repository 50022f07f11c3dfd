//! Payments by something else than their name.

use application::ports::{Page, PageCursor, PaymentQuery, RepositoryError};
use domain::payment::PaymentStatus;
use domain::{MerchantId, Payment, PaymentId, Timestamp};
use rusqlite::{Connection, Params, ToSql, named_params};

use super::row::{find_in, snapshot, unavailable};

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
    let PaymentQuery {
        merchant,
        status,
        created_from,
        created_before,
    } = query;
    let merchant = merchant.as_ref().map(MerchantId::as_str);
    let status = status.map(PaymentStatus::as_str);
    let created_from = created_from.map(Timestamp::unix_millis);
    let created_before = created_before.map(Timestamp::unix_millis);
    let after_at = after.map(|cursor| cursor.created_at.unix_millis());
    let after_id = after.map(|cursor| cursor.id.as_str());
    let limit_and_one = limit + 1;

    // Only what is asked for is in the statement, so that it goes by the index of that.
    let mut sql = "SELECT id FROM payments WHERE TRUE".to_owned();
    let mut values: Vec<(&str, &dyn ToSql)> = Vec::new();
    if let Some(merchant) = &merchant {
        sql.push_str(" AND merchant_id = :merchant_id");
        values.push((":merchant_id", merchant));
    }
    if let Some(status) = &status {
        sql.push_str(" AND status = :status");
        values.push((":status", status));
    }
    if let Some(from) = &created_from {
        sql.push_str(" AND created_at_ms >= :from_ms");
        values.push((":from_ms", from));
    }
    if let Some(before) = &created_before {
        sql.push_str(" AND created_at_ms < :before_ms");
        values.push((":before_ms", before));
    }
    if let (Some(at), Some(id)) = (&after_at, &after_id) {
        sql.push_str(" AND (created_at_ms, id) < (:after_ms, :after_id)");
        values.extend([(":after_ms", at as &dyn ToSql), (":after_id", id)]);
    }
    sql.push_str(" ORDER BY created_at_ms DESC, id DESC LIMIT :limit");
    values.push((":limit", &limit_and_one));
    page(connection, &sql, values.as_slice(), limit)
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
