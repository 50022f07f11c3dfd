//! Logs and metrics of the process.

pub mod config;
pub mod logging;
pub mod metrics;

pub use config::{Config, LogFormat};
pub use metrics::PrometheusTelemetry;
