//! What an operator may set.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper::Uri;
use serde::Deserialize;
use thiserror::Error;

/// Which acquirer there is, and how it is spoken to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Which one it is. Default `simulated`, which moves no money.
    pub kind: Kind,
    /// Settings of `simulated`.
    pub simulated: SimulatedConfig,
    /// Settings of `http`.
    pub http: HttpConfig,
}

/// The acquirers that there are adapters for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A simulator inside this process: see `docs/test-cards.md`.
    #[default]
    Simulated,
    /// One that speaks the protocol of `docs/acquirers.md`.
    Http,
}

/// Settings of the simulator inside the process.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SimulatedConfig {
    /// After how many milliseconds every answer comes. Default 0: what is measured then is the gateway alone.
    pub answer_ms: u64,
    /// After how many milliseconds the slow card is answered. Default 2000: longer than a merchant likes to wait, and
    /// shorter than [`SimulatedConfig::timeout_ms`].
    pub slow_ms: u64,
    /// How many milliseconds the gateway waits for an answer before it gives up. Default 5000: card networks answer
    /// within a few seconds or not at all.
    pub timeout_ms: u64,
    /// How many operations are remembered, so that one that is asked for again gets the answer it had. Default 100,000,
    /// some 20 MB; the oldest is forgotten first.
    pub ledger_operations: usize,
}

impl Default for SimulatedConfig {
    fn default() -> Self {
        Self {
            answer_ms: 0,
            slow_ms: 2_000,
            timeout_ms: 5_000,
            ledger_operations: 100_000,
        }
    }
}

/// How an acquirer is spoken to over HTTP. Relative paths begin at the folder of the configuration file. Files are read once, at
/// the start.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Where the acquirer, or the bridge to it, is: `https://host[:port][/path]`. `http://` is taken for this machine itself,
    /// such as a bridge beside the gateway, and elsewhere only with [`HttpConfig::allow_plaintext`]. No default.
    pub url: String,
    /// Whether card numbers may go to another machine in the clear. Default false; for networks of tests.
    pub allow_plaintext: bool,
    /// The file with the token that the gateway shows as `Authorization: Bearer …`, for this gateway alone to read; a line break
    /// at its end is no part of it. Empty, the default: none is shown.
    pub token_file: PathBuf,
    /// The certificates, as PEM, of the authorities that the acquirer's certificate may be from. Empty, the default: those that
    /// the system trusts.
    pub ca_file: PathBuf,
    /// How many milliseconds may pass until a connection stands: name, TCP and TLS. Default 1000. 10 to 60,000, and less than
    /// [`HttpConfig::answer_timeout_ms`].
    pub connect_timeout_ms: u64,
    /// How many milliseconds one operation may take with its connection and all its retries. Default 5000: card networks
    /// answer within a few seconds or not at all. 100 to 120,000.
    pub answer_timeout_ms: u64,
    /// How many operations may be at the acquirer at the same time, each on a connection of its own. Default 128. 1 to
    /// 4096. One that finds no place within [`HttpConfig::connect_timeout_ms`] is not sent.
    pub max_connections: usize,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            allow_plaintext: false,
            token_file: PathBuf::new(),
            ca_file: PathBuf::new(),
            connect_timeout_ms: 1_000,
            answer_timeout_ms: 5_000,
            max_connections: 128,
        }
    }
}

/// A setting that means nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("acquirer.{setting}: {problem}")]
pub struct ConfigError {
    /// Which setting below `acquirer`.
    setting: &'static str,
    problem: String,
}

impl Config {
    /// Lets relative files begin at this folder.
    pub fn resolve_files(&mut self, folder: &Path) {
        for file in [&mut self.http.token_file, &mut self.http.ca_file] {
            if !file.as_os_str().is_empty() {
                *file = folder.join(&*file);
            }
        }
    }
}

impl HttpConfig {
    /// The address without a slash at its end, all bounds checked.
    pub(crate) fn checked_url(&self) -> Result<Uri, ConfigError> {
        let (connect, answer) = (self.connect_timeout_ms, self.answer_timeout_ms);
        within("http.answer_timeout_ms", answer, 100, 120_000)?;
        within("http.connect_timeout_ms", connect, 10, 60_000)?;
        within("http.max_connections", self.max_connections as u64, 1, 4_096)?;
        if connect >= answer {
            let problem = format!("found {connect}, expected less than answer_timeout_ms, which is {answer}");
            return Err(wrong("http.connect_timeout_ms", problem));
        }
        let refused = |problem: &str| wrong("http.url", format!("found `{}`, {problem}", self.url));
        let form = "expected https://host[:port][/path] without user, query and fragment";
        let uri: Uri = self.url.parse().map_err(|_| refused(form))?;
        let host = uri.host().unwrap_or_default();
        let has_more = uri.query().is_some() || self.url.contains(['#', '@']);
        if host.is_empty() || has_more {
            return Err(refused(form));
        }
        match uri.scheme_str() {
            Some("https") => Ok(uri),
            Some("http") if self.allow_plaintext || is_loopback(host) => Ok(uri),
            Some("http") => Err(refused(
                "expected https://: card numbers would travel in the clear (for networks of tests there is allow_plaintext)",
            )),
            _ => Err(refused(form)),
        }
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    pub(crate) fn answer_timeout(&self) -> Duration {
        Duration::from_millis(self.answer_timeout_ms)
    }
}

fn wrong(setting: &'static str, problem: String) -> ConfigError {
    ConfigError { setting, problem }
}

fn within(setting: &'static str, found: u64, least: u64, most: u64) -> Result<(), ConfigError> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(wrong(
        setting,
        format!("found {found}, expected {least} to {most}"),
    ))
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut HttpConfig)) -> Result<(), String> {
        let mut config = HttpConfig {
            url: "https://acquirer.example/portcullis".to_owned(),
            ..HttpConfig::default()
        };
        change(&mut config);
        config.checked_url().map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn card_numbers_go_in_the_clear_to_this_machine_alone() {
        for url in [
            "https://acquirer.example",
            "https://acquirer.example:8443/a/b/",
            "http://127.0.0.1:9000",
            "http://[::1]:9000",
            "http://localhost:9000",
        ] {
            assert_eq!(check(|c| c.url = url.to_owned()), Ok(()), "{url}");
        }
        let refused = check(|c| c.url = "http://acquirer.example".to_owned()).unwrap_err();
        assert!(refused.contains("in the clear"), "{refused}");
        let allowed = |c: &mut HttpConfig| {
            c.url = "http://acquirer.example".to_owned();
            c.allow_plaintext = true;
        };
        assert_eq!(check(allowed), Ok(()));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in [
            "",
            "acquirer.example",
            "/v1",
            "ftp://acquirer.example",
            "https://u:p@acquirer.example",
            "https://acquirer.example/?a=b",
            "https://acquirer.example/#a",
        ] {
            let refused = check(|c| c.url = url.to_owned()).unwrap_err();
            assert!(refused.starts_with("acquirer.http.url: found"), "{refused}");
        }
    }

    #[test]
    fn bounds_are_told() {
        let refused = check(|c| c.max_connections = 0).unwrap_err();
        assert_eq!(
            refused,
            "acquirer.http.max_connections: found 0, expected 1 to 4096"
        );
        let refused = check(|c| c.connect_timeout_ms = 5_000).unwrap_err();
        assert!(refused.contains("less than answer_timeout_ms"), "{refused}");
    }
}
