//! What an operator may set.

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde::Deserialize;

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

/// More pauses than that are left out: no more attempts are kept.
const MAX_PAUSES: usize = 30;

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
    /// The pause behind so many attempts, if there is to be another one.
    pub(crate) fn pause_after(&self, tries: u32) -> Option<Duration> {
        let last = usize::try_from(tries).ok()?.checked_sub(1)?;
        let pause = self.retry_seconds.iter().take(MAX_PAUSES).nth(last)?;
        Some(Duration::from_secs(*pause))
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms.max(1))
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms.max(1))
    }
}
