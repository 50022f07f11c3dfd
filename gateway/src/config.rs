//! The configuration of the gateway: one section for each crate, each documented where it is used.

mod check;
mod layers;
mod payments;
mod source;

pub use layers::{ConfigError, load};
pub use payments::PaymentsConfig;
pub use source::Overrides;

use serde::Deserialize;

/// Everything that can be set. Every key, with its default, is in `config/portcullis.example.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The HTTP interface.
    pub http: api::Config,
    /// Where policies come from, and how they run.
    pub policies: plugin_host::Config,
    /// How long things of a payment may take.
    pub payments: PaymentsConfig,
    /// Where payments are kept.
    pub storage: storage::Config,
    /// Velocity and lists.
    pub features: features::Config,
    /// What is sent to merchants.
    pub webhooks: webhooks::Config,
    /// The acquirer.
    pub acquirer: acquirers::Config,
    /// Card fingerprints.
    pub platform: platform::Config,
    /// Logs.
    pub telemetry: telemetry::Config,
}
