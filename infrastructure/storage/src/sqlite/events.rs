//! Events as rows. There is one writer, so their positions are stored in order.

use application::ports::{Page, RepositoryError, StoredEvent};
use domain::MerchantId;
use rusqlite::{Connection, Row, named_params, params};

use super::row::unavailable;
use crate::record::EventColumns;

// Values are bound in the order in which their names stand here, as those of payments are.
const APPEND: &str = "
    INSERT INTO events (id, payment_id, merchant_id, kind, operation_id, occurred_at_ms, status, currency,
        amount_minor_units, captured_minor_units, refunded_minor_units)
    VALUES (:id, :payment_id, :merchant_id, :kind, :operation_id, :occurred_at_ms, :status, :currency,
        :amount_minor_units, :captured_minor_units, :refunded_minor_units)";

macro_rules! select_events {
    ($condition:literal) => {
        concat!(
            "SELECT position, id, payment_id, merchant_id, kind, operation_id, occurred_at_ms, status, currency,
                amount_minor_units, captured_minor_units, refunded_minor_units
            FROM events WHERE ",
            $condition,
            " ORDER BY position LIMIT :limit"
        )
    };
}

const AFTER: &str = select_events!("position > :position AND :merchant_id IS NULL");
const AFTER_OF_MERCHANT: &str = select_events!("merchant_id = :merchant_id AND position > :position");

pub(super) fn append(connection: &Connection, events: &[EventColumns]) -> rusqlite::Result<()> {
    for event in events {
        let EventColumns {
            id,
            payment_id,
            merchant_id,
            kind,
            operation_id,
            occurred_at_ms,
            status,
            currency,
            amount_minor_units,
            captured_minor_units,
            refunded_minor_units,
        } = event;
        connection.prepare_cached(APPEND)?.execute(params![
            id,
            payment_id,
            merchant_id,
            kind,
            operation_id,
            occurred_at_ms,
            status,
            currency,
            amount_minor_units,
            captured_minor_units,
            refunded_minor_units,
        ])?;
    }
    Ok(())
}

pub(super) fn after(
    connection: &Connection,
    position: u64,
    merchant: Option<&MerchantId>,
    limit: usize,
) -> Result<Page<StoredEvent>, RepositoryError> {
    let sql = if merchant.is_some() {
        AFTER_OF_MERCHANT
    } else {
        AFTER
    };
    // None has a higher one.
    let position = i64::try_from(position).unwrap_or(i64::MAX);
    let read = || {
        connection
            .prepare_cached(sql)?
            .query_map(
                named_params! {
                    ":position": position,
                    ":merchant_id": merchant.map(MerchantId::as_str),
                    ":limit": limit + 1,
                },
                columns,
            )?
            .collect::<rusqlite::Result<Vec<_>>>()
    };
    let mut rows = read().map_err(|error| unavailable(&error))?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let items = rows.into_iter().map(|(position, event)| event.restore(position));
    let items = items.collect::<Result<Vec<_>, _>>();
    let items = items.map_err(|damage| RepositoryError::Unavailable {
        reason: damage.to_string(),
    })?;
    Ok(Page { items, has_more })
}

fn columns(row: &Row<'_>) -> rusqlite::Result<(u64, EventColumns)> {
    let event = EventColumns {
        id: row.get(1)?,
        payment_id: row.get(2)?,
        merchant_id: row.get(3)?,
        kind: row.get(4)?,
        operation_id: row.get(5)?,
        occurred_at_ms: row.get(6)?,
        status: row.get(7)?,
        currency: row.get(8)?,
        amount_minor_units: row.get(9)?,
        captured_minor_units: row.get(10)?,
        refunded_minor_units: row.get(11)?,
    };
    Ok((row.get(0)?, event))
}
