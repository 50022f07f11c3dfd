//! Publishing: an author's manifest and a component become a document and an artifact in a store.

use bytes::Bytes;
use domain::Timestamp;

use crate::artifact::Artifact;
use crate::digest::Digest;
use crate::document::{ContractName, MAX_SEQUENCE, PolicyDocument, PolicyName, PolicyVersion, Publisher};
use crate::envelope::Envelope;
use crate::manifest::Manifest;
use crate::store::{DocumentWrite, PolicyStore, StoreError, StoredDocument, Transaction};

/// How often a publication is tried again that somebody else's crossed: each time somebody else got through.
const MAX_ATTEMPTS: u32 = 5;

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
    /// Whether a document was written, or the same was there already.
    pub changed: bool,
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
}

/// Publishes policies, all in one transaction: they come into force together or not at all. A publication that says what is
/// in the store already writes no document; its artifact is made whole where a chunk is missing or altered.
///
/// # Errors
/// When the store cannot be read or written, and when somebody else's publications cross every attempt.
pub async fn publish(
    store: &dyn PolicyStore,
    publications: &[Publication],
    publisher: &Publisher,
    now: Timestamp,
) -> Result<PublishOutcome, PublishError> {
    let mut attempt = 1;
    loop {
        match publish_once(store, publications, publisher, now).await {
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

async fn publish_once(
    store: &dyn PolicyStore,
    publications: &[Publication],
    publisher: &Publisher,
    now: Timestamp,
) -> Result<PublishOutcome, PublishError> {
    let mut transaction = Transaction::default();
    let mut policies = Vec::with_capacity(publications.len());
    for publication in publications {
        let (policy, write) = prepare(store, publication, publisher, now).await?;
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
    publisher: &Publisher,
    now: Timestamp,
) -> Result<(PublishedPolicy, Option<DocumentWrite>), PublishError> {
    let name = &publication.manifest.name;
    let stored = store.get(name).await?;
    // What cannot be read counts as other than what is published, and is replaced.
    let present = stored
        .as_ref()
        .and_then(read)
        .filter(|present| present.name == *name);
    let last = store.last_sequence(name).await?;
    let last = present
        .as_ref()
        .map_or(last, |present| present.sequence.max(last));
    if last >= MAX_SEQUENCE {
        return Err(PublishError::SequenceExhausted {
            name: name.clone(),
            last,
        });
    }
    let document = publication.manifest.document(
        publication.component.contract.clone(),
        *publication.artifact.reference(),
        last + 1,
        now,
        publisher.clone(),
    );
    let unchanged = present.filter(|present| present.says_the_same_as(&document));
    let policy = PublishedPolicy {
        name: name.clone(),
        version: document.version.clone(),
        sequence: unchanged
            .as_ref()
            .map_or(document.sequence, |present| present.sequence),
        digest: *document.artifact.digest(),
        changed: unchanged.is_none(),
    };
    let write = unchanged.is_none().then(|| DocumentWrite {
        name: name.clone(),
        sequence: document.sequence,
        value: Bytes::from(Envelope::unsigned(&document).to_json()),
        expected: stored.map(|stored| stored.mod_revision),
    });
    Ok((policy, write))
}

fn read(stored: &StoredDocument) -> Option<PolicyDocument> {
    Envelope::parse(&stored.value).ok()?.document().ok()
}
