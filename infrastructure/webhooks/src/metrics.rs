//! What is counted.

use std::sync::atomic::AtomicI64;

use application::ports::{AttemptNext, DisabledReason};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::attempt::AttemptResult;

type Counters = Family<[(&'static str, &'static str); 1], Counter>;

/// Counters of webhooks.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    attempts: Counters,
    deliveries: Counters,
    disabled: Counters,
    pub(crate) pending: Gauge<i64, AtomicI64>,
}

impl Metrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            attempts: Family::default(),
            deliveries: Family::default(),
            disabled: Family::default(),
            pending: Gauge::default(),
        };
        // Every value is there from the start, so that a rate over it is.
        for result in AttemptResult::ALL {
            drop(
                metrics
                    .attempts
                    .get_or_create_owned(&[("result", result.as_str())]),
            );
        }
        for result in ["succeeded", "failed"] {
            drop(metrics.deliveries.get_or_create_owned(&[("result", result)]));
        }
        for reason in [DisabledReason::Gone, DisabledReason::Failing] {
            drop(
                metrics
                    .disabled
                    .get_or_create_owned(&[("reason", reason.as_str())]),
            );
        }
        let registry = registry.sub_registry_with_prefix("portcullis");
        registry.register(
            "webhook_attempts",
            "Attempts to send a webhook, by how they ended",
            metrics.attempts.clone(),
        );
        registry.register(
            "webhook_deliveries",
            "Webhooks that came to their end, by which",
            metrics.deliveries.clone(),
        );
        registry.register(
            "webhook_endpoints_disabled",
            "Webhook endpoints that were disabled by themselves, by why",
            metrics.disabled.clone(),
        );
        registry.register(
            "webhook_deliveries_pending",
            "Webhooks that are to be sent, in the whole store; 10000 where there are more",
            metrics.pending.clone(),
        );
        metrics
    }

    pub(crate) fn attempt_ended(&self, result: AttemptResult, next: AttemptNext) {
        self.attempts
            .get_or_create_owned(&[("result", result.as_str())])
            .inc();
        let ended = match next {
            AttemptNext::Succeeded => "succeeded",
            AttemptNext::Failed => "failed",
            AttemptNext::RetryAt(_) => return,
        };
        self.deliveries.get_or_create_owned(&[("result", ended)]).inc();
    }

    pub(crate) fn endpoint_disabled(&self, reason: DisabledReason) {
        self.disabled
            .get_or_create_owned(&[("reason", reason.as_str())])
            .inc();
    }
}
