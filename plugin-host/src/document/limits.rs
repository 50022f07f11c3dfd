//! What one evaluation of a policy may use.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use super::strict::bounded;

/// Fuel where the document says nothing: a thousand times what a policy in Rust was seen to use, some eight times
/// what one in JavaScript was.
pub const DEFAULT_FUEL: u64 = 10_000_000;

/// The most fuel that a document may ask for: near a second of computing on one core.
pub const MAX_FUEL: u64 = 1_000_000_000;

/// Deadline where the document says nothing, in milliseconds: twenty ticks of the epoch, so that it is met to a twentieth.
pub const DEFAULT_DEADLINE_MS: u32 = 10;

/// The longest deadline that a document may ask for, in milliseconds: a payer waits for the answer.
pub const MAX_DEADLINE_MS: u32 = 1_000;

/// Memory where the document says nothing, in bytes: 16 MiB.
pub const DEFAULT_MEMORY_BYTES: u64 = 16 * 1024 * 1024;

/// The least memory that a document may ask for, in bytes: one page of WebAssembly.
pub const MIN_MEMORY_BYTES: u64 = 64 * 1024;

/// The most memory that a document may ask for, in bytes: 256 MiB, what an interpreter of Python needs at its worst.
pub const MAX_MEMORY_BYTES: u64 = 256 * 1024 * 1024;

/// The limits of one evaluation, each within its ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    #[serde(default = "default_fuel", deserialize_with = "fuel")]
    fuel: u64,
    #[serde(default = "default_deadline_ms", deserialize_with = "deadline_ms")]
    deadline_ms: u32,
    #[serde(default = "default_memory_bytes", deserialize_with = "memory_bytes")]
    memory_bytes: u64,
}

/// A limit out of its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{limit}: found {found}, expected {min} to {max}")]
pub struct LimitsError {
    /// Which one.
    pub limit: &'static str,
    /// What was asked for.
    pub found: u64,
    /// The least that can be asked for.
    pub min: u64,
    /// The ceiling.
    pub max: u64,
}

impl Limits {
    /// The most that a document may ask for.
    pub const MOST: Self = Self {
        fuel: MAX_FUEL,
        deadline_ms: MAX_DEADLINE_MS,
        memory_bytes: MAX_MEMORY_BYTES,
    };

    /// Limits within their ceilings.
    ///
    /// # Errors
    /// Names the first limit that is out of its range.
    pub fn new(fuel: u64, deadline_ms: u32, memory_bytes: u64) -> Result<Self, LimitsError> {
        let ranges = [
            ("fuel", fuel, 1, MAX_FUEL),
            (
                "deadline_ms",
                u64::from(deadline_ms),
                1,
                u64::from(MAX_DEADLINE_MS),
            ),
            ("memory_bytes", memory_bytes, MIN_MEMORY_BYTES, MAX_MEMORY_BYTES),
        ];
        for (limit, found, min, max) in ranges {
            if !(min..=max).contains(&found) {
                return Err(LimitsError {
                    limit,
                    found,
                    min,
                    max,
                });
            }
        }
        Ok(Self {
            fuel,
            deadline_ms,
            memory_bytes,
        })
    }

    /// Fuel of one evaluation.
    #[must_use]
    pub const fn fuel(self) -> u64 {
        self.fuel
    }

    /// How long one evaluation may take, in milliseconds.
    #[must_use]
    pub const fn deadline_ms(self) -> u32 {
        self.deadline_ms
    }

    /// The same.
    #[must_use]
    pub const fn deadline(self) -> Duration {
        Duration::from_millis(self.deadline_ms as u64)
    }

    /// How much linear memory one evaluation may have, in bytes.
    #[must_use]
    pub const fn memory_bytes(self) -> u64 {
        self.memory_bytes
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel: DEFAULT_FUEL,
            deadline_ms: DEFAULT_DEADLINE_MS,
            memory_bytes: DEFAULT_MEMORY_BYTES,
        }
    }
}

const fn default_fuel() -> u64 {
    DEFAULT_FUEL
}

const fn default_deadline_ms() -> u32 {
    DEFAULT_DEADLINE_MS
}

const fn default_memory_bytes() -> u64 {
    DEFAULT_MEMORY_BYTES
}

fn fuel<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    bounded(deserializer, 1, MAX_FUEL)
}

fn deadline_ms<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let value = bounded(deserializer, 1, u64::from(MAX_DEADLINE_MS))?;
    u32::try_from(value).map_err(serde::de::Error::custom)
}

fn memory_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    bounded(deserializer, MIN_MEMORY_BYTES, MAX_MEMORY_BYTES)
}
