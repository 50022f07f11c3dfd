//! Adapters of the small ports: clock, timer, identifiers, API keys, card fingerprints; and what the process asks of its kernel.
//!
//! The only crate that asks the machine what time it is, and the one that makes names and keeps the fingerprint key.

mod api_keys;
mod clock;
mod config;
mod core_dumps;
mod fingerprint;
mod identifiers;
mod timer;
mod webhook_secrets;

pub use api_keys::SystemApiKeySecrets;
pub use clock::SystemClock;
pub use config::Config;
pub use core_dumps::forbid_core_dumps;
pub use fingerprint::{FingerprintKeyError, HmacCardFingerprinter};
pub use identifiers::UuidIdGenerator;
pub use timer::TokioTimer;
pub use webhook_secrets::RandomWebhookSecretGenerator;
