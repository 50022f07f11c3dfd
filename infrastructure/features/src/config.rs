//! What an operator may set.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Settings of the feature store in memory.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How many subjects (a card, an e-mail address, a device…) are remembered; the one that was idle for longest is
    /// forgotten first. Default 1,000,000: some 250,000 payments of strangers.
    pub max_subjects: usize,
    /// How many bytes their past may take, about; the same ones are forgotten first. Default 512 MiB. A subject with
    /// one payment takes some 450 bytes, one with millions of them some 150 KiB.
    pub max_memory_bytes: usize,
    /// How many payments are remembered by merchant and name, so that one that is observed or settled twice counts once
    /// with each of its subjects. The oldest is forgotten first; it then counts again when it is observed again, and is
    /// not settled any more. Default 500,000, some 70 MB: ten minutes at 800 payments a second.
    pub max_recent_payments: usize,
    /// Up to what number `distinct` counts, per subject, filter and kind of the other. Default 128: a rule that fires at more
    /// than a hundred has fired long before.
    pub max_distinct: usize,
    /// Lists by name, then by subject (`card`, `customer`, `email`, `ip`, `device`, `merchant`). An entry of `ip` is an
    /// address or a range such as `203.0.113.0/24`; one of `card` is a fingerprint, `fp_` and 32 digits, and
    /// never a card number; those of `email` are compared without regard to case, all of them without white space round
    /// them or characters that are not seen. Default: none.
    pub lists: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_subjects: 1_000_000,
            max_memory_bytes: 512 * 1024 * 1024,
            max_recent_payments: 500_000,
            max_distinct: 128,
            lists: BTreeMap::new(),
        }
    }
}
