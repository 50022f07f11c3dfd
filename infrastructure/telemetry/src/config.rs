//! What an operator may set.

use serde::Deserialize;

/// How a log line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    #[default]
    Json,
    /// One line of text, for the person in front of the terminal.
    Text,
}

/// Settings of this crate.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `json` or `text`. Default `json`: logs are read by machines more often than by people.
    pub log_format: LogFormat,
    /// What is logged: a level, or several directives such as `info,portcullis_storage=debug`. Default `info`: what an
    /// operator may have to act on, and no line per payment.
    pub log_filter: String,
    /// How many lines may wait to be written; more are dropped and counted, since a full disk or a slow terminal must not
    /// hold up a payment. Default 16,384: a burst of several seconds, and some MB.
    pub log_buffer_lines: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            log_format: LogFormat::Json,
            log_filter: "info".to_owned(),
            log_buffer_lines: 16_384,
        }
    }
}
