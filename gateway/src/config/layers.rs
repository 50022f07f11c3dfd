//! From file, environment and flags to one configuration. Later layers win: defaults, file, environment, flags.

use std::path::{Path, PathBuf};

use thiserror::Error;
use toml::{Table, Value};

use super::Config;
use super::source::{FILE_VARIABLE, Origin, Overrides, Setting};

/// The file that is read when none is named and it is there.
const DEFAULT_FILE: &str = "portcullis.toml";

/// The largest file taken: room for lists, none for mistakes such as a database.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Why there is no configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {reason}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A variable or a flag is not of their form.
    #[error("{0}")]
    Override(String),
    /// A setting is unknown, or not of its kind.
    #[error("{origin}: {path}: {message}")]
    Setting {
        /// Where it was made.
        origin: String,
        /// Its path, such as `http.listen`.
        path: String,
        /// What was found, and what was expected.
        message: String,
    },
}

/// Reads the configuration. `file` is what the command line names.
///
/// # Errors
/// When the file cannot be read, or a setting is unknown or not of its kind; says which, and where it was made.
pub fn load(file: Option<&Path>, overrides: &Overrides) -> Result<Config, ConfigError> {
    let mut table = Table::new();
    let file = file
        .map(Path::to_owned)
        .or_else(|| named_by_environment(overrides))
        .or_else(default_file);
    if let Some(path) = &file {
        table = read(path)?;
    }
    let mut settings = overrides.settings().map_err(ConfigError::Override)?;
    for setting in &settings {
        insert(&mut table, setting)?;
    }
    loop {
        let error = match serde_path_to_error::deserialize(Value::Table(table.clone())) {
            Ok(config) => return Ok(beside(config, file.as_deref())),
            Err(error) => error,
        };
        let path = error.path().to_string();
        let message = reworded(error.inner());
        // A variable or flag has no quotes: what looks like a number is a text where a text is expected.
        let text = settings
            .iter_mut()
            .find(|setting| message.ends_with("string") && setting.path.join(".") == path)
            .and_then(|setting| setting.read_as_text().then_some(setting));
        if let Some(setting) = text {
            insert(&mut table, setting)?;
            continue;
        }
        let origin = origin(&path, &message, &settings, file.as_deref());
        return Err(ConfigError::Setting {
            origin,
            path,
            message,
        });
    }
}

/// Files of keys and certificates are looked for beside the configuration file: they are a part of it, whatever the working directory is.
fn beside(mut config: Config, file: Option<&Path>) -> Config {
    if let Some(folder) = file.and_then(Path::parent) {
        config.policies.resolve_files(folder);
        config.acquirer.resolve_files(folder);
        config.storage.postgres.resolve_files(folder);
        config.webhooks.resolve_files(folder);
    }
    config
}

fn named_by_environment(overrides: &Overrides) -> Option<PathBuf> {
    let (_, path) = overrides
        .variables
        .iter()
        .find(|(name, _)| name == FILE_VARIABLE)?;
    (!path.is_empty()).then(|| PathBuf::from(path))
}

fn default_file() -> Option<PathBuf> {
    let path = PathBuf::from(DEFAULT_FILE);
    path.exists().then_some(path)
}

fn read(path: &Path) -> Result<Table, ConfigError> {
    let refused = |reason: String| ConfigError::File {
        path: path.to_owned(),
        reason,
    };
    let metadata = std::fs::metadata(path).map_err(|error| refused(error.to_string()))?;
    if metadata.len() > MAX_FILE_BYTES {
        return Err(refused(format!(
            "has {} bytes, expected at most {MAX_FILE_BYTES}",
            metadata.len()
        )));
    }
    let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    toml::from_str(&text).map_err(|error| refused(error.to_string()))
}

fn insert(table: &mut Table, setting: &Setting) -> Result<(), ConfigError> {
    let path = setting.path.join(".");
    let refused = |message: String| ConfigError::Setting {
        origin: setting.origin.to_string(),
        path: path.clone(),
        message,
    };
    let Some((key, sections)) = setting.path.split_last() else {
        return Ok(());
    };
    let mut table = table;
    for section in sections {
        let entry = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
        table = entry
            .as_table_mut()
            .ok_or_else(|| refused(format!("`{section}` is a value, not a section")))?;
    }
    table.insert(key.clone(), setting.value.clone());
    Ok(())
}

/// serde's words in those of an operator: what was expected, and for an unknown field the name that was probably meant.
fn reworded(error: &toml::de::Error) -> String {
    let message = error.message().trim().to_owned();
    if message.contains("socket address") {
        return format!("{message}, expected an IP address and a port, such as `127.0.0.1:8080`");
    }
    if message.contains("IP address syntax") || message.contains("IP prefix") {
        return format!("{message}, expected a network, such as `10.20.0.0/16`");
    }
    for kind in ["usize", "u64", "u32", "u16", "u8"] {
        if let Some(found) = message.strip_suffix(&format!("expected {kind}")) {
            return format!("{found}expected a whole number of 0 or more");
        }
    }
    let Some(rest) = message.strip_prefix("unknown field `") else {
        return message;
    };
    let Some((unknown, expected)) = rest.split_once('`') else {
        return message;
    };
    let known = expected.split('`').skip(1).step_by(2);
    /// How alike two names must be for the one to be offered for the other; 1 is equal.
    const ALIKE: f64 = 0.75;
    let nearest = known
        .map(|name| (strsim::jaro_winkler(unknown, name), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    match nearest {
        Some((_, name)) => format!("{message}; did you mean `{name}`?"),
        None => message,
    }
}

/// Where the setting that an error is about was made: the last layer that touches its path.
fn origin(path: &str, message: &str, settings: &[Setting], file: Option<&Path>) -> String {
    let unknown = message
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split('`').next());
    let concerns = |setting: &&Setting| {
        let made = setting.path.join(".");
        made == path
            || made.starts_with(&format!("{path}."))
            || path.starts_with(&format!("{made}["))
            || unknown.is_some_and(|unknown| made == format!("{path}.{unknown}") || made == unknown)
    };
    match (settings.iter().rev().find(concerns), file) {
        (Some(setting), _) => setting.origin.to_string(),
        (None, Some(file)) => Origin::File(file.display().to_string()).to_string(),
        (None, None) => "configuration".to_owned(),
    }
}

#[cfg(test)]
mod tests;
