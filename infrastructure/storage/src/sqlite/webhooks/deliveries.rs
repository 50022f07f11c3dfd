//! Deliveries as rows: made, shown, cancelled, forgotten.

use application::ports::{
    DeliveryAttempt, DeliveryCursor, DeliveryQuery, DeliveryState, Enqueued, NewDelivery, Page,
    StoredDelivery,
};
use domain::payment::PaymentEventKind;
use domain::{Timestamp, WebhookDeliveryId, WebhookEndpointId};
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::known;

const POSITION: &str = "SELECT position FROM webhook_position";
const MOVE_ON: &str = "UPDATE webhook_position SET position = :to WHERE position = :from";

/// An endpoint that went away meanwhile gets nothing.
const ENQUEUE: &str = "
    INSERT INTO webhook_deliveries (id, endpoint_id, event_id, event_kind, body, state, next_attempt_at_ms, created_at_ms)
    SELECT :id, :endpoint_id, :event_id, :event_kind, :body, 'pending', :created_at_ms, :created_at_ms
    WHERE EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = :endpoint_id AND deleted_at_ms IS NULL)
    ON CONFLICT (endpoint_id, event_id) DO NOTHING";

macro_rules! select_deliveries {
    ($condition:literal) => {
        concat!(
            "SELECT position, id, endpoint_id, event_id, event_kind, state, next_attempt_at_ms, attempts_made,
                created_at_ms
            FROM webhook_deliveries WHERE ",
            $condition
        )
    };
}

const FIND: &str = select_deliveries!("id = :id");
const LIST: &str = select_deliveries!(
    "endpoint_id = :endpoint_id AND position < :before ORDER BY position DESC LIMIT :limit"
);
const LIST_IN_STATE: &str = select_deliveries!(
    "endpoint_id = :endpoint_id AND state = :state AND position < :before ORDER BY position DESC LIMIT :limit"
);

const ATTEMPTS: &str = "
    SELECT at_ms, duration_ms, status, error FROM webhook_attempts WHERE delivery = :delivery ORDER BY number";

const CANCEL_UNWANTED: &str = "
    UPDATE webhook_deliveries
    SET state = 'cancelled', next_attempt_at_ms = NULL, claimed_until_ms = NULL, ended_at_ms = :now_ms
    WHERE position IN (
        SELECT deliveries.position FROM webhook_endpoints AS endpoints
        CROSS JOIN webhook_deliveries AS deliveries ON deliveries.endpoint_id = endpoints.id
        WHERE (endpoints.disabled_reason IS NOT NULL OR endpoints.deleted_at_ms IS NOT NULL)
            AND deliveries.state = 'pending' AND coalesce(deliveries.claimed_until_ms, 0) <= :now_ms
        LIMIT :limit)";

const FORGET: &str = "
    DELETE FROM webhook_deliveries WHERE position IN (
        SELECT position FROM webhook_deliveries WHERE ended_at_ms < :before_ms ORDER BY ended_at_ms LIMIT :limit)";
const FORGET_ENDPOINTS: &str = "
    DELETE FROM webhook_endpoints
    WHERE deleted_at_ms < :before_ms AND NOT EXISTS (
        SELECT 1 FROM webhook_deliveries WHERE endpoint_id = webhook_endpoints.id)";

const COUNT_PENDING: &str =
    "SELECT count(*) FROM (SELECT 1 FROM webhook_deliveries WHERE state = 'pending' LIMIT :at_most)";

pub(super) fn position(connection: &Connection) -> rusqlite::Result<u64> {
    connection
        .prepare_cached(POSITION)?
        .query_row([], |row| row.get(0))
}

pub(super) fn enqueue(
    connection: &Connection,
    from: u64,
    to: u64,
    made: &[NewDelivery],
) -> rusqlite::Result<Enqueued> {
    let moved = connection
        .prepare_cached(MOVE_ON)?
        .execute(named_params! { ":from": from, ":to": to })?;
    if moved == 0 {
        return Ok(Enqueued::PositionMoved);
    }
    for delivery in made {
        connection.prepare_cached(ENQUEUE)?.execute(named_params! {
            ":id": delivery.id.as_str(),
            ":endpoint_id": delivery.endpoint_id.as_str(),
            ":event_id": delivery.event_id,
            ":event_kind": delivery.event_kind.as_str(),
            ":body": delivery.body,
            ":created_at_ms": delivery.created_at.unix_millis(),
        })?;
    }
    Ok(Enqueued::Yes)
}

pub(super) fn find(
    connection: &Connection,
    id: &WebhookDeliveryId,
) -> rusqlite::Result<Option<StoredDelivery>> {
    // Two statements, and one state of the database for both.
    let snapshot = connection.unchecked_transaction()?;
    let found = snapshot
        .prepare_cached(FIND)?
        .query_row(named_params! { ":id": id.as_str() }, delivery)
        .optional()?;
    found.map(|found| with_attempts(&snapshot, found)).transpose()
}

pub(super) fn list(
    connection: &Connection,
    query: &DeliveryQuery,
    after: Option<DeliveryCursor>,
    limit: usize,
) -> rusqlite::Result<Page<StoredDelivery>> {
    let snapshot = connection.unchecked_transaction()?;
    let before = after.map_or(i64::MAX.unsigned_abs(), |cursor| {
        cursor.0.min(i64::MAX.unsigned_abs())
    });
    let endpoint = query.endpoint_id.as_str();
    let read: rusqlite::Result<Vec<_>> = match query.state {
        Some(state) => snapshot
            .prepare_cached(LIST_IN_STATE)?
            .query_map(
                named_params! {
                    ":endpoint_id": endpoint,
                    ":state": state.as_str(),
                    ":before": before,
                    ":limit": limit + 1,
                },
                delivery,
            )?
            .collect(),
        None => snapshot
            .prepare_cached(LIST)?
            .query_map(
                named_params! { ":endpoint_id": endpoint, ":before": before, ":limit": limit + 1 },
                delivery,
            )?
            .collect(),
    };
    let mut found = read?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let items = found.into_iter().map(|found| with_attempts(&snapshot, found));
    Ok(Page {
        items: items.collect::<rusqlite::Result<_>>()?,
        has_more,
    })
}

pub(super) fn cancel_unwanted(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(CANCEL_UNWANTED)?
        .execute(named_params! { ":now_ms": now.unix_millis(), ":limit": limit })
}

pub(super) fn forget(
    connection: &Connection,
    ended_before: Timestamp,
    limit: usize,
) -> rusqlite::Result<usize> {
    let before = ended_before.unix_millis();
    let forgotten = connection
        .prepare_cached(FORGET)?
        .execute(named_params! { ":before_ms": before, ":limit": limit })?;
    connection
        .prepare_cached(FORGET_ENDPOINTS)?
        .execute(named_params! { ":before_ms": before })?;
    Ok(forgotten)
}

pub(super) fn count_pending(connection: &Connection, at_most: usize) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(COUNT_PENDING)?
        .query_row(named_params! { ":at_most": at_most }, |row| row.get(0))
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<StoredDelivery> {
    let id: String = row.get(1)?;
    let endpoint_id: String = row.get(2)?;
    let kind: String = row.get(4)?;
    let state: String = row.get(5)?;
    let next: Option<u64> = row.get(6)?;
    Ok(StoredDelivery {
        position: row.get(0)?,
        id: known("webhook_deliveries.id", WebhookDeliveryId::parse(&id).ok())?,
        endpoint_id: known(
            "webhook_deliveries.endpoint_id",
            WebhookEndpointId::parse(&endpoint_id).ok(),
        )?,
        event_id: row.get(3)?,
        event_kind: known("webhook_deliveries.event_kind", PaymentEventKind::parse(&kind))?,
        state: known("webhook_deliveries.state", DeliveryState::parse(&state))?,
        next_attempt_at: next.map(Timestamp::from_unix_millis),
        attempts_made: row.get(7)?,
        attempts: Vec::new(),
        created_at: Timestamp::from_unix_millis(row.get(8)?),
    })
}

fn with_attempts(connection: &Connection, found: StoredDelivery) -> rusqlite::Result<StoredDelivery> {
    let attempts = connection
        .prepare_cached(ATTEMPTS)?
        .query_map(named_params! { ":delivery": found.position }, |row| {
            Ok(DeliveryAttempt {
                at: Timestamp::from_unix_millis(row.get(0)?),
                duration_ms: row.get(1)?,
                status: row.get(2)?,
                error: row.get(3)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(StoredDelivery { attempts, ..found })
}
