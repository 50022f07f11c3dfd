//! Deliveries as rows: made, shown, cancelled, forgotten.

use application::ports::{DeliveryAttempt, DeliveryState, NewDelivery, StoredDelivery};
use domain::WebhookDeliveryId;
use domain::payment::PaymentEventKind;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::endpoints::{self, moment_if_any};
use crate::postgres::rows::{get, unsigned};
use crate::postgres::save::millis;
use crate::record::{Damage, known, moment, parsed};

pub(super) const POSITION: &str = "SELECT position FROM webhook_position";

/// Tells a row where the position was moved. An endpoint that went away meanwhile gets nothing.
pub(super) const ENQUEUE: &str = "
    WITH moved AS (
        UPDATE webhook_position SET position = $2 WHERE position = $1 RETURNING 1
    ), made AS (
        INSERT INTO webhook_deliveries (id, endpoint_id, event_id, event_kind, body, state, next_attempt_at_ms, created_at_ms)
        SELECT d.id, d.endpoint_id, d.event_id, d.event_kind, d.body, 'pending', d.created_at_ms, d.created_at_ms
        FROM moved, unnest($3::TEXT[], $4::TEXT[], $5::TEXT[], $6::TEXT[], $7::BYTEA[], $8::BIGINT[]) WITH ORDINALITY
            AS d (id, endpoint_id, event_id, event_kind, body, created_at_ms, number)
        WHERE EXISTS (SELECT 1 FROM webhook_endpoints WHERE webhook_endpoints.id = d.endpoint_id AND deleted_at_ms IS NULL)
        ORDER BY d.number
        ON CONFLICT (endpoint_id, event_id) DO NOTHING
    )
    SELECT 1 FROM moved";

/// A row for each attempt, with the delivery's own columns beside it.
macro_rules! select_deliveries {
    ($condition:literal) => {
        concat!(
            "SELECT d.position, d.id, d.endpoint_id, d.event_id, d.event_kind, d.state, d.next_attempt_at_ms,
                d.attempts_made, d.created_at_ms, a.at_ms, a.duration_ms, a.status, a.error
            FROM (SELECT * FROM webhook_deliveries WHERE ",
            $condition,
            ") AS d LEFT JOIN webhook_attempts AS a ON a.delivery = d.position
            ORDER BY d.position DESC, a.number"
        )
    };
}

pub(super) const FIND: &str = select_deliveries!("id = $1");
pub(super) const LIST: &str =
    select_deliveries!("endpoint_id = $1 AND position < $2 ORDER BY position DESC LIMIT $3");
pub(super) const LIST_IN_STATE: &str =
    select_deliveries!("endpoint_id = $1 AND position < $2 AND state = $4 ORDER BY position DESC LIMIT $3");

/// Several gateways may be at it: each takes what no other has taken up. Endpoint by endpoint, so that what is pending for all others
/// is not looked at.
pub(super) const CANCEL_UNWANTED: &str = "
    UPDATE webhook_deliveries
    SET state = 'cancelled', next_attempt_at_ms = NULL, claimed_until_ms = NULL, ended_at_ms = $1::BIGINT
    WHERE position IN (
        SELECT d.position FROM webhook_endpoints AS e CROSS JOIN LATERAL (
            SELECT position FROM webhook_deliveries
            WHERE endpoint_id = e.id AND state = 'pending' AND coalesce(claimed_until_ms, 0) <= $1
            LIMIT $2 FOR UPDATE SKIP LOCKED) AS d
        WHERE e.disabled_reason IS NOT NULL OR e.deleted_at_ms IS NOT NULL
        LIMIT $2)";

pub(super) const FORGET: &str = "
    DELETE FROM webhook_deliveries WHERE position IN (
        SELECT position FROM webhook_deliveries WHERE ended_at_ms < $1
        ORDER BY ended_at_ms LIMIT $2 FOR UPDATE SKIP LOCKED)";
pub(super) const FORGET_ENDPOINTS: &str = "
    DELETE FROM webhook_endpoints
    WHERE deleted_at_ms < $1 AND NOT EXISTS (
        SELECT 1 FROM webhook_deliveries WHERE endpoint_id = webhook_endpoints.id)";

pub(super) const COUNT_PENDING: &str =
    "SELECT count(*) FROM (SELECT 1 FROM webhook_deliveries WHERE state = 'pending' LIMIT $1) AS pending";

/// Deliveries that are to be made: a list for each column.
pub(super) struct Deliveries {
    id: Vec<String>,
    endpoint_id: Vec<String>,
    event_id: Vec<String>,
    event_kind: Vec<&'static str>,
    body: Vec<Vec<u8>>,
    created_at_ms: Vec<i64>,
}

impl Deliveries {
    pub(super) fn of(made: Vec<NewDelivery>) -> Self {
        let mut values = Self {
            id: Vec::with_capacity(made.len()),
            endpoint_id: Vec::with_capacity(made.len()),
            event_id: Vec::with_capacity(made.len()),
            event_kind: Vec::with_capacity(made.len()),
            body: Vec::with_capacity(made.len()),
            created_at_ms: Vec::with_capacity(made.len()),
        };
        for delivery in made {
            let NewDelivery {
                id,
                endpoint_id,
                event_id,
                event_kind,
                body,
                created_at,
            } = delivery;
            values.id.push(id.to_string());
            values.endpoint_id.push(endpoint_id.to_string());
            values.event_id.push(event_id);
            values.event_kind.push(event_kind.as_str());
            values.body.push(body);
            values.created_at_ms.push(millis(created_at));
        }
        values
    }

    /// In the order of the statement's numbers.
    pub(super) fn parameters<'a>(&'a self, from: &'a i64, to: &'a i64) -> [&'a (dyn ToSql + Sync); 8] {
        [
            from,
            to,
            &self.id,
            &self.endpoint_id,
            &self.event_id,
            &self.event_kind,
            &self.body,
            &self.created_at_ms,
        ]
    }
}

/// The deliveries of rows that are ordered by delivery.
pub(super) fn deliveries(rows: &[Row]) -> Result<Vec<StoredDelivery>, Damage> {
    let mut found: Vec<StoredDelivery> = Vec::new();
    for row in rows {
        let position = unsigned(
            get(row, 0, "webhook_deliveries.position")?,
            "webhook_deliveries.position",
        )?;
        let attempt = attempt(row)?;
        match found.last_mut() {
            Some(last) if last.position == position => last.attempts.extend(attempt),
            _ => found.push(delivery(row, position, attempt)?),
        }
    }
    Ok(found)
}

fn delivery(row: &Row, position: u64, attempt: Option<DeliveryAttempt>) -> Result<StoredDelivery, Damage> {
    let id: &str = get(row, 1, "webhook_deliveries.id")?;
    let kind: &str = get(row, 4, "webhook_deliveries.event_kind")?;
    let state: &str = get(row, 5, "webhook_deliveries.state")?;
    let created_at_ms = get(row, 8, "webhook_deliveries.created_at_ms")?;
    Ok(StoredDelivery {
        position,
        id: parsed("webhook_deliveries.id", id, WebhookDeliveryId::parse)?,
        endpoint_id: endpoints::id(row, 2, "webhook_deliveries.endpoint_id")?,
        event_id: get(row, 3, "webhook_deliveries.event_id")?,
        event_kind: known("webhook_deliveries.event_kind", kind, PaymentEventKind::parse)?,
        state: known("webhook_deliveries.state", state, DeliveryState::parse)?,
        next_attempt_at: moment_if_any(row, 6, "webhook_deliveries.next_attempt_at_ms")?,
        attempts_made: unsigned(
            get(row, 7, "webhook_deliveries.attempts_made")?,
            "webhook_deliveries.attempts_made",
        )?,
        attempts: attempt.into_iter().collect(),
        created_at: moment(
            "webhook_deliveries.created_at_ms",
            unsigned(created_at_ms, "webhook_deliveries.created_at_ms")?,
        )?,
    })
}

/// Of a delivery that was not attempted yet there is none.
fn attempt(row: &Row) -> Result<Option<DeliveryAttempt>, Damage> {
    let Some(at) = moment_if_any(row, 9, "webhook_attempts.at_ms")? else {
        return Ok(None);
    };
    let status: Option<i64> = get(row, 11, "webhook_attempts.status")?;
    Ok(Some(DeliveryAttempt {
        at,
        duration_ms: unsigned(
            get(row, 10, "webhook_attempts.duration_ms")?,
            "webhook_attempts.duration_ms",
        )?,
        status: status
            .map(|status| unsigned(status, "webhook_attempts.status"))
            .transpose()?,
        error: get(row, 12, "webhook_attempts.error")?,
    }))
}
