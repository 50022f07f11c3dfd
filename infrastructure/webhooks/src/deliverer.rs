//! The deliverer: hands events out, takes up what is due, sends it, writes down how it went.

mod run;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use application::ports::{
    AttemptEnd, AttemptNext, ClaimedDelivery, Clock, DeliveryAttempt, WebhookDeliveryStore, WebhookEndpoint,
};
use application::use_cases::FanOutEvents;
use domain::{Timestamp, WebhookEndpointId};
use prometheus_client::registry::Registry;

use crate::attempt::{AttemptResult, Outcome, Sender};
use crate::config::Config;
use crate::connection::{Connector, TlsError};
use crate::metrics::Metrics;
use crate::resolver::Resolver;
use crate::schedule::due_after;
use crate::url_rules::UrlRules;

/// For how much longer than an attempt a claim lasts: time to write down how it went on a machine that is very busy.
const CLAIM_SLACK: Duration = Duration::from_secs(45);

/// Sends webhooks. Any number of them share one store.
pub struct Deliverer {
    work: Arc<Work>,
    fan_out: FanOutEvents,
    max_in_flight: usize,
    max_per_endpoint: usize,
    interval: Duration,
    keep_ms: u64,
}

/// What every attempt needs.
struct Work {
    config: Config,
    sender: Sender,
    deliveries: Arc<dyn WebhookDeliveryStore>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

impl Deliverer {
    /// A deliverer over the ports of `fan_out`. Reads the authorities that are trusted; nothing is sent yet.
    ///
    /// # Errors
    /// When `ca_file` cannot be read, or TLS cannot be set up.
    pub fn new(
        config: &Config,
        fan_out: FanOutEvents,
        resolver: Arc<dyn Resolver>,
        registry: &mut Registry,
    ) -> Result<Self, TlsError> {
        let urls = UrlRules::new(config);
        let connector = Connector::new(resolver, urls.addresses().clone(), &config.ca_file)?;
        Ok(Self {
            max_in_flight: config.max_in_flight,
            max_per_endpoint: config.max_in_flight_per_endpoint,
            interval: Duration::from_millis(config.poll_interval_ms),
            keep_ms: config.keep_seconds.saturating_mul(1_000),
            work: Arc::new(Work {
                sender: Sender::new(config, urls, connector),
                deliveries: Arc::clone(&fan_out.deliveries),
                clock: Arc::clone(&fan_out.clock),
                metrics: Metrics::register(registry),
                config: config.clone(),
            }),
            fan_out,
        })
    }
}

impl Work {
    /// Until when what is claimed now is this deliverer's.
    fn claimed_until(&self, now: Timestamp) -> Timestamp {
        let length = self.config.request_timeout() + CLAIM_SLACK;
        let millis = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        Timestamp::from_unix_millis(now.unix_millis().saturating_add(millis))
    }

    /// Sends a delivery once, and writes down how that went. Where it cannot be written down the claim lapses, and the delivery
    /// is sent again.
    async fn attempt(&self, endpoint: &WebhookEndpoint, delivery: ClaimedDelivery) {
        let at = self.clock.now();
        let started = Instant::now();
        let outcome = self.sender.send(endpoint, &delivery, at).await;
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let next = self.next(&delivery, &outcome);
        let end = AttemptEnd {
            delivery_id: delivery.id,
            claim: delivery.claim,
            next,
            gone: outcome.status == Some(410),
            disable_if_failing_since: self.failing_threshold(at),
            attempt: DeliveryAttempt {
                at,
                duration_ms,
                status: outcome.status,
                error: outcome.error,
            },
        };
        self.metrics.attempt_ended(outcome.result, next);
        match self.deliveries.finish(&end).await {
            Ok(Some(reason)) => {
                self.metrics.endpoint_disabled(reason);
                tracing::warn!(
                    webhook.endpoint.id = %endpoint.id,
                    merchant.id = %endpoint.merchant_id,
                    reason = reason.as_str(),
                    "a webhook endpoint was disabled"
                );
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(webhook.delivery.id = %end.delivery_id, %error, "it could not be stored how an attempt went")
            }
        }
    }

    fn next(&self, delivery: &ClaimedDelivery, outcome: &Outcome) -> AttemptNext {
        if outcome.result == AttemptResult::Delivered {
            return AttemptNext::Succeeded;
        }
        let pause = self.config.pause_after(delivery.tries.saturating_add(1));
        match pause.filter(|_| outcome.status != Some(410)) {
            Some(pause) => {
                // Without randomness there is no jitter, and that is all.
                let random = getrandom::u64().unwrap_or_default();
                AttemptNext::RetryAt(due_after(self.clock.now(), pause, outcome.retry_after, random))
            }
            None => AttemptNext::Failed,
        }
    }

    fn failing_threshold(&self, now: Timestamp) -> Timestamp {
        let millis = self.config.disable_after_seconds.saturating_mul(1_000);
        Timestamp::from_unix_millis(now.unix_millis().saturating_sub(millis))
    }
}

/// How many attempts go to each endpoint now.
#[derive(Default)]
struct InFlight(HashMap<WebhookEndpointId, usize>);

impl InFlight {
    fn of(&self, endpoint: &WebhookEndpointId) -> usize {
        self.0.get(endpoint).copied().unwrap_or(0)
    }

    fn begin(&mut self, endpoint: &WebhookEndpointId) {
        *self.0.entry(endpoint.clone()).or_default() += 1;
    }

    fn end(&mut self, endpoint: &WebhookEndpointId) {
        if let Some(count) = self.0.get_mut(endpoint) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(endpoint);
            }
        }
    }
}
