//! What an operator may set.

use serde::Deserialize;

/// Settings of the simulator.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// After how many milliseconds every answer comes. Default 0: what is measured then is the gateway alone.
    pub answer_ms: u64,
    /// After how many milliseconds the slow card is answered. Default 2000: longer than a merchant likes to wait, and
    /// shorter than [`Config::timeout_ms`].
    pub slow_ms: u64,
    /// How many milliseconds the gateway waits for an answer before it gives up. Default 5000: card networks answer
    /// within a few seconds or not at all.
    pub timeout_ms: u64,
    /// How many operations are remembered, so that one that is asked for again gets the answer it had. Default 100,000,
    /// some 20 MB; the oldest is forgotten first.
    pub ledger_operations: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            answer_ms: 0,
            slow_ms: 2_000,
            timeout_ms: 5_000,
            ledger_operations: 100_000,
        }
    }
}
