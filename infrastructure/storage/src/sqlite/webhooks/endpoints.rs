//! Endpoints as rows. One that is gone keeps its row while it has deliveries, and is seen by nobody.

use application::ports::{
    DisabledReason, EndpointChange, EndpointStatus, NewEndpoint, Page, PreviousSecret, WEBHOOK_SECRET_BYTES,
    WebhookEndpoint, WebhookSecret, WebhookUrl,
};
use domain::{MerchantId, Timestamp, WebhookEndpointId};
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::known;
use crate::record::event_filter;

const CREATE: &str = "
    INSERT INTO webhook_endpoints (id, merchant_id, url, event_kinds, secret, starts_after, created_at_ms)
    SELECT :id, :merchant_id, :url, :event_kinds, :secret, (SELECT coalesce(max(position), 0) FROM events), :created_at_ms
    WHERE (SELECT count(*) FROM webhook_endpoints WHERE merchant_id = :merchant_id AND deleted_at_ms IS NULL) < :max";

macro_rules! select_endpoints {
    ($condition:literal) => {
        concat!(
            "SELECT id, merchant_id, url, event_kinds, disabled_reason, secret, previous_secret, previous_until_ms,
                starts_after, failing_since_ms, created_at_ms
            FROM webhook_endpoints WHERE deleted_at_ms IS NULL AND ",
            $condition
        )
    };
}

const FIND: &str = select_endpoints!("id = :id");
const LIST: &str = select_endpoints!("id > :after ORDER BY id LIMIT :limit");
const LIST_OF_MERCHANT: &str =
    select_endpoints!("merchant_id = :merchant_id AND id > :after ORDER BY id LIMIT :limit");

const CHANGE_URL: &str = "UPDATE webhook_endpoints SET url = :url WHERE id = :id AND deleted_at_ms IS NULL";
const CHANGE_EVENTS: &str =
    "UPDATE webhook_endpoints SET event_kinds = :event_kinds WHERE id = :id AND deleted_at_ms IS NULL";
const DISABLE: &str = "
    UPDATE webhook_endpoints SET disabled_reason = coalesce(disabled_reason, :reason)
    WHERE id = :id AND deleted_at_ms IS NULL";
/// What is true of an endpoint that is enabled already stays so.
const ENABLE: &str = "
    UPDATE webhook_endpoints SET disabled_reason = NULL, failing_since_ms = NULL
    WHERE id = :id AND deleted_at_ms IS NULL AND disabled_reason IS NOT NULL";
const CHANGE_SECRET: &str = "
    UPDATE webhook_endpoints SET previous_secret = secret, previous_until_ms = :until_ms, secret = :secret
    WHERE id = :id AND deleted_at_ms IS NULL";

const DELETE: &str = "
    UPDATE webhook_endpoints
    SET deleted_at_ms = :now_ms, secret = x'', previous_secret = NULL, previous_until_ms = NULL
    WHERE id = :id AND deleted_at_ms IS NULL";

pub(super) fn create(connection: &Connection, endpoint: &NewEndpoint, max: usize) -> rusqlite::Result<bool> {
    let made = connection.prepare_cached(CREATE)?.execute(named_params! {
        ":id": endpoint.id.as_str(),
        ":merchant_id": endpoint.merchant_id.as_str(),
        ":url": endpoint.url.as_str(),
        ":event_kinds": event_filter::text(&endpoint.events),
        ":secret": endpoint.secret.expose().as_slice(),
        ":created_at_ms": endpoint.created_at.unix_millis(),
        ":max": max,
    })?;
    Ok(made == 1)
}

pub(super) fn find(
    connection: &Connection,
    id: &WebhookEndpointId,
) -> rusqlite::Result<Option<WebhookEndpoint>> {
    connection
        .prepare_cached(FIND)?
        .query_row(named_params! { ":id": id.as_str() }, endpoint)
        .optional()
}

pub(super) fn list(
    connection: &Connection,
    merchant: Option<&MerchantId>,
    after: Option<&WebhookEndpointId>,
    limit: usize,
) -> rusqlite::Result<Page<WebhookEndpoint>> {
    let after = after.map_or("", WebhookEndpointId::as_str);
    let read: rusqlite::Result<Vec<_>> = match merchant {
        Some(merchant) => connection
            .prepare_cached(LIST_OF_MERCHANT)?
            .query_map(
                named_params! { ":merchant_id": merchant.as_str(), ":after": after, ":limit": limit + 1 },
                endpoint,
            )?
            .collect(),
        None => connection
            .prepare_cached(LIST)?
            .query_map(named_params! { ":after": after, ":limit": limit + 1 }, endpoint)?
            .collect(),
    };
    let mut items = read?;
    let has_more = items.len() > limit;
    items.truncate(limit);
    Ok(Page { items, has_more })
}

pub(super) fn change(
    connection: &Connection,
    id: &WebhookEndpointId,
    change: &EndpointChange,
) -> rusqlite::Result<Option<WebhookEndpoint>> {
    let EndpointChange {
        url,
        events,
        enabled,
        secret,
    } = change;
    let id_text = id.as_str();
    if let Some(url) = url {
        let values = named_params! { ":id": id_text, ":url": url.as_str() };
        connection.prepare_cached(CHANGE_URL)?.execute(values)?;
    }
    if let Some(events) = events {
        let values = named_params! { ":id": id_text, ":event_kinds": event_filter::text(events) };
        connection.prepare_cached(CHANGE_EVENTS)?.execute(values)?;
    }
    match enabled {
        Some(true) => {
            connection
                .prepare_cached(ENABLE)?
                .execute(named_params! { ":id": id_text })?;
        }
        Some(false) => disable(connection, id, DisabledReason::ByMerchant)?,
        None => {}
    }
    if let Some((secret, until)) = secret {
        connection.prepare_cached(CHANGE_SECRET)?.execute(named_params! {
            ":id": id_text,
            ":secret": secret.expose().as_slice(),
            ":until_ms": until.unix_millis(),
        })?;
    }
    find(connection, id)
}

/// One that is disabled already keeps its reason.
pub(super) fn disable(
    connection: &Connection,
    id: &WebhookEndpointId,
    reason: DisabledReason,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(DISABLE)?
        .execute(named_params! { ":id": id.as_str(), ":reason": reason.as_str() })?;
    Ok(())
}

pub(super) fn delete(
    connection: &Connection,
    id: &WebhookEndpointId,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let gone = connection
        .prepare_cached(DELETE)?
        .execute(named_params! { ":id": id.as_str(), ":now_ms": now.unix_millis() })?;
    Ok(gone == 1)
}

fn endpoint(row: &Row<'_>) -> rusqlite::Result<WebhookEndpoint> {
    let id: String = row.get(0)?;
    let merchant_id: String = row.get(1)?;
    let url: String = row.get(2)?;
    let kinds: Option<String> = row.get(3)?;
    let reason: Option<String> = row.get(4)?;
    let secret: [u8; WEBHOOK_SECRET_BYTES] = row.get(5)?;
    let previous: Option<[u8; WEBHOOK_SECRET_BYTES]> = row.get(6)?;
    let previous_until: Option<u64> = row.get(7)?;
    let failing_since: Option<u64> = row.get(9)?;
    let status = match reason {
        None => EndpointStatus::Enabled,
        Some(reason) => EndpointStatus::Disabled(known(
            "webhook_endpoints.disabled_reason",
            DisabledReason::parse(&reason),
        )?),
    };
    Ok(WebhookEndpoint {
        id: known("webhook_endpoints.id", WebhookEndpointId::parse(&id).ok())?,
        merchant_id: known(
            "webhook_endpoints.merchant_id",
            MerchantId::parse(&merchant_id).ok(),
        )?,
        url: WebhookUrl::allowed(&url),
        events: known(
            "webhook_endpoints.event_kinds",
            event_filter::parse(kinds.as_deref()),
        )?,
        status,
        secret: WebhookSecret::new(secret),
        previous_secret: previous
            .zip(previous_until)
            .map(|(secret, until)| PreviousSecret {
                secret: WebhookSecret::new(secret),
                until: Timestamp::from_unix_millis(until),
            }),
        starts_after: row.get(8)?,
        failing_since: failing_since.map(Timestamp::from_unix_millis),
        created_at: Timestamp::from_unix_millis(row.get(10)?),
    })
}
