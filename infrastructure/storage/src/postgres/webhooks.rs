//! Webhooks: endpoints, deliveries, and how far the events were handed out.
//!
//! Whatever several gateways may do at once is one statement that goes on from the row it has locked: of those who move the position on
//! one does, of those who look for what is due each gets other rows, and of those who write down how an attempt ended the one whose
//! claim it still is.

mod attempts;
mod deliveries;
mod endpoints;

use application::ports::{
    AttemptEnd, AttemptNext, ClaimedDeliveries, DeliveryCursor, DeliveryQuery, DisabledReason,
    EndpointChange, EndpointStatus, Enqueued, NewDelivery, NewEndpoint, Page, Replayed, RepositoryError,
    StoredDelivery, WebhookDeliveryStore, WebhookEndpoint, WebhookEndpointStore, WebhookStoreUnavailable,
};
use async_trait::async_trait;
use domain::{MerchantId, Timestamp, WebhookDeliveryId, WebhookEndpointId};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::connections::{ONE_BY_ONE, Work};
use super::rows::{get, unsigned};
use super::save::millis;
use super::{PostgresPaymentRepository, events};
use crate::listing::{as_limit, one_more};
use crate::record::{Damage, event_filter};
use deliveries::Deliveries;

type Result<T> = std::result::Result<T, WebhookStoreUnavailable>;

#[async_trait]
impl WebhookEndpointStore for PostgresPaymentRepository {
    async fn create(&self, endpoint: &NewEndpoint, max_of_merchant: usize) -> Result<bool> {
        let lease = self.connections.lease().await.map_err(of_repository)?;
        // All but the last few; those that come meanwhile get theirs in the transaction.
        events::give_all_positions(&lease).await.map_err(of_repository)?;
        let kinds = event_filter::text(&endpoint.events);
        let secret = endpoint.secret.expose().as_slice();
        let (created_at_ms, max) = (millis(endpoint.created_at), as_limit(max_of_merchant));
        let values: [&(dyn ToSql + Sync); 7] = [
            &endpoint.id.as_str(),
            &endpoint.merchant_id.as_str(),
            &endpoint.url.as_str(),
            &kinds,
            &secret,
            &created_at_ms,
            &max,
        ];
        // The lock of the positions is that of those who make endpoints too, so that none of them counts while another one adds.
        let made = lease.until_nobody_is_in_the_way(|| {
            let work: [Work<'_>; 3] = [
                (events::LOCK_POSITIONS, &[]),
                (events::GIVE_POSITIONS, &[&events::BATCH]),
                (endpoints::CREATE, &values),
            ];
            lease.transact(ONE_BY_ONE, work)
        });
        let [_, _, made] = made
            .await
            .map_err(|error| of_repository(error.into_unavailable()))?;
        Ok(!made.is_empty())
    }

    async fn find(&self, id: &WebhookEndpointId) -> Result<Option<WebhookEndpoint>> {
        let rows = self.rows(endpoints::FIND, &[&id.as_str()]).await?;
        first(&rows, endpoints::endpoint)
    }

    async fn list(
        &self,
        merchant: Option<&MerchantId>,
        after: Option<&WebhookEndpointId>,
        limit: usize,
    ) -> Result<Page<WebhookEndpoint>> {
        let after = after.map_or("", WebhookEndpointId::as_str);
        let limit_and_one = one_more(limit);
        let mut rows = match merchant.map(MerchantId::as_str) {
            Some(merchant) => {
                let values: [&(dyn ToSql + Sync); 3] = [&after, &limit_and_one, &merchant];
                self.rows(endpoints::LIST_OF_MERCHANT, &values).await?
            }
            None => self.rows(endpoints::LIST, &[&after, &limit_and_one]).await?,
        };
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let items = all(&rows, endpoints::endpoint)?;
        Ok(Page { items, has_more })
    }

    async fn change(
        &self,
        id: &WebhookEndpointId,
        change: &EndpointChange,
    ) -> Result<Option<WebhookEndpoint>> {
        let EndpointChange {
            url,
            events,
            enabled,
            secret,
        } = change;
        let url = url.as_ref().map(|url| url.as_str());
        let kinds = events.as_ref().and_then(event_filter::text);
        let until_ms = secret.as_ref().map(|(_, until)| millis(*until));
        let secret = secret.as_ref().map(|(secret, _)| secret.expose().as_slice());
        let values: [&(dyn ToSql + Sync); 7] = [
            &id.as_str(),
            &url,
            &events.is_some(),
            &kinds,
            enabled,
            &secret,
            &until_ms,
        ];
        let rows = self.written(endpoints::CHANGE, &values).await?;
        first(&rows, endpoints::endpoint)
    }

    async fn delete(&self, id: &WebhookEndpointId, now: Timestamp) -> Result<bool> {
        let values: [&(dyn ToSql + Sync); 2] = [&id.as_str(), &millis(now)];
        Ok(self.count_written(endpoints::DELETE, &values).await? == 1)
    }
}

#[async_trait]
impl WebhookDeliveryStore for PostgresPaymentRepository {
    async fn position(&self) -> Result<u64> {
        let rows = self.rows(deliveries::POSITION, &[]).await?;
        only(&rows, |row| {
            let position: i64 = get(row, 0, "webhook_position.position")?;
            unsigned(position, "webhook_position.position")
        })
    }

    async fn enqueue(&self, from: u64, to: u64, made: Vec<NewDelivery>) -> Result<Enqueued> {
        let made = Deliveries::of(made);
        let (from, to) = (number(from)?, number(to)?);
        let moved = self
            .written(deliveries::ENQUEUE, &made.parameters(&from, &to))
            .await?;
        Ok(if moved.is_empty() {
            Enqueued::PositionMoved
        } else {
            Enqueued::Yes
        })
    }

    async fn endpoints_due(
        &self,
        now: Timestamp,
        after: Option<&WebhookEndpointId>,
        limit: usize,
    ) -> Result<Vec<WebhookEndpointId>> {
        let after = after.map_or("", WebhookEndpointId::as_str);
        let values: [&(dyn ToSql + Sync); 3] = [&millis(now), &after, &as_limit(limit)];
        let rows = self.rows(attempts::ENDPOINTS_DUE, &values).await?;
        all(&rows, |row| endpoints::id(row, 0, "webhook_endpoints.id"))
    }

    async fn claim(
        &self,
        endpoint: &WebhookEndpointId,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Option<ClaimedDeliveries>> {
        let id = endpoint.as_str();
        let (now_ms, until_ms, limit) = (millis(now), millis(until), as_limit(limit));
        let values: [&(dyn ToSql + Sync); 4] = [&id, &now_ms, &until_ms, &limit];
        let wanted: [&(dyn ToSql + Sync); 1] = [&id];
        let work = [(attempts::CLAIM, &values[..]), (endpoints::FIND, &wanted)];
        let [claimed, endpoint] = self.transact(ONE_BY_ONE, work).await.map_err(of_repository)?;
        // Where it was disabled between the two, what was claimed waits until the claim lapses, and is cancelled then.
        let endpoint = first(&endpoint, endpoints::endpoint)?
            .filter(|endpoint| endpoint.status == EndpointStatus::Enabled);
        let Some(endpoint) = endpoint else {
            return Ok(None);
        };
        let deliveries = all(&claimed, attempts::claimed)?;
        Ok(Some(ClaimedDeliveries { endpoint, deliveries }))
    }

    async fn finish(&self, end: &AttemptEnd) -> Result<Option<DisabledReason>> {
        let attempt = &end.attempt;
        let at_ms = millis(attempt.at);
        let duration_ms = i64::try_from(attempt.duration_ms).unwrap_or(i64::MAX);
        let now_ms = at_ms.saturating_add(duration_ms);
        let status = attempt.status.map(i64::from);
        let kept = as_limit(StoredDelivery::MAX_ATTEMPTS_KEPT);
        let id = end.delivery_id.as_str();
        let claim = number(end.claim)?;
        let failing_since = millis(end.disable_if_failing_since);
        let mut values: Vec<&(dyn ToSql + Sync)> =
            vec![&id, &at_ms, &duration_ms, &status, &attempt.error, &kept];
        let next_ms;
        let (sql, for_this): (_, &[&(dyn ToSql + Sync)]) = match end.next {
            AttemptNext::Succeeded => (attempts::SUCCEED, &[&now_ms]),
            AttemptNext::Failed => (attempts::FAIL, &[&now_ms, &claim, &end.gone, &failing_since]),
            AttemptNext::RetryAt(next) => {
                next_ms = millis(next);
                (attempts::RETRY, &[&next_ms, &claim, &end.gone, &failing_since])
            }
        };
        values.extend(for_this);
        let rows = self.written(sql, &values).await?;
        let disabled = only(&rows, |row| {
            let reason: Option<&str> = get(row, 0, "webhook_endpoints.disabled_reason")?;
            reason.map(endpoints::disabled_reason).transpose()
        })?;
        Ok(disabled)
    }

    async fn replay(&self, id: &WebhookDeliveryId, now: Timestamp) -> Result<Replayed> {
        let values: [&(dyn ToSql + Sync); 2] = [&id.as_str(), &millis(now)];
        let rows = self.written(attempts::REPLAY, &values).await?;
        let told = first(&rows, |row| {
            Ok((
                get(row, 0, "webhook_endpoints.disabled_reason")?,
                get(row, 1, "webhook_deliveries.state")?,
            ))
        })?;
        Ok(match told {
            None => Replayed::NotFound,
            Some((false, _)) => Replayed::EndpointDisabled,
            Some((true, false)) => Replayed::InFlight,
            Some((true, true)) => Replayed::Yes,
        })
    }

    async fn find(&self, id: &WebhookDeliveryId) -> Result<Option<StoredDelivery>> {
        let rows = self.rows(deliveries::FIND, &[&id.as_str()]).await?;
        let found = deliveries::deliveries(&rows).map_err(|damage| unavailable(&damage))?;
        Ok(found.into_iter().next())
    }

    async fn list(
        &self,
        query: &DeliveryQuery,
        after: Option<DeliveryCursor>,
        limit: usize,
    ) -> Result<Page<StoredDelivery>> {
        let endpoint = query.endpoint_id.as_str();
        let before = after.map_or(i64::MAX, |cursor| i64::try_from(cursor.0).unwrap_or(i64::MAX));
        let limit_and_one = one_more(limit);
        let rows = match query.state.map(|state| state.as_str()) {
            Some(state) => {
                let values: [&(dyn ToSql + Sync); 4] = [&endpoint, &before, &limit_and_one, &state];
                self.rows(deliveries::LIST_IN_STATE, &values).await?
            }
            None => {
                let values: [&(dyn ToSql + Sync); 3] = [&endpoint, &before, &limit_and_one];
                self.rows(deliveries::LIST, &values).await?
            }
        };
        let mut items = deliveries::deliveries(&rows).map_err(|damage| unavailable(&damage))?;
        let has_more = items.len() > limit;
        items.truncate(limit);
        Ok(Page { items, has_more })
    }

    async fn cancel_unwanted(&self, now: Timestamp, limit: usize) -> Result<usize> {
        let values: [&(dyn ToSql + Sync); 2] = [&millis(now), &as_limit(limit)];
        self.count_written(deliveries::CANCEL_UNWANTED, &values).await
    }

    async fn forget(&self, ended_before: Timestamp, limit: usize) -> Result<usize> {
        let before = millis(ended_before);
        let values: [&(dyn ToSql + Sync); 2] = [&before, &as_limit(limit)];
        let forgotten = self.count_written(deliveries::FORGET, &values).await?;
        self.count_written(deliveries::FORGET_ENDPOINTS, &[&before])
            .await?;
        Ok(forgotten)
    }

    async fn count_pending(&self, at_most: usize) -> Result<usize> {
        let rows = self
            .rows(deliveries::COUNT_PENDING, &[&as_limit(at_most)])
            .await?;
        only(&rows, |row| {
            let count: i64 = get(row, 0, "webhook_deliveries")?;
            unsigned(count, "webhook_deliveries")
        })
    }
}

/// A number that no store of ours has ever told.
const OUT_OF_RANGE: &str = "a position or a claim is out of range";

impl PostgresPaymentRepository {
    async fn rows(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        self.query(sql, values).await.map_err(of_repository)
    }

    /// Has a statement write, and tells what it tells.
    async fn written(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        self.write_and_tell(sql, values).await.map_err(of_repository)
    }

    /// Has a statement write, and tells how many rows it wrote.
    async fn count_written(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<usize> {
        let count = self.execute(sql, values).await.map_err(of_repository)?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }
}

type Restored<T> = std::result::Result<T, Damage>;

fn all<T>(rows: &[Row], restore: impl Fn(&Row) -> Restored<T>) -> Result<Vec<T>> {
    let restored = rows.iter().map(restore).collect::<Restored<_>>();
    restored.map_err(|damage| unavailable(&damage))
}

fn first<T>(rows: &[Row], restore: impl Fn(&Row) -> Restored<T>) -> Result<Option<T>> {
    let restored = rows.first().map(restore).transpose();
    restored.map_err(|damage| unavailable(&damage))
}

/// Of a statement that tells one row whatever there is.
fn only<T>(rows: &[Row], restore: impl Fn(&Row) -> Restored<T>) -> Result<T> {
    first(rows, restore)?.ok_or_else(|| unavailable(&"the row of the position is gone"))
}

fn number(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|_| unavailable(&OUT_OF_RANGE))
}

fn of_repository(error: RepositoryError) -> WebhookStoreUnavailable {
    WebhookStoreUnavailable {
        reason: match error {
            RepositoryError::Unavailable { reason } => reason,
            other => other.to_string(),
        },
    }
}

fn unavailable(reason: &impl ToString) -> WebhookStoreUnavailable {
    WebhookStoreUnavailable {
        reason: reason.to_string(),
    }
}
