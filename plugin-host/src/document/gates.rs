//! What sends a candidate back by itself.

use serde::{Deserialize, Deserializer, Serialize};

use super::percent::Ratio;
use super::strict::bounded;

/// The share of faults that a candidate may have where its document says nothing: one in a hundred.
pub const DEFAULT_MAX_FAULT_RATIO: Ratio = Ratio::from_millionths(10_000);

/// After so many evaluations a candidate is judged where its document says nothing.
pub const DEFAULT_MINIMUM_EVALUATIONS: u32 = 100;

/// The most evaluations that a document may let pass before its candidate is judged.
pub const MAX_MINIMUM_EVALUATIONS: u32 = 1_000_000;

/// The longest 99th percentile that a document may allow, in microseconds: the longest deadline.
pub const MAX_P99_US: u32 = 1_000_000;

/// The gates of a trial. A node on which one is crossed takes the candidate out by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gates {
    /// The most faults among its evaluations.
    #[serde(default = "default_max_fault_ratio")]
    pub max_fault_ratio: Ratio,
    /// The longest that the quickest 99 of 100 evaluations may take, in microseconds; no gate where it is left out.
    #[serde(
        default,
        deserialize_with = "max_p99_us",
        skip_serializing_if = "Option::is_none"
    )]
    pub max_p99_us: Option<u32>,
    /// The most payments about which it may decide otherwise than the release in force; no gate where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_decision_drift: Option<Ratio>,
    /// Before so many evaluations on a node nothing is concluded there.
    #[serde(
        default = "default_minimum_evaluations",
        deserialize_with = "minimum_evaluations"
    )]
    pub minimum_evaluations: u32,
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            max_fault_ratio: DEFAULT_MAX_FAULT_RATIO,
            max_p99_us: None,
            max_decision_drift: None,
            minimum_evaluations: DEFAULT_MINIMUM_EVALUATIONS,
        }
    }
}

const fn default_max_fault_ratio() -> Ratio {
    DEFAULT_MAX_FAULT_RATIO
}

const fn default_minimum_evaluations() -> u32 {
    DEFAULT_MINIMUM_EVALUATIONS
}

fn max_p99_us<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    number(deserializer, MAX_P99_US).map(Some)
}

fn minimum_evaluations<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    number(deserializer, MAX_MINIMUM_EVALUATIONS)
}

fn number<'de, D: Deserializer<'de>>(deserializer: D, max: u32) -> Result<u32, D::Error> {
    let value = bounded(deserializer, 1, u64::from(max))?;
    u32::try_from(value).map_err(serde::de::Error::custom)
}
