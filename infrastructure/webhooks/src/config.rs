//! What an operator may set.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use serde::Deserialize;
use thiserror::Error;

/// Settings of webhooks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Whether this gateway sends webhooks. Default true. Where no gateway does, they wait.
    pub enabled: bool,
    /// Whether URLs with `http:` are sent to. Default false: events say what a merchant earns.
    pub allow_http: bool,
    /// Networks that are sent to although their addresses are not public, such as `10.20.0.0/16`. Default none.
    pub allowed_networks: Vec<IpNet>,
    /// Authorities that are trusted beside those of the system, as PEM. Default none.
    pub ca_file: PathBuf,
    /// After how many seconds each a delivery is tried again; after the last of them it has failed. Default 5 s, 5 min, 30 min,
    /// 2 h, 5 h, 10 h, 14 h, 20 h, 24 h: ten attempts within some three days, so that a weekend loses nothing. At most 30.
    pub retry_seconds: Vec<u64>,
    /// For how many milliseconds a connection is waited for: name, TCP and TLS. Default 5000.
    pub connect_timeout_ms: u64,
    /// For how many milliseconds an attempt goes on at most. Default 15,000: an endpoint that has more to do puts it off.
    pub request_timeout_ms: u64,
    /// How many attempts run at once. Default 64: some 4,000 a second to endpoints that answer in 16 ms.
    pub max_in_flight: usize,
    /// How many of them go to one endpoint. Default 4. One that failed last gets one at a time.
    pub max_in_flight_per_endpoint: usize,
    /// How often events and what is due are looked for, in milliseconds. Default 1000.
    pub poll_interval_ms: u64,
    /// After how many seconds an endpoint is disabled that nothing reached. Default five days.
    pub disable_after_seconds: u64,
    /// For how many seconds deliveries are kept after they ended. Default 30 days.
    pub keep_seconds: u64,
}

/// More pauses cannot be set: no more attempts are kept.
const MAX_PAUSES: usize = 30;

/// The longest pause, in seconds, and the longest time that anything else here may take or be kept: a year.
const MAX_SECONDS: u64 = 365 * 24 * 60 * 60;

/// The longest attempt, in milliseconds: a claim lasts no longer than an hour.
const MAX_TIMEOUT_MS: u64 = 10 * 60 * 1_000;

/// More attempts at once than a process has room for.
const MAX_IN_FLIGHT: usize = 10_000;

/// A setting that means nothing.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("webhooks.{setting}: {problem}")]
pub struct ConfigError {
    setting: &'static str,
    problem: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            enabled: true,
            allow_http: false,
            allowed_networks: Vec::new(),
            ca_file: PathBuf::new(),
            retry_seconds: vec![5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400],
            connect_timeout_ms: 5_000,
            request_timeout_ms: 15_000,
            max_in_flight: 64,
            max_in_flight_per_endpoint: 4,
            poll_interval_ms: 1_000,
            disable_after_seconds: 5 * 24 * 60 * 60,
            keep_seconds: 30 * 24 * 60 * 60,
        }
    }
}

impl Config {
    /// Lets a relative file begin at this folder.
    pub fn resolve_files(&mut self, folder: &Path) {
        if !self.ca_file.as_os_str().is_empty() {
            self.ca_file = folder.join(&self.ca_file);
        }
    }

    /// Whether every number means something.
    ///
    /// # Errors
    /// With the first one that does not, and what was expected.
    pub fn check(&self) -> Result<(), ConfigError> {
        let refused = |setting, problem| Err(ConfigError { setting, problem });
        let pauses = self.retry_seconds.len();
        if pauses > MAX_PAUSES {
            let problem = format!("found {pauses} pauses, expected at most {MAX_PAUSES}");
            return refused("retry_seconds", problem);
        }
        if let Some(pause) = self.retry_seconds.iter().find(|pause| **pause > MAX_SECONDS) {
            let problem = format!("found {pause}, expected at most {MAX_SECONDS} (a year)");
            return refused("retry_seconds", problem);
        }
        for (setting, found, max) in [
            ("connect_timeout_ms", self.connect_timeout_ms, MAX_TIMEOUT_MS),
            ("request_timeout_ms", self.request_timeout_ms, MAX_TIMEOUT_MS),
            ("poll_interval_ms", self.poll_interval_ms, MAX_TIMEOUT_MS),
            ("disable_after_seconds", self.disable_after_seconds, MAX_SECONDS),
            ("keep_seconds", self.keep_seconds, MAX_SECONDS),
        ] {
            if found == 0 || found > max {
                return refused(setting, format!("found {found}, expected 1 to {max}"));
            }
        }
        for (setting, found) in [
            ("max_in_flight", self.max_in_flight),
            ("max_in_flight_per_endpoint", self.max_in_flight_per_endpoint),
        ] {
            if found == 0 || found > MAX_IN_FLIGHT {
                return refused(setting, format!("found {found}, expected 1 to {MAX_IN_FLIGHT}"));
            }
        }
        Ok(())
    }

    /// The pause behind so many attempts, if there is to be another one.
    pub(crate) fn pause_after(&self, tries: u32) -> Option<Duration> {
        let last = usize::try_from(tries).ok()?.checked_sub(1)?;
        let pause = self.retry_seconds.get(last)?;
        Some(Duration::from_secs(*pause))
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_mean_nothing_are_refused() {
        assert_eq!(Config::default().check(), Ok(()));
        let refused = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        for (error, told) in [
            (
                refused(|c| c.retry_seconds = vec![1; 31]),
                "webhooks.retry_seconds: found 31 pauses, expected at most 30",
            ),
            (
                refused(|c| c.retry_seconds = vec![5, u64::MAX]),
                "webhooks.retry_seconds: found 18446744073709551615, expected at most 31536000 (a year)",
            ),
            (
                refused(|c| c.request_timeout_ms = 0),
                "webhooks.request_timeout_ms: found 0, expected 1 to 600000",
            ),
            (
                refused(|c| c.max_in_flight = 0),
                "webhooks.max_in_flight: found 0, expected 1 to 10000",
            ),
        ] {
            assert_eq!(error, told);
        }
    }

    #[test]
    fn a_relative_file_lies_beside_the_configuration() {
        let mut config = Config::default();
        config.resolve_files(Path::new("/etc/portcullis"));
        assert_eq!(config.ca_file, Path::new(""));
        config.ca_file = "ca.pem".into();
        config.resolve_files(Path::new("/etc/portcullis"));
        assert_eq!(config.ca_file, Path::new("/etc/portcullis/ca.pem"));
    }
}
