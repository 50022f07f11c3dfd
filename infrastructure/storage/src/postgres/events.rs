//! Events as they are read, and how they come by their positions.
//!
//! Two transactions can commit in another order than they were numbered in, so a number that is drawn when an event is written does
//! not do: whoever has read the higher one would never see the lower. So an event is stored without a position, and a reader that
//! finds such events gives them theirs, in the order in which they arrived, with the one row locked that has the highest position
//! so far. The lock is held until that is committed, so a position is seen only after all lower ones are. Writers take no part in
//! this, and do not wait for each other.

use application::ports::{Page, RepositoryError, StoredEvent};
use domain::MerchantId;
use tokio_postgres::Row;

use super::connections::{Lease, ONE_BY_ONE, StatementError};
use super::failure::damaged;
use super::rows::{get, unsigned};
use crate::listing::one_more;
use crate::record::{Damage, EventColumns};

/// How many events are given their positions in one transaction: some 20 ms.
pub(super) const BATCH: i64 = 1_024;

/// How many such batches one reader does. What is left is done by whoever reads on.
const MAX_BATCHES: usize = 16;

macro_rules! select_events {
    ($condition:literal) => {
        concat!(
            "SELECT position, id, payment_id, merchant_id, kind, operation_id, occurred_at_ms, status, currency,
                amount_minor_units, captured_minor_units, refunded_minor_units
            FROM events WHERE ",
            $condition,
            " ORDER BY position LIMIT $2"
        )
    };
}

const AFTER: &str = select_events!("position > $1");
const AFTER_OF_MERCHANT: &str = select_events!("position > $1 AND merchant_id = $3");

const ARE_WITHOUT_POSITION: &str = "SELECT EXISTS (SELECT 1 FROM events WHERE position IS NULL)";

pub(super) const LOCK_POSITIONS: &str = "SELECT last_position FROM event_positions FOR UPDATE";

/// Sees all that was committed before the lock was had, since each statement sees what was committed before it.
pub(super) const GIVE_POSITIONS: &str = "
    WITH numbered AS (
        SELECT arrival, row_number() OVER (ORDER BY arrival) AS number
        FROM (SELECT arrival FROM events WHERE position IS NULL ORDER BY arrival LIMIT $1) AS waiting
    ), given AS (
        UPDATE events SET position = (SELECT last_position FROM event_positions) + numbered.number
        FROM numbered WHERE events.arrival = numbered.arrival
        RETURNING 1
    )
    UPDATE event_positions SET last_position = last_position + (SELECT count(*) FROM given)
    RETURNING (SELECT count(*) FROM given)";

pub(super) async fn after(
    lease: &Lease,
    position: u64,
    merchant: Option<&MerchantId>,
    limit: usize,
) -> Result<Page<StoredEvent>, RepositoryError> {
    let (mut page, are_waiting) = read(lease, position, merchant, limit).await?;
    let mut may_be_more = are_waiting;
    for _ in 0..MAX_BATCHES {
        if page.has_more || !may_be_more {
            return Ok(page);
        }
        may_be_more = give_positions(lease).await? == BATCH;
        (page, _) = read(lease, position, merchant, limit).await?;
    }
    page.has_more |= may_be_more;
    Ok(page)
}

/// Gives positions to all events that have none, or as many as one reader does.
pub(super) async fn give_all_positions(lease: &Lease) -> Result<(), RepositoryError> {
    for _ in 0..MAX_BATCHES {
        if give_positions(lease).await? < BATCH {
            break;
        }
    }
    Ok(())
}

/// A page, and whether there are events that have no position yet.
async fn read(
    lease: &Lease,
    position: u64,
    merchant: Option<&MerchantId>,
    limit: usize,
) -> Result<(Page<StoredEvent>, bool), RepositoryError> {
    // None has a higher one.
    let position = i64::try_from(position).unwrap_or(i64::MAX);
    let limit_and_one = one_more(limit);
    let merchant = merchant.map(MerchantId::as_str);
    let read = lease.within_patience(async {
        // Asked first: what comes meanwhile is left to the next reader, and what is waiting now is not overlooked.
        let waiting = lease.prepare_cached(ARE_WITHOUT_POSITION).await?;
        let are_waiting: bool = lease.query_one(&waiting, &[]).await?.try_get(0)?;
        let rows = match &merchant {
            Some(merchant) => {
                let statement = lease.prepare_cached(AFTER_OF_MERCHANT).await?;
                lease
                    .query(&statement, &[&position, &limit_and_one, merchant])
                    .await?
            }
            None => {
                let statement = lease.prepare_cached(AFTER).await?;
                lease.query(&statement, &[&position, &limit_and_one]).await?
            }
        };
        Ok((rows, are_waiting))
    });
    let (mut rows, are_waiting) = read.await.map_err(StatementError::into_unavailable)?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let items = rows.iter().map(event).collect::<Result<_, _>>();
    let items = items.map_err(|damage| damaged(&damage))?;
    Ok((Page { items, has_more }, are_waiting))
}

/// Tells how many events have a position now that had none.
async fn give_positions(lease: &Lease) -> Result<i64, RepositoryError> {
    let given = lease.until_nobody_is_in_the_way(|| async {
        let given = lease.transact(ONE_BY_ONE, [(LOCK_POSITIONS, &[]), (GIVE_POSITIONS, &[&BATCH])]);
        let [_, given] = given.await?;
        given.first().map_or(Ok(0), |given| given.try_get(0))
    });
    given.await.map_err(StatementError::into_unavailable)
}

fn event(row: &Row) -> Result<StoredEvent, Damage> {
    let columns = EventColumns {
        id: get(row, 1, "events.id")?,
        payment_id: get(row, 2, "events.payment_id")?,
        merchant_id: get(row, 3, "events.merchant_id")?,
        kind: get(row, 4, "events.kind")?,
        operation_id: get(row, 5, "events.operation_id")?,
        occurred_at_ms: unsigned(get(row, 6, "events.occurred_at_ms")?, "events.occurred_at_ms")?,
        status: get(row, 7, "events.status")?,
        currency: get(row, 8, "events.currency")?,
        amount_minor_units: get(row, 9, "events.amount_minor_units")?,
        captured_minor_units: get(row, 10, "events.captured_minor_units")?,
        refunded_minor_units: get(row, 11, "events.refunded_minor_units")?,
    };
    columns.restore(unsigned(get(row, 0, "events.position")?, "events.position")?)
}
