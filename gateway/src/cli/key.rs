//! `portcullis key …`: keys to the HTTP interface. The commands open the storage themselves, beside gateways that run on it; those take a
//! change over within a second.

mod create;
mod list;
mod revoke;
mod rotate;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use application::api_keys::ApiKeyRing;
use application::ports::{ApiKeySecrets, ApiKeyStore, Clock};
use application::use_cases::IssuedApiKey;
use clap::{Args, Subcommand};
use domain::access::{ApiKey, Scope};
use domain::{ApiKeyId, Timestamp};
use platform::{SystemApiKeySecrets, SystemClock};
use serde_json::{Value, json};
use storage::{Storage, StorageKind};

use super::{OutputFormat, eprintln, println};
use crate::config::{self, Overrides};

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Make a key, and show it this once
    Create(create::CreateArgs),
    /// List keys, without their secrets
    List(list::ListArgs),
    /// Give a key a new secret, and show it this once; the old one works for a while
    Rotate(rotate::RotateArgs),
    /// End a key for good
    Revoke(revoke::RevokeArgs),
}

/// Where the keys are, and how a command writes what it found.
#[derive(Args, Debug)]
pub(super) struct KeyArgs {
    /// The configuration file, as for `serve`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The SQLite database (storage.sqlite.path); where keys are in PostgreSQL, the configuration names it
    #[arg(long, value_name = "FILE")]
    database: Option<String>,
    /// `text` for people, `json` for scripts
    #[arg(long = "output", value_name = "FORMAT", value_enum, default_value_t)]
    format: OutputFormat,
}

pub(super) fn run(command: KeyCommand) -> anyhow::Result<u8> {
    let runtime = super::runtime()?;
    match command {
        KeyCommand::Create(args) => runtime.block_on(create::run(args)),
        KeyCommand::List(args) => runtime.block_on(list::run(args)),
        KeyCommand::Rotate(args) => runtime.block_on(rotate::run(args)),
        KeyCommand::Revoke(args) => runtime.block_on(revoke::run(args)),
    }
}

/// What the use cases need, over the storage of the configuration.
struct Keys {
    storage: Storage,
    secrets: Arc<dyn ApiKeySecrets>,
    clock: Arc<dyn Clock>,
    ring: Arc<ApiKeyRing>,
}

impl KeyArgs {
    async fn open(&self) -> anyhow::Result<Keys> {
        let overrides = Overrides {
            variables: super::environment()?,
            flags: self
                .database
                .iter()
                .map(|file| ("--database", "storage.sqlite.path", file.clone()))
                .collect(),
            ..Overrides::default()
        };
        let config = config::load(self.config.as_deref(), &overrides)?;
        if self.database.is_some() && config.storage.kind != StorageKind::Sqlite {
            bail!("--database names a file of SQLite, and the configuration has another storage.kind");
        }
        let storage = storage::open(&config.storage).await;
        let storage = storage.context("the storage cannot be opened")?;
        let secrets: Arc<dyn ApiKeySecrets> = Arc::new(SystemApiKeySecrets);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ring = ApiKeyRing::new(
            Arc::clone(&storage.api_keys),
            Arc::clone(&secrets),
            Arc::clone(&clock),
        );
        Ok(Keys {
            storage,
            secrets,
            clock,
            ring: Arc::new(ring),
        })
    }
}

impl Keys {
    fn store(&self) -> Arc<dyn ApiKeyStore> {
        Arc::clone(&self.storage.api_keys)
    }

    async fn close(self) -> anyhow::Result<()> {
        self.storage
            .close()
            .await
            .context("the storage was not closed in order")
    }
}

/// The key goes to standard output alone, so that it can be piped into a store of secrets; what there is to say about it does not.
fn show_issued(issued: &IssuedApiKey, format: OutputFormat) {
    match format {
        OutputFormat::Text => {
            eprintln(&format!(
                "{} `{}`, {}; keep the key now, it is not shown again:",
                issued.key.id,
                issued.key.name.as_str(),
                whose(&issued.key)
            ));
            println(&issued.token);
        }
        OutputFormat::Json => {
            let mut shown = entry(&issued.key);
            if let Value::Object(fields) = &mut shown {
                fields.insert("key".to_owned(), issued.token.clone().into());
            }
            println(&shown.to_string());
        }
    }
}

/// `merchant shop-1`, `analyst`.
fn whose(key: &ApiKey) -> String {
    match key.grant.merchant() {
        Some(merchant) => format!("{} {merchant}", key.grant.role()),
        None => key.grant.role().to_string(),
    }
}

/// A key as scripts read it.
fn entry(key: &ApiKey) -> Value {
    let scopes: Vec<&str> = key.grant.scopes().iter().map(Scope::as_str).collect();
    json!({
        "id": key.id.as_str(),
        "name": key.name.as_str(),
        "role": key.grant.role().as_str(),
        "merchant_id": key.grant.merchant().map(domain::MerchantId::as_str),
        "scopes": scopes,
        "last4": key.last4.as_str(),
        "created_at": moment(key.created_at),
        "rotated_at": moment(key.rotated_at),
        "previous_valid_until": key.previous.map(|previous| moment(previous.valid_until)),
        "expires_at": key.expires_at.map(moment),
        "revoked_at": key.revoked_at.map(moment),
    })
}

/// RFC 3339, to the second.
fn moment(at: Timestamp) -> String {
    i64::try_from(at.unix_millis())
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .map_or_else(|| "?".to_owned(), |at| format!("{at:.0}"))
}

/// A key's name, as an argument.
fn key_id(text: &str) -> Result<ApiKeyId, String> {
    if text.starts_with("pck_") {
        return Err(
            "this is a key; expected its name, which begins with `key_` (and rotate a key that was shown)"
                .to_owned(),
        );
    }
    ApiKeyId::parse(text).map_err(|error| error.to_string())
}

/// A length of time, as an argument: `90s`, `30m`, `24h`, `7d`. In seconds.
fn duration_seconds(text: &str) -> Result<u64, String> {
    let expected = || "expected a number and s, m, h or d, such as `24h`".to_owned();
    let unit = text.chars().last().ok_or_else(expected)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 24 * 3_600,
        _ => return Err(expected()),
    };
    let number = text.strip_suffix(unit).unwrap_or_default();
    let number: u64 = number.parse().map_err(|_| expected())?;
    number.checked_mul(seconds).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_its_unit() {
        for (text, seconds) in [
            ("0s", 0),
            ("90s", 90),
            ("30m", 1_800),
            ("24h", 86_400),
            ("7d", 604_800),
        ] {
            assert_eq!(duration_seconds(text), Ok(seconds), "{text}");
        }
        for text in [
            "",
            "h",
            "24",
            "-1h",
            "1.5h",
            "1w",
            "99999999999999999999d",
            "9999999999999999999d",
        ] {
            assert!(duration_seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_is_not_taken_for_its_name() {
        assert!(key_id("key_0f").is_ok());
        assert!(key_id("pck_0f_00").unwrap_err().contains("rotate"));
    }
}
