//! What an operator may set.

use std::path::PathBuf;

use serde::Deserialize;

/// Settings of this crate.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The file with the 32 bytes that card fingerprints are made with; made at the first start, with access for its
    /// owner alone. Default: beside the database, since the one is worth little without the other.
    ///
    /// Keep a copy: under another key every card is a stranger. Gateways that share features or a database share it.
    pub fingerprint_key_path: PathBuf,
    /// Whether the kernel may write the memory of a gateway that crashes to a file, and debuggers may look at it. Default false:
    /// requests under way have card numbers in them.
    pub core_dumps: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            fingerprint_key_path: PathBuf::from("data/card-fingerprint.key"),
            core_dumps: false,
        }
    }
}
