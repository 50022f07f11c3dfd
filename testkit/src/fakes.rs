//! Every port, in memory and under the test's control.

mod acquirer;
mod api_keys;
mod feature_store;
mod list_store;
mod payment_repository;
mod risk_engine;
mod small;
mod webhook_store;

pub use acquirer::{AskedOperation, ScriptedAcquirer};
pub use api_keys::{CountingApiKeySecrets, InMemoryApiKeyStore};
pub use feature_store::InMemoryFeatureStore;
pub use list_store::InMemoryListStore;
pub use payment_repository::{InMemoryPaymentRepository, Save};
pub use risk_engine::{ScriptedPolicySet, ScriptedRiskEngine};
pub use small::{
    CountingIdGenerator, CountingTelemetry, CountingWebhookSecrets, NoTelemetry, PlainCardFingerprinter,
    RecordingTimer, SettableClock, TelemetryCounts,
};
pub use webhook_store::InMemoryWebhookStore;
