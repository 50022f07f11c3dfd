//! Publishing: what somebody proposes becomes documents and artifacts in a store.
//!
//! A proposal is made a plan by reading the store: the next sequence, the document, its signatures, and whether a node would take
//! all of it. Nothing is written before every check has passed. A plan is carried out as a whole, if the store still is as it was
//! read, and made anew if it is not.

mod countersign;
mod examination;
mod garbage;
mod history;
mod plan;
mod present;
mod proposal;
mod rollback;
mod signatures;

pub use countersign::{Countersigned, countersign};
pub use examination::Examiner;
pub use garbage::{Collected, Garbage, GarbageArtifact, GarbageError};
pub use history::{Record, records, statement_of};
pub use plan::Plan;
pub use proposal::{Proposal, StageName};

use domain::Timestamp;

use crate::artifact::{Artifact, ArtifactError};
use crate::document::{ContractName, MAX_SEQUENCE, PolicyName, Publisher, Statement};
use crate::load_error::LoadError;
use crate::manifest::Manifest;
use crate::signing::{SignatureRefusal, SigningError, SigningKey, TrustedKeys};
use crate::store::{PolicyArchive, StoreError};

/// How often a publication is tried again that somebody else's crossed: each time somebody else got through.
const MAX_ATTEMPTS: u32 = 5;

/// Who publishes, and with which keys.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Who, as the documents will say.
    pub publisher: &'a Publisher,
    /// When.
    pub now: Timestamp,
    /// The keys that sign; none leaves the documents without a signature.
    pub signers: &'a [SigningKey],
    /// Whom the nodes trust, as far as that is known here: what they would not take is not published.
    pub trusted: &'a TrustedKeys,
    /// The policies that the nodes may not be without, as far as they are known here.
    pub required: &'a [String],
}

/// One policy's release, as its author gives it.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The author's part.
    pub manifest: Manifest,
    /// The component's bytes.
    pub artifact: Artifact,
    /// What was read from the component.
    pub component: ComponentMetadata,
}

/// What a document says of its component that is read from the component itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentMetadata {
    /// The contract it was built for.
    pub contract: ContractName,
}

/// What came of publishing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishOutcome {
    /// The store's revision with the publications in it; none where none of them changed anything.
    pub revision: Option<u64>,
    /// Each publication, in the order in which they were given.
    pub policies: Vec<PublishedPolicy>,
}

/// One published policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedPolicy {
    /// Its name.
    pub name: PolicyName,
    /// The sequence of its document.
    pub sequence: u64,
    /// What the store said before, where that could be read.
    pub before: Option<Statement>,
    /// What it says now.
    pub after: Statement,
    /// What was written.
    pub change: Change,
    /// The ids of the keys that signed the document, in the order of their signatures; empty for one that gives none.
    pub signed_by: Vec<String>,
}

/// What publishing a policy changed in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing: the same document was there already, and every key had signed it.
    Nothing,
    /// The same document was there, and has signatures now that it lacked.
    Signed,
    /// A new document.
    Published,
}

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The store refused or did not answer. After [`StoreError::Conflict`] every attempt met somebody else's.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The name's sequence numbers are used up.
    #[error("`{name}`: its last sequence is {last}, and {MAX_SEQUENCE} is the highest there is")]
    SequenceExhausted {
        /// Which policy.
        name: PolicyName,
        /// The last sequence.
        last: u64,
    },
    /// The nodes would not take the document.
    #[error("`{name}` ({code}): {message}")]
    Refused {
        /// Which policy.
        name: PolicyName,
        /// The stable name of the check that would fail.
        code: &'static str,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// A key does not sign.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// There is no document to go on from.
    #[error("`{name}`: the store holds no document of it; publish it with `portcullis policy push`")]
    NotStored {
        /// Which policy.
        name: PolicyName,
    },
    /// What is stored does not allow what was proposed.
    #[error("`{name}`: {reason}; nothing was written")]
    NotPossible {
        /// Which policy.
        name: PolicyName,
        /// Why not, and what would be possible.
        reason: String,
    },
}

impl PublishError {
    fn not_possible(name: &PolicyName, reason: impl Into<String>) -> Self {
        Self::NotPossible {
            name: name.clone(),
            reason: reason.into(),
        }
    }

    fn unsigned(name: &PolicyName, refusal: &SignatureRefusal) -> Self {
        Self::Refused {
            name: name.clone(),
            code: refusal.code(),
            message: refusal.to_string(),
        }
    }

    fn load(name: &PolicyName, error: &LoadError) -> Self {
        Self::Refused {
            name: name.clone(),
            code: error.code(),
            message: error.to_string(),
        }
    }

    fn artifact(name: &PolicyName, error: ArtifactError) -> Self {
        match error {
            ArtifactError::Store(error) => Self::Store(error),
            error => Self::Refused {
                name: name.clone(),
                code: error.code(),
                message: error.to_string(),
            },
        }
    }
}

/// Publishes what is proposed, all in one transaction: it comes into force together or not at all. A proposal that says what is
/// in the store already writes no document, or the same one with the signatures that it lacked; its artifact is made whole
/// where a chunk is missing or altered.
///
/// # Errors
/// When the store cannot be read or written, when somebody else's publications cross every attempt, when what is stored does not
/// allow it, and when the nodes would not take a document. Nothing is written then, but for artifacts that no document names.
pub async fn publish(
    store: &dyn PolicyArchive,
    proposals: &[Proposal],
    terms: &Terms<'_>,
    examiner: &mut dyn Examiner,
) -> Result<PublishOutcome, PublishError> {
    let mut attempt = 1;
    loop {
        let plan = Plan::make(store, proposals, terms, examiner).await?;
        match plan.put(store).await {
            Err(StoreError::Conflict { name }) if attempt < MAX_ATTEMPTS => {
                tracing::debug!(
                    policy.name = name,
                    attempt,
                    "published by somebody else meanwhile; reading again"
                );
                attempt += 1;
            }
            result => return Ok(result?),
        }
    }
}
