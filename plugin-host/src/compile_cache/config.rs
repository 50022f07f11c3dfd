//! What can be set of the compile cache.

use serde::Deserialize;

/// Whether compiled policies are kept on disk, and how many bytes of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CompileCacheConfig {
    /// Whether machine code is kept in `policies.state_path`, so that a policy is compiled once and not at every start.
    /// Default true.
    pub enabled: bool,
    /// Bytes of machine code that are kept at the most; what was not used for longest goes first, and what is in force never.
    /// Default 1 GiB: some thirty interpreters, or thousands of policies in Rust.
    pub max_bytes: u64,
}

impl Default for CompileCacheConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            max_bytes: 1024 * 1024 * 1024,
        }
    }
}
