//! The policy document: the statement of what should run under a policy's name.
//!
//! A document is built from JSON or from an author's manifest, and what was built is right: names, limits, sizes and
//! moments are types that cannot be out of bounds. Reading is strict, so that a slip of the pen is an error with a path and
//! not a rule that silently does not apply. Writing is deterministic: equal documents are equal bytes.

mod amounts;
mod candidate;
mod changes;
mod failure_outcomes;
mod gates;
mod grants;
pub mod limits;
mod parameters;
mod percent;
mod retirement;
mod scope;
pub(crate) mod strict;
mod text;
mod validity;

pub use candidate::{Candidate, Stage, Trial};
pub use changes::{FieldChange, changes};
pub use failure_outcomes::FailureOutcomes;
pub use gates::{
    DEFAULT_MAX_FAULT_RATIO, DEFAULT_MINIMUM_EVALUATIONS, Gates, MAX_MINIMUM_EVALUATIONS, MAX_P99_US,
};
pub use grants::{Grants, PaymentPart};
pub use limits::{Limits, LimitsError};
pub use parameters::{
    MAX_PARAMETER_TEXT_BYTES, MAX_PARAMETER_TEXTS, MAX_PARAMETERS, ParameterValue, Parameters,
    TooManyParameters,
};
pub use percent::{Percent, Ratio};
pub use retirement::{Retirement, RetirementReason, Statement};
pub use scope::{MAX_MERCHANTS, Scope};
pub use strict::FieldError;
pub use text::{
    ContractName, DocumentText, MAX_NAME_BYTES, ParameterName, PolicyName, PolicyVersion, Publisher,
    TextError,
};
pub use validity::{EmptyValidity, Moment, Validity, ValidityError};

use domain::Timestamp;
use domain::risk::FailureMode;
use serde::{Deserialize, Deserializer, Serialize};

use crate::artifact::ArtifactRef;

pub(crate) use candidate::TrialRead;
use candidate::{CandidateRead, CandidateWritten};
use strict::{bounded, from_json};

/// The largest document, in bytes of JSON: a thousand merchants and 64 full parameters fit, and four documents with their
/// history fit one request to etcd.
pub const MAX_DOCUMENT_BYTES: usize = 256 * 1024;

/// The highest sequence number: whole in every reader of JSON.
pub const MAX_SEQUENCE: u64 = (1 << 53) - 1;

/// The highest priority number.
pub const MAX_PRIORITY: u32 = 1_000_000;

/// Priority where the author says nothing.
pub const DEFAULT_PRIORITY: u32 = 100;

/// What should run under a policy's name, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyDocument {
    /// The policy's name; also the key under which the document is stored.
    pub name: PolicyName,
    /// Counts the documents of this name, from 1. A node takes none that is below the highest it has seen.
    pub sequence: u64,
    /// The author's version.
    pub version: PolicyVersion,
    /// The contract that the component was built for.
    pub contract: ContractName,
    /// The component.
    pub artifact: ArtifactRef,
    /// What one evaluation may use.
    pub limits: Limits,
    /// What stands in for a fault.
    pub failure_outcomes: FailureOutcomes,
    /// The lower runs the earlier; equals run by name.
    pub priority: u32,
    /// The payments it is run for.
    pub scope: Scope,
    /// Its knobs.
    pub parameters: Parameters,
    /// What it may be shown.
    pub grants: Grants,
    /// The release that is on trial beside it.
    pub candidate: Option<Candidate>,
    /// When it may be in force.
    pub validity: Validity,
    /// When it was published.
    pub published_at: Timestamp,
    /// By whom.
    pub publisher: Publisher,
}

/// Why bytes are no document that this gateway takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// More bytes than [`MAX_DOCUMENT_BYTES`].
    #[error("the document has {found} bytes, expected at most {MAX_DOCUMENT_BYTES}")]
    TooLarge {
        /// How many it has.
        found: usize,
    },
    /// Not JSON, or not what a document may say.
    #[error("{0}")]
    Field(FieldError),
}

impl DocumentError {
    /// The stable name of what is wrong.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "document_too_large",
            Self::Field(_) => "document_invalid",
        }
    }
}

/// A document as it is written. The order of the fields is the order of the bytes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentRead {
    name: PolicyName,
    #[serde(deserialize_with = "sequence")]
    sequence: u64,
    version: PolicyVersion,
    contract: ContractName,
    artifact: ArtifactRef,
    #[serde(default)]
    limits: Limits,
    failure_mode: FailureOutcomes,
    #[serde(default = "default_priority", deserialize_with = "priority")]
    priority: u32,
    #[serde(default)]
    scope: Scope,
    #[serde(default)]
    parameters: Parameters,
    #[serde(default)]
    grants: Grants,
    #[serde(default)]
    candidate: Option<CandidateRead>,
    #[serde(default)]
    not_before: Option<Moment>,
    #[serde(default)]
    not_after: Option<Moment>,
    published_at: Moment,
    publisher: Publisher,
}

#[derive(Serialize)]
struct DocumentWritten<'a> {
    name: &'a PolicyName,
    sequence: u64,
    version: &'a PolicyVersion,
    contract: &'a ContractName,
    artifact: &'a ArtifactRef,
    limits: Limits,
    failure_mode: &'a FailureOutcomes,
    priority: u32,
    scope: &'a Scope,
    parameters: &'a Parameters,
    grants: Grants,
    #[serde(skip_serializing_if = "Option::is_none")]
    candidate: Option<CandidateWritten<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_after: Option<Moment>,
    published_at: Moment,
    publisher: &'a Publisher,
}

fn sequence<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    bounded(deserializer, 1, MAX_SEQUENCE)
}

pub(crate) fn priority<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let value = bounded(deserializer, 0, u64::from(MAX_PRIORITY))?;
    u32::try_from(value).map_err(serde::de::Error::custom)
}

pub(crate) const fn default_priority() -> u32 {
    DEFAULT_PRIORITY
}

impl PolicyDocument {
    /// Reads a document's JSON.
    ///
    /// # Errors
    /// When it is too large, not JSON, or says what a document of a release may not say.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        if bytes.len() > MAX_DOCUMENT_BYTES {
            return Err(DocumentError::TooLarge { found: bytes.len() });
        }
        let read: DocumentRead = from_json(bytes).map_err(DocumentError::Field)?;
        let validity = Validity::new(read.not_before.map(|m| m.0), read.not_after.map(|m| m.0))
            .map_err(|error| DocumentError::Field(FieldError::at("not_after", error.to_string())))?;
        let candidate = read.candidate.map(CandidateRead::check).transpose();
        let candidate = candidate.map_err(DocumentError::Field)?;
        Ok(Self {
            name: read.name,
            sequence: read.sequence,
            version: read.version,
            contract: read.contract,
            artifact: read.artifact,
            limits: read.limits,
            failure_outcomes: read.failure_mode,
            priority: read.priority,
            scope: read.scope,
            parameters: read.parameters,
            grants: read.grants,
            candidate,
            validity,
            published_at: read.published_at.0,
            publisher: read.publisher,
        })
    }

    /// The document as JSON. Equal documents give equal bytes.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let written = DocumentWritten {
            name: &self.name,
            sequence: self.sequence,
            version: &self.version,
            contract: &self.contract,
            artifact: &self.artifact,
            limits: self.limits,
            failure_mode: &self.failure_outcomes,
            priority: self.priority,
            scope: &self.scope,
            parameters: &self.parameters,
            grants: self.grants,
            candidate: self.candidate.as_ref().map(CandidateWritten::from),
            not_before: self.validity.not_before().map(Moment),
            not_after: self.validity.not_after().map(Moment),
            published_at: Moment(self.published_at),
            publisher: &self.publisher,
        };
        // Cannot fail: every key is a text and every value has a form in JSON.
        serde_json::to_vec(&written).unwrap_or_default()
    }

    /// What stands in for a fault, as the domain works with it.
    #[must_use]
    pub const fn failure_mode(&self) -> &FailureMode {
        self.failure_outcomes.failure_mode()
    }

    /// Whether the document may be in force now.
    ///
    /// # Errors
    /// Before its window begins and after it ends.
    pub fn validity(&self, now: Timestamp) -> Result<(), ValidityError> {
        self.validity.check(now)
    }

    /// Whether both say the same of the release in force, and only of a candidate something else.
    pub(crate) fn differs_by_its_candidate_alone_from(&self, other: &Self) -> bool {
        self.candidate != other.candidate
            && self
                .without_candidate()
                .says_the_same_as(&other.without_candidate())
    }

    /// Whether both say the same but for what publishing adds: sequence, moment and publisher.
    #[must_use]
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let mut other = other.clone();
        other.sequence = self.sequence;
        other.published_at = self.published_at;
        other.publisher = self.publisher.clone();
        *self == other
    }
}

#[cfg(test)]
pub(crate) mod tests;
