//! Publishing: an author's manifest and a component become a document and an artifact in a store.

mod countersign;

pub use countersign::{Countersigned, countersign};

use bytes::Bytes;
use domain::Timestamp;

use crate::artifact::Artifact;
use crate::digest::Digest;
use crate::document::{ContractName, MAX_SEQUENCE, PolicyDocument, PolicyName, PolicyVersion, Publisher};
use crate::envelope::{Envelope, MAX_SIGNATURES};
use crate::manifest::Manifest;
use crate::signing::{SignatureRefusal, SigningError, SigningKey, TrustedKeys};
use crate::store::{DocumentWrite, HistoryWrite, PolicyStore, StoreError, StoredDocument, Transaction};

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
}

/// One policy to publish.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The author's part.
    pub manifest: Manifest,
    /// The component's bytes.
    pub artifact: Artifact,
    /// What was read from the component.
    pub component: ComponentMetadata,
}

impl Publication {
    fn document(&self, sequence: u64, terms: &Terms<'_>) -> PolicyDocument {
        self.manifest.document(
            self.component.contract.clone(),
            *self.artifact.reference(),
            sequence,
            terms.now,
            terms.publisher.clone(),
        )
    }
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
    /// The author's version.
    pub version: PolicyVersion,
    /// The sequence of its document.
    pub sequence: u64,
    /// Its artifact.
    pub digest: Digest,
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
    /// The nodes would not take the document for its signatures.
    #[error("`{name}`: {refusal}")]
    Refused {
        /// Which policy.
        name: PolicyName,
        /// Why not.
        refusal: SignatureRefusal,
    },
    /// A key does not sign.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// There is no document to sign.
    #[error("`{name}`: the store holds no document of it; publish it with `portcullis policy push`")]
    NotStored {
        /// Which policy.
        name: PolicyName,
    },
    /// What is stored is not what would be signed.
    #[error("`{name}`: {reason}; it is not signed")]
    NotSignable {
        /// Which policy.
        name: PolicyName,
        /// Why not.
        reason: String,
    },
}

/// Publishes policies, all in one transaction: they come into force together or not at all. A publication that says what is
/// in the store already writes no document, or the same one with the signatures that it lacked; its artifact is made whole
/// where a chunk is missing or altered.
///
/// # Errors
/// When the store cannot be read or written, when somebody else's publications cross every attempt, and when the nodes would
/// not take a document for its signatures. Nothing is written then, but for artifacts that no document names.
pub async fn publish(
    store: &dyn PolicyStore,
    publications: &[Publication],
    terms: &Terms<'_>,
) -> Result<PublishOutcome, PublishError> {
    let mut attempt = 1;
    loop {
        match publish_once(store, publications, terms).await {
            Err(PublishError::Store(StoreError::Conflict { name })) if attempt < MAX_ATTEMPTS => {
                tracing::debug!(
                    policy.name = name,
                    attempt,
                    "published by somebody else meanwhile; reading again"
                );
                attempt += 1;
            }
            result => return result,
        }
    }
}

/// Whether the nodes would take what these keys sign, without a look at the store: signatures that a document has there
/// already are not counted.
///
/// # Errors
/// [`PublishError::Refused`] where they would not, and when a key does not sign.
pub fn check_signatures(publications: &[Publication], terms: &Terms<'_>) -> Result<(), PublishError> {
    for publication in publications {
        let document = publication.document(1, terms);
        fresh(&document, terms)?;
    }
    Ok(())
}

async fn publish_once(
    store: &dyn PolicyStore,
    publications: &[Publication],
    terms: &Terms<'_>,
) -> Result<PublishOutcome, PublishError> {
    let mut transaction = Transaction::default();
    let mut policies = Vec::with_capacity(publications.len());
    for publication in publications {
        let (policy, write) = prepare(store, publication, terms).await?;
        transaction.artifacts.push(publication.artifact.clone());
        transaction.documents.extend(write);
        policies.push(policy);
    }
    let changed = !transaction.documents.is_empty();
    let revision = store.put(transaction).await?;
    Ok(PublishOutcome {
        revision: changed.then_some(revision),
        policies,
    })
}

async fn prepare(
    store: &dyn PolicyStore,
    publication: &Publication,
    terms: &Terms<'_>,
) -> Result<(PublishedPolicy, Option<DocumentWrite>), PublishError> {
    let name = &publication.manifest.name;
    let stored = store.get(name).await?;
    // What cannot be read counts as other than what is published, and is replaced.
    let present = stored
        .as_ref()
        .and_then(read)
        .filter(|(_, present)| present.name == *name);
    let last = store.last_sequence(name).await?;
    let last = present
        .as_ref()
        .map_or(last, |(_, present)| present.sequence.max(last));
    if last >= MAX_SEQUENCE {
        return Err(PublishError::SequenceExhausted {
            name: name.clone(),
            last,
        });
    }
    let document = publication.document(last + 1, terms);
    // One that is older than what was in force before is refused by every node that saw that, whatever it says.
    let same = present
        .filter(|(_, present)| present.sequence == last && present.says_the_same_as(&document))
        .map(|(envelope, present)| Ok((present, sign(envelope, terms.signers)?)))
        .transpose()
        .map_err(PublishError::Signing)?;
    let (document, envelope, change) = match same {
        Some((present, Some((envelope, 0)))) => (present, envelope, Change::Nothing),
        Some((present, Some((envelope, _)))) => (present, envelope, Change::Signed),
        // Also where the one that is there has no room for a signature.
        Some((_, None)) | None => {
            let envelope = fresh(&document, terms)?;
            (document, envelope, Change::Published)
        }
    };
    check(&envelope, name, terms)?;
    let policy = PublishedPolicy {
        name: name.clone(),
        version: document.version.clone(),
        sequence: document.sequence,
        digest: *document.artifact.digest(),
        change,
        signed_by: signed_by(&envelope),
    };
    let history = match change {
        Change::Nothing => return Ok((policy, None)),
        Change::Signed => HistoryWrite::Signed,
        Change::Published => HistoryWrite::Appended,
    };
    let write = DocumentWrite {
        name: name.clone(),
        sequence: document.sequence,
        history,
        value: Bytes::from(envelope.to_json()),
        expected: stored.map(|stored| stored.mod_revision),
    };
    Ok((policy, Some(write)))
}

/// A new document's envelope, which the nodes would take.
fn fresh(document: &PolicyDocument, terms: &Terms<'_>) -> Result<Envelope, PublishError> {
    let name = &document.name;
    let Some((envelope, _)) = sign(Envelope::unsigned(document), terms.signers)? else {
        return Err(PublishError::NotSignable {
            name: name.clone(),
            reason: format!("more than {MAX_SIGNATURES} keys are to sign it"),
        });
    };
    check(&envelope, name, terms)?;
    Ok(envelope)
}

/// Whether the nodes would take an envelope for its signatures.
fn check(envelope: &Envelope, name: &PolicyName, terms: &Terms<'_>) -> Result<(), PublishError> {
    match terms.trusted.verify(envelope, name, terms.now) {
        Ok(_) => Ok(()),
        Err(refusal) => Err(PublishError::Refused {
            name: name.clone(),
            refusal,
        }),
    }
}

fn read(stored: &StoredDocument) -> Option<(Envelope, PolicyDocument)> {
    let envelope = Envelope::parse(&stored.value).ok()?;
    let document = envelope.document().ok()?;
    Some((envelope, document))
}

/// The envelope with a signature of each of these keys, and how many of those it did not have before; none where there is no
/// room for them.
fn sign(envelope: Envelope, signers: &[SigningKey]) -> Result<Option<(Envelope, usize)>, SigningError> {
    let message = envelope.pre_authentication_encoding();
    let mut envelope = envelope;
    let mut added = 0;
    for key in signers {
        // One under its id that does not verify is somebody's mistake, or worse, and is replaced.
        let is_there = envelope.signatures().iter().any(|signature| {
            signature.keyid == key.id().as_str() && key.public().verifies(&message, &signature.sig)
        });
        if is_there {
            continue;
        }
        let signature = key.sign(&envelope)?;
        match envelope.with_signature(signature) {
            Some(signed) => envelope = signed,
            None => return Ok(None),
        }
        added += 1;
    }
    Ok(Some((envelope, added)))
}

fn signed_by(envelope: &Envelope) -> Vec<String> {
    let signatures = envelope.signatures().iter();
    signatures.map(|signature| signature.keyid.clone()).collect()
}
