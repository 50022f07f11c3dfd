//! Every port, in memory and under the test's control.

mod acquirer;
mod feature_store;
mod payment_repository;
mod risk_engine;
mod small;
mod webhook_store;

pub use acquirer::{AskedOperation, ScriptedAcquirer};
pub use feature_store::InMemoryFeatureStore;
pub use payment_repository::{InMemoryPaymentRepository, Save};
pub use risk_engine::{ScriptedPolicySet, ScriptedRiskEngine};
pub use small::{
    CountingIdGenerator, CountingTelemetry, CountingWebhookSecrets, NoTelemetry, PlainCardFingerprinter,
    RecordingTimer, SettableClock, TelemetryCounts,
};
pub use webhook_store::InMemoryWebhookStore;
