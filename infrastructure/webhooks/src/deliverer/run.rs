//! Round after round.

use std::sync::Arc;
use std::time::Duration;

use domain::{Timestamp, WebhookEndpointId};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Deliverer, InFlight};

/// How many steps of handing out follow each other before what is due is looked at again.
const FAN_OUT_STEPS: usize = 20;

/// For how long attempts that run are waited for at the end. One that is cut off is made again when its claim has lapsed.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// How many endpoints are looked at in one query.
const ENDPOINTS_AT_ONCE: usize = 64;

/// Each so many rounds deliveries are cancelled, forgotten and counted.
const SELDOM_ROUNDS: u64 = 60;

/// How many rows one such transaction touches: some milliseconds, for which payments wait.
const ROWS_AT_ONCE: usize = 500;

/// How many such transactions follow each other; what is left comes at the next time.
const UPKEEP_STEPS: usize = 20;

/// Pending deliveries that are counted; more are one number with so many.
const COUNTED_AT_MOST: usize = 10_000;

/// The attempts that run, and whom they are for.
struct Running {
    tasks: JoinSet<WebhookEndpointId>,
    in_flight: InFlight,
    /// Behind which endpoint the next look begins, so that each has its turn.
    last: Option<WebhookEndpointId>,
}

impl Deliverer {
    /// Sends webhooks until it is told to stop. Attempts that run by then are given a few seconds to come to their end.
    pub async fn run(self, stop: CancellationToken) {
        let mut running = Running {
            tasks: JoinSet::new(),
            in_flight: InFlight::default(),
            last: None,
        };
        let mut round = 0_u64;
        let mut next_look = Instant::now();
        while !stop.is_cancelled() {
            if Instant::now() >= next_look {
                self.hand_out(&stop).await;
                if round.is_multiple_of(SELDOM_ROUNDS) {
                    self.look_after(&stop).await;
                }
                round = round.wrapping_add(1);
                next_look = Instant::now() + self.interval;
            }
            self.take_up(&mut running).await;
            tokio::select! {
                () = stop.cancelled() => {}
                // With an attempt that ends there is room for another one.
                Some(ended) = running.tasks.join_next() => running.ended(ended),
                () = tokio::time::sleep_until(next_look) => {}
            }
            while let Some(ended) = running.tasks.try_join_next() {
                running.ended(ended);
            }
        }
        let end = Instant::now() + LAST_WORDS;
        while let Ok(Some(ended)) = tokio::time::timeout_at(end, running.tasks.join_next()).await {
            running.ended(ended);
        }
        running.tasks.shutdown().await;
    }

    /// Turns what happened into deliveries.
    async fn hand_out(&self, stop: &CancellationToken) {
        for _ in 0..FAN_OUT_STEPS {
            if stop.is_cancelled() {
                return;
            }
            match self.fan_out.execute().await {
                Ok(done) if done.has_more => {}
                Ok(_) => return,
                Err(error) => {
                    tracing::warn!(%error, "events were not handed out to webhooks");
                    return;
                }
            }
        }
    }

    /// Begins as many attempts as there is room for, endpoint by endpoint, from where it stopped the last time.
    async fn take_up(&self, running: &mut Running) {
        let now = self.work.clock.now();
        let begin_behind = running.last.clone();
        let mut after = begin_behind.clone();
        let mut wrapped = begin_behind.is_none();
        while running.tasks.len() < self.max_in_flight {
            let due = self
                .work
                .deliveries
                .endpoints_due(now, after.as_ref(), ENDPOINTS_AT_ONCE)
                .await;
            let due = match due {
                Ok(due) => due,
                Err(error) => {
                    tracing::warn!(%error, "it cannot be told which webhooks are due");
                    return;
                }
            };
            for endpoint in &due {
                if wrapped && begin_behind.as_ref().is_some_and(|first| endpoint > first) {
                    return;
                }
                if running.tasks.len() >= self.max_in_flight {
                    return;
                }
                self.begin(running, endpoint, now).await;
                running.last = Some(endpoint.clone());
            }
            if due.len() < ENDPOINTS_AT_ONCE {
                if wrapped {
                    return;
                }
                wrapped = true;
                after = None;
            } else {
                after = due.last().cloned();
            }
        }
    }

    async fn begin(&self, running: &mut Running, endpoint: &WebhookEndpointId, now: Timestamp) {
        let busy = running.in_flight.of(endpoint);
        let room = self.max_per_endpoint.saturating_sub(busy);
        let room = room.min(self.max_in_flight.saturating_sub(running.tasks.len()));
        if room == 0 {
            return;
        }
        // Where nothing has got through of late one attempt is enough to find out whether it does again.
        let known_to_fail = match self.fan_out.endpoints.find(endpoint).await {
            Ok(found) => found.is_some_and(|found| found.failing_since.is_some()),
            Err(_) => return,
        };
        let room = match (known_to_fail, busy) {
            (true, 0) => 1,
            (true, _) => return,
            (false, _) => room,
        };
        let until = self.work.claimed_until(now);
        let claimed = match self.work.deliveries.claim(endpoint, now, until, room).await {
            Ok(Some(claimed)) => claimed,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(webhook.endpoint.id = %endpoint, %error, "no webhooks were taken up");
                return;
            }
        };
        let endpoint = Arc::new(claimed.endpoint);
        for delivery in claimed.deliveries {
            running.in_flight.begin(&endpoint.id);
            let (work, endpoint) = (Arc::clone(&self.work), Arc::clone(&endpoint));
            running.tasks.spawn(async move {
                work.attempt(&endpoint, delivery).await;
                endpoint.id.clone()
            });
        }
    }

    /// Cancels what is not wanted any more, forgets what ended long ago, and counts.
    async fn look_after(&self, stop: &CancellationToken) {
        let now = self.work.clock.now();
        let before = Timestamp::from_unix_millis(now.unix_millis().saturating_sub(self.keep_ms));
        for _ in 0..UPKEEP_STEPS {
            let cancelled = self.work.deliveries.cancel_unwanted(now, ROWS_AT_ONCE).await;
            let forgotten = self.work.deliveries.forget(before, ROWS_AT_ONCE).await;
            match (cancelled, forgotten) {
                (Ok(cancelled), Ok(forgotten)) if cancelled.max(forgotten) == ROWS_AT_ONCE => {}
                (Ok(_), Ok(_)) => break,
                (Err(error), _) | (_, Err(error)) => {
                    tracing::warn!(%error, "old webhooks were not looked after");
                    break;
                }
            }
            if stop.is_cancelled() {
                return;
            }
        }
        match self.work.deliveries.count_pending(COUNTED_AT_MOST).await {
            Ok(count) => {
                let count = i64::try_from(count).unwrap_or(i64::MAX);
                self.work.metrics.pending.set(count);
            }
            Err(error) => tracing::warn!(%error, "pending webhooks were not counted"),
        }
    }
}

impl Running {
    fn ended(&mut self, ended: Result<WebhookEndpointId, JoinError>) {
        match ended {
            Ok(endpoint) => self.in_flight.end(&endpoint),
            Err(error) => {
                tracing::error!(%error, "an attempt to send a webhook broke off");
                // Whose it was is not known any more: from here on all places are counted anew.
                self.in_flight = InFlight::default();
            }
        }
    }
}
