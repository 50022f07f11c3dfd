//! What the evaluation benchmark under `benchmarks/` reaches of the inside of this crate: the settings of the engine, so that
//! what is measured without the engine runs under the very same. Behind the feature `benchmarking`, which nothing else
//! switches on; no promise of any kind holds for it.

use std::time::Duration;

use crate::config::Config;

/// How long one epoch of the engine lasts.
pub const TICK: Duration = crate::epoch_ticker::TICK;

/// Bytes that a guest may pass to the host in one call.
pub const MAX_HOST_CALL_BYTES: usize = crate::sandbox::MAX_HOST_CALL_BYTES;

/// The settings of a node's engine, its pool among them.
#[must_use]
pub fn engine_config(config: &Config) -> wasmtime::Config {
    crate::engine::engine_config(config, config.instance_reset)
}

/// Its pool alone, to change one of the settings.
#[must_use]
pub fn pool_config(config: &Config) -> wasmtime::PoolingAllocationConfig {
    crate::engine::pool_config(config, config.instance_reset)
}
