//! Deliveries as rows: which are due, whose they are for a time, how an attempt went.

use application::ports::{
    AttemptEnd, AttemptNext, ClaimedDeliveries, ClaimedDelivery, DisabledReason, EndpointStatus, Replayed,
    StoredDelivery,
};
use domain::{Timestamp, WebhookDeliveryId, WebhookEndpointId};
use rusqlite::{Connection, OptionalExtension, named_params};

use super::{endpoints, known};

/// One look into the index for each endpoint.
const ENDPOINTS_DUE: &str = "
    SELECT id FROM webhook_endpoints
    WHERE disabled_reason IS NULL AND deleted_at_ms IS NULL AND id > :after AND EXISTS (
        SELECT 1 FROM webhook_deliveries
        WHERE endpoint_id = webhook_endpoints.id AND state = 'pending' AND next_attempt_at_ms <= :now_ms)
    ORDER BY id LIMIT :limit";

const DUE: &str = "
    SELECT position, id, event_id, body, tries, claim + 1 FROM webhook_deliveries
    WHERE endpoint_id = :endpoint_id AND state = 'pending' AND next_attempt_at_ms <= :now_ms
    ORDER BY next_attempt_at_ms, position LIMIT :limit";

const CLAIM: &str = "
    UPDATE webhook_deliveries
    SET claim = claim + 1, next_attempt_at_ms = :until_ms, claimed_until_ms = :until_ms
    WHERE position = :position";

const SUCCEED: &str = "
    UPDATE webhook_deliveries
    SET state = 'succeeded', next_attempt_at_ms = NULL, claimed_until_ms = NULL, ended_at_ms = :now_ms,
        tries = tries + 1, attempts_made = attempts_made + 1
    WHERE id = :id AND state = 'pending'
    RETURNING position, attempts_made, endpoint_id";
const RETRY: &str = "
    UPDATE webhook_deliveries
    SET next_attempt_at_ms = :next_ms, claimed_until_ms = NULL, tries = tries + 1, attempts_made = attempts_made + 1
    WHERE id = :id AND state = 'pending' AND claim = :claim
    RETURNING position, attempts_made, endpoint_id";
const FAIL: &str = "
    UPDATE webhook_deliveries
    SET state = 'failed', next_attempt_at_ms = NULL, claimed_until_ms = NULL, ended_at_ms = :now_ms,
        tries = tries + 1, attempts_made = attempts_made + 1
    WHERE id = :id AND state = 'pending' AND claim = :claim
    RETURNING position, attempts_made, endpoint_id";

const KEEP_ATTEMPT: &str = "
    INSERT INTO webhook_attempts (delivery, number, at_ms, duration_ms, status, error)
    VALUES (:delivery, :number, :at_ms, :duration_ms, :status, :error)";
const FORGET_ATTEMPTS: &str =
    "DELETE FROM webhook_attempts WHERE delivery = :delivery AND number <= :number - :kept";

const REACHED: &str = "
    UPDATE webhook_endpoints SET failing_since_ms = NULL WHERE id = :id AND failing_since_ms IS NOT NULL";
const NOT_REACHED: &str = "
    UPDATE webhook_endpoints SET failing_since_ms = :now_ms WHERE id = :id AND failing_since_ms IS NULL";

const REPLAY: &str = "
    UPDATE webhook_deliveries
    SET state = 'pending', next_attempt_at_ms = :now_ms, claimed_until_ms = NULL, claim = claim + 1, tries = 0,
        ended_at_ms = NULL
    WHERE id = :id AND (state <> 'pending' OR coalesce(claimed_until_ms, 0) <= :now_ms)";
const ENDPOINT_OF: &str = "SELECT endpoint_id FROM webhook_deliveries WHERE id = :id";

pub(super) fn endpoints_due(
    connection: &Connection,
    now: Timestamp,
    after: Option<&WebhookEndpointId>,
    limit: usize,
) -> rusqlite::Result<Vec<WebhookEndpointId>> {
    let values = named_params! {
        ":now_ms": now.unix_millis(),
        ":after": after.map_or("", WebhookEndpointId::as_str),
        ":limit": limit,
    };
    connection
        .prepare_cached(ENDPOINTS_DUE)?
        .query_map(values, |row| row.get::<_, String>(0))?
        .map(|id| known("webhook_endpoints.id", WebhookEndpointId::parse(&id?).ok()))
        .collect()
}

pub(super) fn claim(
    connection: &Connection,
    endpoint: &WebhookEndpointId,
    now: Timestamp,
    until: Timestamp,
    limit: usize,
) -> rusqlite::Result<Option<ClaimedDeliveries>> {
    let Some(endpoint) = endpoints::find(connection, endpoint)? else {
        return Ok(None);
    };
    if endpoint.status != EndpointStatus::Enabled {
        return Ok(None);
    }
    let values = named_params! {
        ":endpoint_id": endpoint.id.as_str(),
        ":now_ms": now.unix_millis(),
        ":limit": limit,
    };
    let due = connection
        .prepare_cached(DUE)?
        .query_map(values, |row| {
            let id: String = row.get(1)?;
            let delivery = ClaimedDelivery {
                id: known("webhook_deliveries.id", WebhookDeliveryId::parse(&id).ok())?,
                event_id: row.get(2)?,
                body: row.get(3)?,
                tries: row.get(4)?,
                claim: row.get(5)?,
            };
            Ok((row.get::<_, u64>(0)?, delivery))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut deliveries = Vec::with_capacity(due.len());
    for (position, delivery) in due {
        connection
            .prepare_cached(CLAIM)?
            .execute(named_params! { ":position": position, ":until_ms": until.unix_millis() })?;
        deliveries.push(delivery);
    }
    Ok(Some(ClaimedDeliveries { endpoint, deliveries }))
}

pub(super) fn finish(connection: &Connection, end: &AttemptEnd) -> rusqlite::Result<Option<DisabledReason>> {
    let at_ms = end.attempt.at.unix_millis();
    let now_ms = at_ms.saturating_add(end.attempt.duration_ms);
    let id = end.delivery_id.as_str();
    let written = |row: &rusqlite::Row<'_>| {
        let endpoint: String = row.get(2)?;
        Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?, endpoint))
    };
    let written = match end.next {
        AttemptNext::Succeeded => connection
            .prepare_cached(SUCCEED)?
            .query_row(named_params! { ":id": id, ":now_ms": now_ms }, written),
        AttemptNext::RetryAt(next) => connection.prepare_cached(RETRY)?.query_row(
            named_params! { ":id": id, ":claim": end.claim, ":next_ms": next.unix_millis() },
            written,
        ),
        AttemptNext::Failed => connection.prepare_cached(FAIL)?.query_row(
            named_params! { ":id": id, ":claim": end.claim, ":now_ms": now_ms },
            written,
        ),
    };
    // Somebody else has it by now, or it is over: nothing of this attempt counts.
    let Some((delivery, number, endpoint)) = written.optional()? else {
        return Ok(None);
    };
    keep_attempt(connection, end, delivery, number)?;
    let endpoint = known(
        "webhook_deliveries.endpoint_id",
        WebhookEndpointId::parse(&endpoint).ok(),
    )?;
    if end.next == AttemptNext::Succeeded {
        connection
            .prepare_cached(REACHED)?
            .execute(named_params! { ":id": endpoint.as_str() })?;
        return Ok(None);
    }
    connection
        .prepare_cached(NOT_REACHED)?
        .execute(named_params! { ":id": endpoint.as_str(), ":now_ms": at_ms })?;
    disable_if_hopeless(connection, end, &endpoint)
}

fn keep_attempt(
    connection: &Connection,
    end: &AttemptEnd,
    delivery: u64,
    number: u64,
) -> rusqlite::Result<()> {
    let attempt = &end.attempt;
    connection.prepare_cached(KEEP_ATTEMPT)?.execute(named_params! {
        ":delivery": delivery,
        ":number": number,
        ":at_ms": attempt.at.unix_millis(),
        ":duration_ms": attempt.duration_ms,
        ":status": attempt.status,
        ":error": attempt.error,
    })?;
    connection
        .prepare_cached(FORGET_ATTEMPTS)?
        .execute(named_params! {
            ":delivery": delivery,
            ":number": number,
            ":kept": StoredDelivery::MAX_ATTEMPTS_KEPT,
        })?;
    Ok(())
}

fn disable_if_hopeless(
    connection: &Connection,
    end: &AttemptEnd,
    id: &WebhookEndpointId,
) -> rusqlite::Result<Option<DisabledReason>> {
    let Some(endpoint) = endpoints::find(connection, id)? else {
        return Ok(None);
    };
    if endpoint.status != EndpointStatus::Enabled {
        return Ok(None);
    }
    let is_failing = endpoint
        .failing_since
        .is_some_and(|since| since <= end.disable_if_failing_since);
    let reason = if end.gone {
        DisabledReason::Gone
    } else if is_failing {
        DisabledReason::Failing
    } else {
        return Ok(None);
    };
    endpoints::disable(connection, id, reason)?;
    Ok(Some(reason))
}

pub(super) fn replay(
    connection: &Connection,
    id: &WebhookDeliveryId,
    now: Timestamp,
) -> rusqlite::Result<Replayed> {
    let endpoint: Option<String> = connection
        .prepare_cached(ENDPOINT_OF)?
        .query_row(named_params! { ":id": id.as_str() }, |row| row.get(0))
        .optional()?;
    let Some(endpoint) = endpoint else {
        return Ok(Replayed::NotFound);
    };
    let endpoint = known(
        "webhook_deliveries.endpoint_id",
        WebhookEndpointId::parse(&endpoint).ok(),
    )?;
    let enabled = endpoints::find(connection, &endpoint)?
        .is_some_and(|endpoint| endpoint.status == EndpointStatus::Enabled);
    if !enabled {
        return Ok(Replayed::EndpointDisabled);
    }
    let due = connection
        .prepare_cached(REPLAY)?
        .execute(named_params! { ":id": id.as_str(), ":now_ms": now.unix_millis() })?;
    Ok(if due == 1 {
        Replayed::Yes
    } else {
        Replayed::InFlight
    })
}
