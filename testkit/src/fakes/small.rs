//! The small ports: clock, timer, names, fingerprints, telemetry.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use application::ports::{
    CardFingerprinter, Clock, IdGenerator, NoRandomness, RequestDigest, RequestDigester, Telemetry, Timer,
    WebhookSecret, WebhookSecretGenerator,
};
use async_trait::async_trait;
use domain::payment::{OperationKind, OperationStatus, PaymentStatus};
use domain::risk::{Outcome, RiskDecision};
use domain::{
    CardNumber, DecisionId, OperationId, PaymentId, Timestamp, WebhookDeliveryId, WebhookEndpointId,
};

use crate::builders::{NOW, decision_id, operation_id, payment_id};

/// Stands still until it is set.
#[derive(Debug)]
pub struct SettableClock(AtomicU64);

impl Default for SettableClock {
    fn default() -> Self {
        Self(AtomicU64::new(NOW.unix_millis()))
    }
}

impl SettableClock {
    /// Sets the time, also back.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.unix_millis(), Ordering::SeqCst);
    }

    /// Lets time pass.
    pub fn advance_ms(&self, millis: u64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for SettableClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Writes down how long it was asked to wait, and does not.
#[derive(Debug, Default)]
pub struct RecordingTimer(Mutex<Vec<Duration>>);

impl RecordingTimer {
    /// All pauses so far.
    #[must_use]
    pub fn pauses(&self) -> Vec<Duration> {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl Timer for RecordingTimer {
    async fn pause(&self, duration: Duration) {
        self.0.lock().unwrap().push(duration);
    }
}

/// Makes `pay_1`, `pay_2`, `dec_1`, `op_1`…
#[derive(Debug, Default)]
pub struct CountingIdGenerator {
    payments: AtomicU64,
    decisions: AtomicU64,
    operations: AtomicU64,
    webhooks: AtomicU64,
}

fn next(counter: &AtomicU64, prefix: &str) -> String {
    format!("{prefix}{}", counter.fetch_add(1, Ordering::SeqCst) + 1)
}

impl IdGenerator for CountingIdGenerator {
    fn payment_id(&self) -> PaymentId {
        payment_id(&next(&self.payments, "pay_"))
    }

    fn decision_id(&self) -> DecisionId {
        decision_id(&next(&self.decisions, "dec_"))
    }

    fn operation_id(&self) -> OperationId {
        operation_id(&next(&self.operations, "op_"))
    }

    fn webhook_endpoint_id(&self) -> WebhookEndpointId {
        WebhookEndpointId::parse(&next(&self.webhooks, "we_")).unwrap()
    }

    fn webhook_delivery_id(&self) -> WebhookDeliveryId {
        WebhookDeliveryId::parse(&next(&self.webhooks, "whd_")).unwrap()
    }
}

/// Counts secrets up: one is 32 times 1, the next 32 times 2.
#[derive(Debug, Default)]
pub struct CountingWebhookSecrets(std::sync::atomic::AtomicU8);

impl WebhookSecretGenerator for CountingWebhookSecrets {
    fn webhook_secret(&self) -> Result<WebhookSecret, NoRandomness> {
        Ok(WebhookSecret::new(
            [self.0.fetch_add(1, Ordering::SeqCst) + 1; 32],
        ))
    }
}

/// The same for the same number, in every run.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainCardFingerprinter;

impl CardFingerprinter for PlainCardFingerprinter {
    fn fingerprint(&self, number: &CardNumber) -> Box<str> {
        let mut hasher = DefaultHasher::new();
        number.expose().hash(&mut hasher);
        format!("fp_{:016x}", hasher.finish()).into()
    }
}

impl RequestDigester for PlainCardFingerprinter {
    fn digest(&self, parts: &[&[u8]]) -> RequestDigest {
        let mut digest = [0; 32];
        for (position, bytes) in digest.chunks_mut(8).enumerate() {
            let mut hasher = DefaultHasher::new();
            (position, parts).hash(&mut hasher);
            bytes.copy_from_slice(&hasher.finish().to_le_bytes());
        }
        RequestDigest(digest)
    }
}

/// Counts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTelemetry;

impl Telemetry for NoTelemetry {
    fn decision_made(&self, _decision: &RiskDecision, _elapsed_ns: u64) {}
    fn features_unavailable(&self) {}
    fn operation_finished(&self, _kind: OperationKind, _status: OperationStatus, _elapsed_ns: u64) {}
    fn answer_not_stored(&self) {}
    fn payment_finished(&self, _status: PaymentStatus) {}
}

/// What a [`CountingTelemetry`] was told, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TelemetryCounts {
    /// The outcomes of the decisions.
    pub decisions: Vec<Outcome>,
    /// How often there were no features.
    pub features_unavailable: u64,
    /// How the operations ended.
    pub operations: Vec<OperationStatus>,
    /// How many answers could not be stored.
    pub answers_not_stored: u64,
    /// Where the payments came to rest.
    pub payments: Vec<PaymentStatus>,
}

/// Remembers what it is told.
#[derive(Debug, Default)]
pub struct CountingTelemetry(Mutex<TelemetryCounts>);

impl CountingTelemetry {
    /// All so far.
    #[must_use]
    pub fn counts(&self) -> TelemetryCounts {
        self.0.lock().unwrap().clone()
    }
}

impl Telemetry for CountingTelemetry {
    fn decision_made(&self, decision: &RiskDecision, _elapsed_ns: u64) {
        self.0.lock().unwrap().decisions.push(decision.outcome);
    }

    fn features_unavailable(&self) {
        self.0.lock().unwrap().features_unavailable += 1;
    }

    fn operation_finished(&self, _kind: OperationKind, status: OperationStatus, _elapsed_ns: u64) {
        self.0.lock().unwrap().operations.push(status);
    }

    fn answer_not_stored(&self) {
        self.0.lock().unwrap().answers_not_stored += 1;
    }

    fn payment_finished(&self, status: PaymentStatus) {
        self.0.lock().unwrap().payments.push(status);
    }
}
