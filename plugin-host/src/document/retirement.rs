//! A retirement: the document that says that a policy is to run no more.
//!
//! It is signed and counted as every other document of its name, and stays in the store: that a document is missing is no
//! statement of anybody, and takes no rule out of force.

use domain::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de};

use super::strict::from_json;
use super::text::{DocumentText, PolicyName, Publisher};
use super::validity::Moment;
use super::{DocumentError, sequence};

/// Why a policy was retired, in the words of whoever did: 1 to 256 bytes.
pub type RetirementReason = DocumentText<256>;

/// That nothing is to run under a policy's name from this sequence on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retirement {
    /// The policy's name; also the key under which the document is stored.
    pub name: PolicyName,
    /// Counts the documents of this name, with those of its releases.
    pub sequence: u64,
    /// Why.
    pub reason: Option<RetirementReason>,
    /// When it was published.
    pub published_at: Timestamp,
    /// By whom.
    pub publisher: Publisher,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RetirementRead {
    name: PolicyName,
    #[serde(deserialize_with = "sequence")]
    sequence: u64,
    #[serde(rename = "retired", deserialize_with = "yes")]
    _retired: (),
    #[serde(default)]
    reason: Option<RetirementReason>,
    published_at: Moment,
    publisher: Publisher,
}

#[derive(Serialize)]
struct RetirementWritten<'a> {
    name: &'a PolicyName,
    sequence: u64,
    retired: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a RetirementReason>,
    published_at: Moment,
    publisher: &'a Publisher,
}

/// A document that says `false` says nothing that it would not say without the field.
fn yes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    if bool::deserialize(deserializer)? {
        return Ok(());
    }
    Err(de::Error::custom(
        "found false, expected true; a document of a release has no such field",
    ))
}

impl Retirement {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        let read: RetirementRead = from_json(bytes).map_err(DocumentError::Field)?;
        Ok(Self {
            name: read.name,
            sequence: read.sequence,
            reason: read.reason,
            published_at: read.published_at.0,
            publisher: read.publisher,
        })
    }

    /// The document as JSON. Equal documents give equal bytes.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let written = RetirementWritten {
            name: &self.name,
            sequence: self.sequence,
            retired: true,
            reason: self.reason.as_ref(),
            published_at: Moment(self.published_at),
            publisher: &self.publisher,
        };
        // Cannot fail: texts and numbers only.
        serde_json::to_vec(&written).unwrap_or_default()
    }
}

/// What a document says: that a release is to run, or that none is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// This is to run.
    Release(Box<super::PolicyDocument>),
    /// Nothing is.
    Retirement(Retirement),
}

/// As much as tells one from the other.
#[derive(Deserialize)]
struct Kind {
    #[serde(default)]
    retired: Option<de::IgnoredAny>,
}

impl Statement {
    /// Reads a document's JSON.
    ///
    /// # Errors
    /// When it is too large, not JSON, or says what a document may not say.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        if bytes.len() > super::MAX_DOCUMENT_BYTES {
            return Err(DocumentError::TooLarge { found: bytes.len() });
        }
        // What is wrong otherwise is told by the reader of a release, which knows every field.
        let kind = from_json::<Kind>(bytes);
        if kind.is_ok_and(|kind| kind.retired.is_some()) {
            Retirement::parse(bytes).map(Self::Retirement)
        } else {
            super::PolicyDocument::parse(bytes).map(|document| Self::Release(Box::new(document)))
        }
    }

    /// The policy's name.
    #[must_use]
    pub const fn name(&self) -> &PolicyName {
        match self {
            Self::Release(document) => &document.name,
            Self::Retirement(retirement) => &retirement.name,
        }
    }

    /// Its number among the documents of its name.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        match self {
            Self::Release(document) => document.sequence,
            Self::Retirement(retirement) => retirement.sequence,
        }
    }

    /// When it was published.
    #[must_use]
    pub const fn published_at(&self) -> Timestamp {
        match self {
            Self::Release(document) => document.published_at,
            Self::Retirement(retirement) => retirement.published_at,
        }
    }

    /// By whom.
    #[must_use]
    pub const fn publisher(&self) -> &Publisher {
        match self {
            Self::Release(document) => &document.publisher,
            Self::Retirement(retirement) => &retirement.publisher,
        }
    }

    /// The document as JSON. Equal documents give equal bytes.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        match self {
            Self::Release(document) => document.to_json(),
            Self::Retirement(retirement) => retirement.to_json(),
        }
    }
}
