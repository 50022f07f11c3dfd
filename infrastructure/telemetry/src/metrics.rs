//! Metrics in the text format of Prometheus (OpenMetrics 1.0).

#[cfg(test)]
mod tests;

use application::ports::Telemetry;
use domain::payment::{OperationKind, OperationStatus, PaymentStatus};
use domain::risk::{Outcome, RiskDecision};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// What every metric's name starts with.
pub(crate) const PREFIX: &str = "portcullis";

/// Upper bounds in seconds, from 10 µs (a decision of one small policy) to 10 s (an acquirer that is given up on).
const DURATION_BUCKETS: [f64; 19] = [
    10e-6, 20e-6, 50e-6, 100e-6, 200e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 20e-3, 50e-3, 0.1, 0.2, 0.5, 1.0,
    2.0, 5.0, 10.0,
];

type Labels<const N: usize> = [(&'static str, &'static str); N];

const OPERATION_STATUSES: [OperationStatus; 5] = [
    OperationStatus::Sent,
    OperationStatus::Succeeded,
    OperationStatus::Declined,
    OperationStatus::NotSent,
    OperationStatus::Unknown,
];

/// Where an operation's counter stands in its array. A status that is added must be given a place.
const fn place(status: OperationStatus) -> usize {
    match status {
        OperationStatus::Sent => 0,
        OperationStatus::Succeeded => 1,
        OperationStatus::Declined => 2,
        OperationStatus::NotSent => 3,
        OperationStatus::Unknown => 4,
    }
}

/// The numbers of one kind of operation.
#[derive(Debug)]
struct OperationMetrics {
    by_status: [Counter; OPERATION_STATUSES.len()],
    duration: Histogram,
}

/// Counts what the use cases did. Every counter is looked up once, when this is made; counting is then one atomic
/// addition, and a histogram takes a lock for the length of one.
#[derive(Debug)]
pub struct PrometheusTelemetry {
    decisions: [Counter; Outcome::ALL.len()],
    decision_duration: Histogram,
    decisions_not_recorded: Counter,
    features_unavailable: Counter,
    operations: [OperationMetrics; OperationKind::ALL.len()],
    answers_not_stored: Counter,
    payments: [Counter; PaymentStatus::ALL.len()],
}

impl PrometheusTelemetry {
    /// Registers all metrics, at zero, under `portcullis_`; the registry has no prefix of its own.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let registry = registry.sub_registry_with_prefix(PREFIX);
        let decisions = Family::<Labels<1>, Counter>::default();
        let decision_duration = histogram();
        let decisions_not_recorded = Counter::default();
        let features_unavailable = Counter::default();
        let operations = Family::<Labels<2>, Counter>::default();
        let operation_duration = Family::<Labels<1>, Histogram>::new_with_constructor(histogram);
        let answers_not_stored = Counter::default();
        let payments = Family::<Labels<1>, Counter>::default();

        registry.register("decisions", "Risk decisions, by outcome", decisions.clone());
        registry.register_with_unit(
            "decision_duration",
            "How long a risk decision took, features and policies together",
            Unit::Seconds,
            decision_duration.clone(),
        );
        registry.register(
            "decisions_not_recorded",
            "Bare decisions that were answered and not written down",
            decisions_not_recorded.clone(),
        );
        registry.register(
            "features_unavailable",
            "Decisions that were made without features",
            features_unavailable.clone(),
        );
        registry.register("operations", "Calls to the acquirer, by end", operations.clone());
        registry.register_with_unit(
            "operation_duration",
            "How long a call to the acquirer took",
            Unit::Seconds,
            operation_duration.clone(),
        );
        registry.register(
            "answers_not_stored",
            "Answers of the acquirer that could not be stored",
            answers_not_stored.clone(),
        );
        registry.register(
            "payments",
            "Payments that were taken in, by the status they came to rest in",
            payments.clone(),
        );

        let operation = |kind: OperationKind| OperationMetrics {
            by_status: OPERATION_STATUSES.map(|status| {
                operations.get_or_create_owned(&[("kind", kind.as_str()), ("status", status.as_str())])
            }),
            duration: operation_duration.get_or_create_owned(&[("kind", kind.as_str())]),
        };
        Self {
            decisions: Outcome::ALL
                .map(|outcome| decisions.get_or_create_owned(&[("outcome", outcome.as_str())])),
            decision_duration,
            decisions_not_recorded,
            features_unavailable,
            operations: OperationKind::ALL.map(operation),
            answers_not_stored,
            payments: PaymentStatus::ALL
                .map(|status| payments.get_or_create_owned(&[("status", status.as_str())])),
        }
    }
}

impl Telemetry for PrometheusTelemetry {
    fn decision_made(&self, decision: &RiskDecision, elapsed_ns: u64) {
        increment(&self.decisions, decision.outcome as usize);
        self.decision_duration.observe(seconds(elapsed_ns));
    }

    fn decision_not_recorded(&self) {
        self.decisions_not_recorded.inc();
    }

    fn features_unavailable(&self) {
        self.features_unavailable.inc();
    }

    fn operation_finished(&self, kind: OperationKind, status: OperationStatus, elapsed_ns: u64) {
        if let Some(metrics) = self.operations.get(kind as usize) {
            increment(&metrics.by_status, place(status));
            metrics.duration.observe(seconds(elapsed_ns));
        }
    }

    fn answer_not_stored(&self) {
        self.answers_not_stored.inc();
    }

    fn payment_finished(&self, status: PaymentStatus) {
        increment(&self.payments, status as usize);
    }
}

fn histogram() -> Histogram {
    Histogram::new(DURATION_BUCKETS)
}

/// A test holds that every value of the enums has its place.
fn increment(counters: &[Counter], place: usize) {
    if let Some(counter) = counters.get(place) {
        counter.inc();
    }
}

/// Exact to the nanosecond up to 104 days.
#[expect(
    clippy::cast_precision_loss,
    reason = "a histogram adds up seconds as floating point anyway"
)]
fn seconds(elapsed_ns: u64) -> f64 {
    elapsed_ns as f64 / 1e9
}
