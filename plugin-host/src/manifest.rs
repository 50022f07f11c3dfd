//! `policy.toml`: the author's part of a policy document, as he writes it beside the source.

use std::fmt;

use domain::Timestamp;
use serde::{Deserialize, Deserializer, de};
use toml::value::Datetime;

use crate::artifact::ArtifactRef;
use crate::document::{
    ContractName, FailureOutcomes, FieldError, Grants, Limits, MAX_DOCUMENT_BYTES, Moment, Parameters,
    PolicyDocument, PolicyName, PolicyVersion, Publisher, Scope, Trial, TrialRead, Validity,
    default_priority, priority,
};

/// What an author says about a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The policy's name.
    pub name: PolicyName,
    /// His version.
    pub version: PolicyVersion,
    /// The lower runs the earlier.
    pub priority: u32,
    /// Its knobs.
    pub parameters: Parameters,
    /// What it may be shown.
    pub grants: Grants,
    /// What one evaluation may use.
    pub limits: Limits,
    /// What stands in for a fault.
    pub failure_outcomes: FailureOutcomes,
    /// The payments it is run for.
    pub scope: Scope,
    /// When it may be in force.
    pub validity: Validity,
    /// How it is to be tried where it is published as a candidate.
    pub trial: Option<Trial>,
}

/// Why a text is no manifest. Says where: file, line and column, and the path of the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// The file, as it was named to the parser.
    pub file: String,
    /// What is wrong in it.
    pub error: FieldError,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FieldError {
            path,
            line,
            column,
            message,
        } = &self.error;
        f.write_str(&self.file)?;
        if *line > 0 {
            write!(f, ":{line}:{column}")?;
        }
        if path != "." {
            write!(f, ": {path}")?;
        }
        write!(f, ": {message}")
    }
}

impl std::error::Error for ManifestError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestRead {
    name: PolicyName,
    version: PolicyVersion,
    #[serde(default = "default_priority", deserialize_with = "priority")]
    priority: u32,
    #[serde(default)]
    parameters: Parameters,
    #[serde(default)]
    grants: Grants,
    #[serde(default)]
    limits: Limits,
    failure_mode: FailureOutcomes,
    #[serde(default)]
    scope: Scope,
    #[serde(default)]
    validity: ValidityRead,
    #[serde(default)]
    candidate: Option<TrialRead>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ValidityRead {
    #[serde(default, deserialize_with = "moment")]
    not_before: Option<Moment>,
    #[serde(default, deserialize_with = "moment")]
    not_after: Option<Moment>,
}

/// TOML has moments of its own; a string does as well.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Moment>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Datetime(Datetime),
        Text(String),
    }
    let text = match Written::deserialize(deserializer)? {
        Written::Datetime(datetime) => datetime.to_string(),
        Written::Text(text) => text,
    };
    Moment::parse(&text).map(Some).map_err(de::Error::custom)
}

impl Manifest {
    /// Reads a manifest. `file` is only named in errors.
    ///
    /// # Errors
    /// When it is too large, not TOML, or says what a manifest may not say.
    pub fn parse(file: &str, text: &str) -> Result<Self, ManifestError> {
        let at = |error| ManifestError {
            file: file.to_owned(),
            error,
        };
        if text.len() > MAX_DOCUMENT_BYTES {
            let message = format!(
                "found {} bytes, expected at most {MAX_DOCUMENT_BYTES}",
                text.len()
            );
            return Err(at(FieldError::at(".", message)));
        }
        let deserializer =
            toml::Deserializer::parse(text).map_err(|error| at(toml_error(text, ".", &error)))?;
        let read: ManifestRead = serde_path_to_error::deserialize(deserializer).map_err(|error| {
            let path = error.path().to_string();
            at(toml_error(text, &path, error.inner()))
        })?;
        let ends = read.validity;
        let validity = Validity::new(ends.not_before.map(|m| m.0), ends.not_after.map(|m| m.0))
            .map_err(|error| at(FieldError::at("validity.not_after", error.to_string())))?;
        let trial = read.candidate.map(TrialRead::check).transpose().map_err(at)?;
        Ok(Self {
            name: read.name,
            version: read.version,
            priority: read.priority,
            parameters: read.parameters,
            grants: read.grants,
            limits: read.limits,
            failure_outcomes: read.failure_mode,
            scope: read.scope,
            validity,
            trial,
        })
    }

    /// The document that this manifest makes of an artifact.
    #[must_use]
    pub fn document(
        &self,
        contract: ContractName,
        artifact: ArtifactRef,
        sequence: u64,
        published_at: Timestamp,
        publisher: Publisher,
    ) -> PolicyDocument {
        PolicyDocument {
            name: self.name.clone(),
            sequence,
            version: self.version.clone(),
            contract,
            artifact,
            limits: self.limits,
            failure_outcomes: self.failure_outcomes.clone(),
            priority: self.priority,
            scope: self.scope.clone(),
            parameters: self.parameters.clone(),
            grants: self.grants,
            candidate: None,
            validity: self.validity,
            published_at,
            publisher,
        }
    }
}

fn toml_error(text: &str, path: &str, error: &toml::de::Error) -> FieldError {
    let (line, column) = error.span().map_or((0, 0), |span| position(text, span.start));
    FieldError {
        line,
        column,
        ..FieldError::reworded(path, error.message())
    }
}

/// Line and column, both from 1, of a byte of the text.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests;
