//! The trusted keys as a node's configuration has them.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, de};
use thiserror::Error;

use crate::document::{DocumentText, Moment, TextError, Validity};

use super::key_file::{self, KeyFileError};
use super::refusal::NamedKey;
use super::trusted_keys::{MAX_TRUSTED_KEYS, TrustedKey};
use super::{KeyError, NamePattern, PublicKey, TrustedKeys};

/// The most patterns of one key: a team that signs more policies than that gives them a common beginning.
const MAX_PATTERNS: usize = 64;

/// The name that a configuration gives a key: 1 to 64 bytes.
type KeyName = DocumentText<64>;

/// Whose signatures a node asks for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignaturesConfig {
    /// How many of the trusted keys must have signed a document. Default 1.
    pub threshold: u32,
    /// The trusted keys, at most 16. Default none: every document is taken, signed or not.
    pub keys: Vec<TrustedKeyConfig>,
}

/// One trusted key.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedKeyConfig {
    /// What refusals call it; each key has its own.
    pub name: String,
    /// The public key itself, as PEM. Either this or a file.
    #[serde(default)]
    pub public_key: Option<String>,
    /// The file that it is in. Relative paths begin at the folder of the configuration file.
    #[serde(default)]
    pub public_key_file: Option<PathBuf>,
    /// From when on its signatures count, by this node's clock. Default always.
    #[serde(default, deserialize_with = "moment")]
    pub not_before: Option<Moment>,
    /// Until when they do. Default for ever.
    #[serde(default, deserialize_with = "moment")]
    pub not_after: Option<Moment>,
    /// Which policies it may sign: names, or beginnings of names with a `*`. Default all.
    #[serde(default)]
    pub policies: Vec<String>,
}

impl Default for SignaturesConfig {
    fn default() -> Self {
        Self {
            threshold: 1,
            keys: Vec::new(),
        }
    }
}

/// A moment as a text, or as TOML writes one without quotes.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Moment>, D::Error> {
    let text = match toml::Value::deserialize(deserializer)? {
        toml::Value::String(text) => text,
        toml::Value::Datetime(moment) => moment.to_string(),
        other => {
            let found = other.type_str();
            return Err(de::Error::custom(format!(
                "found {found}, expected a moment of RFC 3339, such as `2026-01-01T00:00:00Z`"
            )));
        }
    };
    Moment::parse(&text).map(Some).map_err(de::Error::custom)
}

/// What is wrong with the trusted keys.
#[derive(Debug, Error)]
#[error("policies.signatures.{path}: {problem}")]
pub struct SignaturesConfigError {
    /// Which setting below `policies.signatures`.
    path: String,
    /// What is wrong with it.
    problem: Problem,
}

#[derive(Debug, Error)]
enum Problem {
    #[error(
        "found 0, expected at least 1: a document that nobody signed is not to be told from one of an attacker; take every key out to take documents without signatures"
    )]
    ThresholdOfNone,
    #[error(
        "found {found}, and no key is trusted: name the keys under `[[policies.signatures.keys]]`, or leave the threshold out"
    )]
    ThresholdWithoutKeys { found: u32 },
    #[error("found {found}, expected at most {keys}, which is how many keys are trusted")]
    ThresholdTooHigh { found: u32, keys: usize },
    #[error("found {found}, expected at most {max}")]
    TooMany { found: usize, max: usize },
    #[error("found the same as in keys[{first}], expected each once")]
    Twice { first: usize },
    #[error("found {found}, expected either `public_key` or `public_key_file`")]
    OneKey { found: &'static str },
    #[error("found {not_after}, expected a moment after `not_before`, which is {not_before}")]
    NeverValid { not_before: Moment, not_after: Moment },
    #[error(transparent)]
    Text(#[from] TextError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    File(#[from] KeyFileError),
}

impl SignaturesConfig {
    /// Lets relative files begin at this folder.
    pub fn resolve_files(&mut self, folder: &Path) {
        for file in self
            .keys
            .iter_mut()
            .filter_map(|key| key.public_key_file.as_mut())
        {
            *file = folder.join(&*file);
        }
    }

    /// Reads the trusted keys, also those in files.
    ///
    /// # Errors
    /// Names the first setting that cannot be, and what it could be instead.
    pub fn trusted_keys(&self) -> Result<TrustedKeys, SignaturesConfigError> {
        let at = |path: &str, problem| SignaturesConfigError {
            path: path.to_owned(),
            problem,
        };
        let (found, keys) = (self.threshold, self.keys.len());
        let threshold = usize::try_from(found).unwrap_or(usize::MAX);
        if keys > MAX_TRUSTED_KEYS {
            let max = MAX_TRUSTED_KEYS;
            return Err(at("keys", Problem::TooMany { found: keys, max }));
        }
        match (threshold, keys) {
            (0, _) => return Err(at("threshold", Problem::ThresholdOfNone)),
            (1, 0) => return Ok(TrustedKeys::default()),
            (_, 0) => return Err(at("threshold", Problem::ThresholdWithoutKeys { found })),
            _ if threshold > keys => return Err(at("threshold", Problem::ThresholdTooHigh { found, keys })),
            _ => {}
        }
        let mut trusted: Vec<TrustedKey> = Vec::with_capacity(keys);
        for (index, config) in self.keys.iter().enumerate() {
            let refused =
                |(field, problem): (String, Problem)| at(&format!("keys[{index}].{field}"), problem);
            let key = config.read().map_err(refused)?;
            // Under two names one key would have two windows, and one name for two keys would tell nobody which one signed.
            if let Some(first) = trusted
                .iter()
                .position(|other| other.named.name == key.named.name)
            {
                return Err(refused(("name".to_owned(), Problem::Twice { first })));
            }
            if let Some(first) = trusted
                .iter()
                .position(|other| other.public_key == key.public_key)
            {
                return Err(refused(("public_key".to_owned(), Problem::Twice { first })));
            }
            trusted.push(key);
        }
        Ok(TrustedKeys {
            threshold,
            keys: trusted,
        })
    }
}

impl TrustedKeyConfig {
    /// The key, or the field that is wrong and what is wrong with it.
    fn read(&self) -> Result<TrustedKey, (String, Problem)> {
        let in_field = |field: &str| {
            let field = field.to_owned();
            move |problem: Problem| (field, problem)
        };
        let name = KeyName::parse(&self.name).map_err(|error| in_field("name")(error.into()))?;
        let public_key = match (&self.public_key, &self.public_key_file) {
            (Some(text), None) => {
                PublicKey::from_pem(text).map_err(|error| in_field("public_key")(error.into()))?
            }
            (None, Some(file)) => {
                key_file::read_public_key(file).map_err(|error| in_field("public_key_file")(error.into()))?
            }
            (found, _) => {
                let found = if found.is_some() { "both" } else { "neither" };
                return Err(in_field("public_key")(Problem::OneKey { found }));
            }
        };
        let (from, until) = (self.not_before.map(|m| m.0), self.not_after.map(|m| m.0));
        let validity = Validity::new(from, until).map_err(|error| {
            let (not_before, not_after) = (error.not_before, error.not_after);
            in_field("not_after")(Problem::NeverValid {
                not_before,
                not_after,
            })
        })?;
        if self.policies.len() > MAX_PATTERNS {
            let (found, max) = (self.policies.len(), MAX_PATTERNS);
            return Err(in_field("policies")(Problem::TooMany { found, max }));
        }
        let patterns = self.policies.iter().enumerate().map(|(index, text)| {
            NamePattern::parse(text).map_err(|error| in_field(&format!("policies[{index}]"))(error.into()))
        });
        Ok(TrustedKey {
            named: NamedKey {
                name: name.as_str().into(),
                id: public_key.id().clone(),
            },
            policies: patterns.collect::<Result<_, _>>()?,
            public_key,
            validity,
        })
    }
}
