//! What can be set about the HTTP interface. Every number is a bound; each says why it is what it is.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;

/// How callers say who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Authentication {
    /// They do not: everybody may do everything. For trying things out on one machine.
    #[default]
    None,
    /// By an API key.
    Keys,
}

/// Who may read the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricsAccess {
    /// Everybody who reaches the address.
    #[default]
    Open,
    /// An operator's key.
    Operator,
}

/// Settings that do not go together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// Everybody who reaches the address could move money.
    #[error(
        "http.authentication: found \"none\" with http.listen = \"{listen}\", which others than this machine can reach; expected \"keys\" (make \
         the first one with `portcullis key create`), or a listen address of 127.0.0.0/8 or [::1]"
    )]
    OpenToOthers {
        /// The address.
        listen: SocketAddr,
    },
    /// Nobody would be told from an operator.
    #[error("http.metrics_access: expected \"open\", since http.authentication is \"none\"")]
    MetricsNeedKeys,
    /// There would be nobody to count.
    #[error(
        "{key}: expected 0, since merchants are told apart by their keys and http.authentication is \"none\""
    )]
    NeedsKeys {
        /// The setting.
        key: &'static str,
    },
}

/// Settings of the HTTP interface. A bound of 0 counts as 1: none can be switched off by accident.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address and port to listen on. Port 0 takes a free one. The default is reachable from this machine alone: TLS and
    /// the outside world are a load balancer's.
    pub listen: SocketAddr,
    /// How callers say who they are. `none` is taken for an address of this machine alone.
    pub authentication: Authentication,
    /// Who may read `/metrics`.
    pub metrics_access: MetricsAccess,
    /// How many requests a second a merchant may send by his keys, over any length of time; 0 sets no limit. Counted on each
    /// gateway for itself.
    pub merchant_requests_per_second: u32,
    /// How many he may send at once, after a pause; 0 takes as many as a second has.
    pub merchant_burst: u32,
    /// The largest body of a request, in bytes. A payment with every field at its own bound stays below 64 KiB.
    pub max_body_bytes: usize,
    /// How many requests may be worked on at once; further ones get 429. Payments whose client has gone count until
    /// they end. 1,500 is what a node takes before waiting costs more than trying again.
    pub max_in_flight: usize,
    /// How many connections may be open at once; further ones wait in the kernel's queue, health checks too, so
    /// leave a margin. Each may read one body, and all together as many again at the same time, so that bodies take at
    /// most twice this many times `max_body_bytes`.
    pub max_connections: usize,
    /// How long a client may take to send the head of a request, in milliseconds. HTTP/1 connections that wait for their
    /// next request are closed after it too, so a load balancer should give its idle connections up earlier.
    pub header_read_timeout_ms: u64,
    /// How long a client may take to send a body, in milliseconds. Bodies are small; slower is an attack or a dead link.
    pub body_read_timeout_ms: u64,
    /// After how long without any request a connection is closed, in milliseconds. For HTTP/2, and for connections that
    /// do not take their answers.
    pub idle_timeout_ms: u64,
    /// How long a request may take once it is read, in milliseconds. A payment goes on behind it to its end.
    pub request_timeout_ms: u64,
    /// How long `/readyz` answers 503 at shutdown while new connections are still taken, in milliseconds: the time a load
    /// balancer needs to notice. 0 closes at once.
    pub drain_delay_ms: u64,
    /// How long requests and payments may take to end at shutdown, in milliseconds. Longer than a request may take, and
    /// shorter than the 30 s after which orchestrators kill.
    pub drain_timeout_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            authentication: Authentication::None,
            metrics_access: MetricsAccess::Open,
            merchant_requests_per_second: 0,
            merchant_burst: 0,
            max_body_bytes: 64 * 1024,
            max_in_flight: 1_500,
            max_connections: 4_096,
            header_read_timeout_ms: 15_000,
            body_read_timeout_ms: 10_000,
            idle_timeout_ms: 60_000,
            request_timeout_ms: 20_000,
            drain_delay_ms: 0,
            drain_timeout_ms: 25_000,
        }
    }
}

impl Config {
    /// Whether the settings go together.
    ///
    /// # Errors
    /// The setting, what was found, and what would be right.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.authentication == Authentication::Keys {
            return Ok(());
        }
        if !self.listen.ip().to_canonical().is_loopback() {
            return Err(ConfigError::OpenToOthers { listen: self.listen });
        }
        for (key, value) in [
            (
                "http.merchant_requests_per_second",
                self.merchant_requests_per_second,
            ),
            ("http.merchant_burst", self.merchant_burst),
        ] {
            if value != 0 {
                return Err(ConfigError::NeedsKeys { key });
            }
        }
        if self.metrics_access == MetricsAccess::Operator {
            return Err(ConfigError::MetricsNeedKeys);
        }
        Ok(())
    }

    /// The defaults on a free port, for tests.
    #[must_use]
    pub fn for_tests() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            ..Self::default()
        }
    }
}

/// A bound in milliseconds, of at least one.
pub(crate) fn at_least_one_ms(ms: u64) -> Duration {
    Duration::from_millis(ms.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_table_is_the_default() {
        let config: Config = serde_json::from_str("{}").unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.max_body_bytes, 65_536);
    }

    #[test]
    fn without_keys_nobody_but_this_machine_is_served() {
        for (listen, is_taken) in [
            ("127.0.0.1:8080", true),
            ("127.9.9.9:0", true),
            ("[::1]:8080", true),
            ("[::ffff:127.0.0.1]:8080", true),
            ("0.0.0.0:8080", false),
            ("[::]:8080", false),
            ("10.0.0.1:8080", false),
        ] {
            let mut config = Config {
                listen: listen.parse().unwrap(),
                ..Config::default()
            };
            assert_eq!(config.check().is_ok(), is_taken, "{listen}");
            config.authentication = Authentication::Keys;
            assert_eq!(config.check(), Ok(()), "{listen}");
        }
    }

    #[test]
    fn what_only_works_with_keys_is_refused_without() {
        let limited = Config {
            merchant_requests_per_second: 5,
            ..Config::default()
        };
        let error = limited.check().unwrap_err().to_string();
        assert!(
            error.starts_with("http.merchant_requests_per_second: "),
            "{error}"
        );
        let closed = Config {
            metrics_access: MetricsAccess::Operator,
            ..Config::default()
        };
        assert_eq!(closed.check(), Err(ConfigError::MetricsNeedKeys));
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let refused = serde_json::from_str::<Config>(r#"{"max_bodybytes": 1}"#).unwrap_err();
        assert!(refused.to_string().contains("max_body_bytes"), "{refused}");
    }

    #[test]
    fn a_drain_outlasts_a_request() {
        let config = Config::default();
        assert!(config.drain_timeout_ms > config.request_timeout_ms);
        assert!(config.request_timeout_ms > config.body_read_timeout_ms);
    }
}
