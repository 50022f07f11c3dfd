//! Endpoints as rows. One that is gone keeps its row while it has deliveries, and is seen by nobody.

use application::ports::{
    DisabledReason, EndpointStatus, PreviousSecret, WEBHOOK_SECRET_BYTES, WebhookEndpoint, WebhookSecret,
    WebhookUrl,
};
use domain::{MerchantId, Timestamp, WebhookEndpointId};
use tokio_postgres::Row;

use crate::postgres::rows::{get, unsigned};
use crate::record::{Damage, event_filter, known, moment, parsed};

/// Begins behind the last event that has a position; every event has one by then that was there before.
pub(super) const CREATE: &str = "
    INSERT INTO webhook_endpoints (id, merchant_id, url, event_kinds, secret, created_at_ms, starts_after)
    SELECT $1::TEXT, $2::TEXT, $3::TEXT, $4::TEXT, $5::BYTEA, $6::BIGINT, (SELECT last_position FROM event_positions)
    WHERE (SELECT count(*) FROM webhook_endpoints WHERE merchant_id = $2 AND deleted_at_ms IS NULL) < $7::BIGINT
    RETURNING 1";

macro_rules! columns {
    () => {
        "id, merchant_id, url, event_kinds, disabled_reason, secret, previous_secret, previous_until_ms, starts_after,
            failing_since_ms, created_at_ms"
    };
}

macro_rules! select_endpoints {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM webhook_endpoints WHERE deleted_at_ms IS NULL AND ",
            $condition
        )
    };
}

pub(super) const FIND: &str = select_endpoints!("id = $1");
pub(super) const LIST: &str = select_endpoints!("id > $1 ORDER BY id LIMIT $2");
pub(super) const LIST_OF_MERCHANT: &str =
    select_endpoints!("id > $1 AND merchant_id = $3 ORDER BY id LIMIT $2");

/// What is not said stays. One that is disabled already keeps its reason; one that was disabled is enabled with a clean sheet.
pub(super) const CHANGE: &str = concat!(
    "UPDATE webhook_endpoints SET
        url = coalesce($2::TEXT, url),
        event_kinds = CASE WHEN $3::BOOLEAN THEN $4::TEXT ELSE event_kinds END,
        disabled_reason = CASE
            WHEN $5::BOOLEAN IS NULL THEN disabled_reason
            WHEN $5 THEN NULL
            ELSE coalesce(disabled_reason, 'by_merchant') END,
        failing_since_ms = CASE WHEN $5 AND disabled_reason IS NOT NULL THEN NULL ELSE failing_since_ms END,
        previous_secret = CASE WHEN $6::BYTEA IS NULL THEN previous_secret ELSE secret END,
        previous_until_ms = coalesce($7::BIGINT, previous_until_ms),
        secret = coalesce($6, secret)
    WHERE id = $1 AND deleted_at_ms IS NULL
    RETURNING ",
    columns!()
);

pub(super) const DELETE: &str = "
    UPDATE webhook_endpoints
    SET deleted_at_ms = $2, secret = ''::BYTEA, previous_secret = NULL, previous_until_ms = NULL
    WHERE id = $1 AND deleted_at_ms IS NULL";

pub(super) fn endpoint(row: &Row) -> Result<WebhookEndpoint, Damage> {
    let reason: Option<&str> = get(row, 4, "webhook_endpoints.disabled_reason")?;
    let status = match reason {
        None => EndpointStatus::Enabled,
        Some(reason) => EndpointStatus::Disabled(disabled_reason(reason)?),
    };
    let previous: Option<&[u8]> = get(row, 6, "webhook_endpoints.previous_secret")?;
    let previous_until = moment_if_any(row, 7, "webhook_endpoints.previous_until_ms")?;
    let previous_secret = match previous.zip(previous_until) {
        Some((bytes, until)) => Some(PreviousSecret {
            secret: secret("webhook_endpoints.previous_secret", bytes)?,
            until,
        }),
        None => None,
    };
    let merchant_id: &str = get(row, 1, "webhook_endpoints.merchant_id")?;
    Ok(WebhookEndpoint {
        id: id(row, 0, "webhook_endpoints.id")?,
        merchant_id: parsed("webhook_endpoints.merchant_id", merchant_id, MerchantId::parse)?,
        url: WebhookUrl::allowed(get(row, 2, "webhook_endpoints.url")?),
        events: event_filter::parse(get(row, 3, "webhook_endpoints.event_kinds")?)
            .ok_or_else(|| Damage::of("webhook_endpoints.event_kinds", "are unknown"))?,
        status,
        secret: secret(
            "webhook_endpoints.secret",
            get(row, 5, "webhook_endpoints.secret")?,
        )?,
        previous_secret,
        starts_after: unsigned(
            get(row, 8, "webhook_endpoints.starts_after")?,
            "webhook_endpoints.starts_after",
        )?,
        failing_since: moment_if_any(row, 9, "webhook_endpoints.failing_since_ms")?,
        created_at: moment(
            "webhook_endpoints.created_at_ms",
            unsigned(
                get(row, 10, "webhook_endpoints.created_at_ms")?,
                "webhook_endpoints.created_at_ms",
            )?,
        )?,
    })
}

pub(super) fn id(row: &Row, column: usize, field: &'static str) -> Result<WebhookEndpointId, Damage> {
    parsed(field, get(row, column, field)?, WebhookEndpointId::parse)
}

pub(super) fn disabled_reason(name: &str) -> Result<DisabledReason, Damage> {
    known("webhook_endpoints.disabled_reason", name, DisabledReason::parse)
}

pub(super) fn moment_if_any(
    row: &Row,
    column: usize,
    field: &'static str,
) -> Result<Option<Timestamp>, Damage> {
    let at: Option<i64> = get(row, column, field)?;
    at.map(|at| moment(field, unsigned(at, field)?)).transpose()
}

/// Nothing of it may be in a message.
fn secret(field: &'static str, bytes: &[u8]) -> Result<WebhookSecret, Damage> {
    let bytes = <[u8; WEBHOOK_SECRET_BYTES]>::try_from(bytes);
    let bytes = bytes.map_err(|_| Damage::of(field, format_args!("is not {WEBHOOK_SECRET_BYTES} bytes")))?;
    Ok(WebhookSecret::new(bytes))
}
