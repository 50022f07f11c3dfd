//! Deliveries as rows: which are due, whose they are for a time, how an attempt went.

use application::ports::ClaimedDelivery;
use domain::WebhookDeliveryId;
use tokio_postgres::Row;

use crate::postgres::rows::{get, unsigned};
use crate::record::{Damage, parsed};

/// One look into the index for each endpoint.
pub(super) const ENDPOINTS_DUE: &str = "
    SELECT id FROM webhook_endpoints
    WHERE disabled_reason IS NULL AND deleted_at_ms IS NULL AND id > $2 AND EXISTS (
        SELECT 1 FROM webhook_deliveries
        WHERE endpoint_id = webhook_endpoints.id AND state = 'pending' AND next_attempt_at_ms <= $1)
    ORDER BY id LIMIT $3";

/// Passes over what somebody else is about to claim, rather than waiting for it to be gone.
pub(super) const CLAIM: &str = "
    WITH due AS (
        SELECT position, next_attempt_at_ms AS due_at_ms FROM webhook_deliveries
        WHERE endpoint_id = $1 AND state = 'pending' AND next_attempt_at_ms <= $2 AND EXISTS (
            SELECT 1 FROM webhook_endpoints WHERE id = $1 AND disabled_reason IS NULL AND deleted_at_ms IS NULL)
        ORDER BY next_attempt_at_ms, position LIMIT $4
        FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE webhook_deliveries AS d
        SET claim = d.claim + 1, next_attempt_at_ms = $3::BIGINT, claimed_until_ms = $3
        FROM due WHERE d.position = due.position
        RETURNING d.id, d.event_id, d.body, d.tries, d.claim, due.due_at_ms, d.position
    )
    SELECT id, event_id, body, tries, claim FROM claimed ORDER BY due_at_ms, position";

/// `$1` is the delivery, `$2` to `$5` the attempt, `$6` how many are kept. Where the delivery is somebody else's by now, or over,
/// nothing of the attempt counts.
macro_rules! finish {
    ($delivery:literal, $endpoint:literal, $told:literal) => {
        concat!(
            "WITH ended AS (
                UPDATE webhook_deliveries
                SET claimed_until_ms = NULL, tries = tries + 1, attempts_made = attempts_made + 1, ",
            $delivery,
            "   RETURNING position, attempts_made, endpoint_id
            ), kept AS (
                INSERT INTO webhook_attempts (delivery, number, at_ms, duration_ms, status, error)
                SELECT position, attempts_made, $2::BIGINT, $3::BIGINT, $4::BIGINT, $5::TEXT FROM ended
            ), forgotten AS (
                DELETE FROM webhook_attempts USING ended
                WHERE delivery = ended.position AND number <= ended.attempts_made - $6::BIGINT
            ), endpoint AS (
                UPDATE webhook_endpoints SET ",
            $endpoint,
            ") SELECT ",
            $told
        )
    };
}

/// Counts under any claim.
pub(super) const SUCCEED: &str = finish!(
    "state = 'succeeded', next_attempt_at_ms = NULL, ended_at_ms = $7::BIGINT
    WHERE id = $1 AND state = 'pending'",
    "failing_since_ms = NULL FROM ended WHERE id = ended.endpoint_id AND failing_since_ms IS NOT NULL",
    "NULL::TEXT"
);

/// Only an endpoint that is enabled can be disabled, so a reason that is told is one that was given by this attempt.
macro_rules! not_reached {
    ($delivery:literal) => {
        finish!(
            $delivery,
            "failing_since_ms = coalesce(failing_since_ms, $2),
                disabled_reason = CASE
                    WHEN $9::BOOLEAN THEN 'gone'
                    WHEN coalesce(failing_since_ms, $2) <= $10::BIGINT THEN 'failing' END
            FROM ended
            WHERE id = ended.endpoint_id AND disabled_reason IS NULL AND deleted_at_ms IS NULL
                AND ($9 OR failing_since_ms IS NULL OR failing_since_ms <= $10)
            RETURNING disabled_reason
            ), disabled_before AS (
                UPDATE webhook_endpoints SET failing_since_ms = $2 FROM ended
                WHERE id = ended.endpoint_id AND disabled_reason IS NOT NULL AND deleted_at_ms IS NULL
                    AND failing_since_ms IS NULL",
            "(SELECT disabled_reason FROM endpoint)"
        )
    };
}

pub(super) const RETRY: &str = not_reached!(
    "next_attempt_at_ms = $7::BIGINT
    WHERE id = $1 AND state = 'pending' AND claim = $8::BIGINT"
);
pub(super) const FAIL: &str = not_reached!(
    "state = 'failed', next_attempt_at_ms = NULL, ended_at_ms = $7::BIGINT
    WHERE id = $1 AND state = 'pending' AND claim = $8::BIGINT"
);

/// Tells, where there is such a delivery, whether its endpoint is enabled, and whether it is due now.
pub(super) const REPLAY: &str = "
    WITH found AS (
        SELECT id, EXISTS (
            SELECT 1 FROM webhook_endpoints
            WHERE webhook_endpoints.id = endpoint_id AND disabled_reason IS NULL AND deleted_at_ms IS NULL
        ) AS is_enabled
        FROM webhook_deliveries WHERE id = $1
    ), replayed AS (
        UPDATE webhook_deliveries AS d
        SET state = 'pending', next_attempt_at_ms = $2::BIGINT, claimed_until_ms = NULL, claim = claim + 1, tries = 0,
            ended_at_ms = NULL
        FROM found
        WHERE d.id = found.id AND found.is_enabled AND (state <> 'pending' OR coalesce(claimed_until_ms, 0) <= $2)
        RETURNING 1
    )
    SELECT is_enabled, EXISTS (SELECT 1 FROM replayed) FROM found";

pub(super) fn claimed(row: &Row) -> Result<ClaimedDelivery, Damage> {
    let id: &str = get(row, 0, "webhook_deliveries.id")?;
    Ok(ClaimedDelivery {
        id: parsed("webhook_deliveries.id", id, WebhookDeliveryId::parse)?,
        event_id: get(row, 1, "webhook_deliveries.event_id")?,
        body: get(row, 2, "webhook_deliveries.body")?,
        tries: unsigned(
            get(row, 3, "webhook_deliveries.tries")?,
            "webhook_deliveries.tries",
        )?,
        claim: unsigned(
            get(row, 4, "webhook_deliveries.claim")?,
            "webhook_deliveries.claim",
        )?,
    })
}
