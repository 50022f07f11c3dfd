//! When a policy is quarantined, and how it gets out again.

use serde::Deserialize;
use thiserror::Error;

/// The shortest window, in milliseconds: below it chance decides.
const MIN_WINDOW_MS: u64 = 100;

/// The longest window and the longest pause between probes, in milliseconds: an hour. What is longer is an operator's job.
const MAX_MS: u64 = 3_600_000;

/// The most evaluations that can be asked for before anything is concluded: what a bucket of the window holds for sure.
const MAX_EVALUATIONS: u32 = 10_000;

/// The smallest share of faults: one in a thousand, below which no policy is harmful enough.
const MIN_RATIO: f64 = 0.001;

/// Millionths in one.
pub(super) const MILLION: u64 = 1_000_000;

/// The shortest pause between probes, in milliseconds: a hundred probes a second are plenty.
const MIN_PROBE_INTERVAL_MS: u64 = 10;

/// The most probes in a row that can be asked for.
const MAX_PROBES: u32 = 1_000;

/// When a policy that faults too often is taken out of service, and what lets it back in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuarantineConfig {
    /// Whether policies are quarantined at all. Default true.
    pub enabled: bool,
    /// Over how long faults are counted, in milliseconds: at the least the last half of it, at the most all of it. Default
    /// 10,000.
    pub window_ms: u64,
    /// How many evaluations a window must hold before anything is concluded from it. Default 20.
    pub minimum_evaluations: u32,
    /// From which share of faults on a policy is quarantined, above 0 to 1. Default 0.5.
    pub fault_ratio: f64,
    /// How long after one probe the next may be made, in milliseconds. Default 1,000.
    pub probe_interval_ms: u64,
    /// How many probes in a row must answer to end the quarantine. Default 5.
    pub probes_to_recover: u32,
}

impl Default for QuarantineConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            window_ms: 10_000,
            minimum_evaluations: 20,
            fault_ratio: 0.5,
            probe_interval_ms: 1_000,
            probes_to_recover: 5,
        }
    }
}

/// A setting that is out of its range.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("policies.quarantine.{key}: found {found}, expected {expected}")]
pub struct QuarantineConfigError {
    key: &'static str,
    found: String,
    expected: String,
}

impl QuarantineConfig {
    /// The share of faults from which on a policy is quarantined, in millionths.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast of a float saturates, and the ratio is at most 1"
    )]
    pub(super) fn fault_ratio_ppm(&self) -> u64 {
        (self.fault_ratio * 1e6).round() as u64
    }

    /// Sees that every setting is within its range.
    ///
    /// # Errors
    /// Names the first one that is not.
    pub fn check(&self) -> Result<(), QuarantineConfigError> {
        for (key, found, min, max) in [
            ("window_ms", self.window_ms, MIN_WINDOW_MS, MAX_MS),
            (
                "minimum_evaluations",
                u64::from(self.minimum_evaluations),
                1,
                u64::from(MAX_EVALUATIONS),
            ),
            (
                "probe_interval_ms",
                self.probe_interval_ms,
                MIN_PROBE_INTERVAL_MS,
                MAX_MS,
            ),
            (
                "probes_to_recover",
                u64::from(self.probes_to_recover),
                1,
                u64::from(MAX_PROBES),
            ),
        ] {
            if !(min..=max).contains(&found) {
                return Err(QuarantineConfigError {
                    key,
                    found: found.to_string(),
                    expected: format!("a whole number from {min} to {max}"),
                });
            }
        }
        if !(MIN_RATIO..=1.0).contains(&self.fault_ratio) {
            return Err(QuarantineConfigError {
                key: "fault_ratio",
                found: self.fault_ratio.to_string(),
                expected: format!("a number from {MIN_RATIO} to 1"),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_right() {
        assert_eq!(QuarantineConfig::default().check(), Ok(()));
    }

    #[test]
    fn a_setting_out_of_its_range_is_told_by_its_path() {
        let error = |change: fn(&mut QuarantineConfig)| {
            let mut config = QuarantineConfig::default();
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        assert_eq!(
            error(|config| config.window_ms = 99),
            "policies.quarantine.window_ms: found 99, expected a whole number from 100 to 3600000"
        );
        for (error, key) in [
            (error(|config| config.window_ms = 3_600_001), "window_ms"),
            (
                error(|config| config.minimum_evaluations = 0),
                "minimum_evaluations",
            ),
            (
                error(|config| config.minimum_evaluations = 10_001),
                "minimum_evaluations",
            ),
            (error(|config| config.fault_ratio = 0.0), "fault_ratio"),
            (error(|config| config.fault_ratio = 1.1), "fault_ratio"),
            (error(|config| config.fault_ratio = f64::NAN), "fault_ratio"),
            (error(|config| config.probe_interval_ms = 9), "probe_interval_ms"),
            (error(|config| config.probes_to_recover = 0), "probes_to_recover"),
            (
                error(|config| config.probes_to_recover = 1_001),
                "probes_to_recover",
            ),
        ] {
            let path = format!("policies.quarantine.{key}: found ");
            assert!(error.starts_with(&path), "{error}");
        }
    }
}
