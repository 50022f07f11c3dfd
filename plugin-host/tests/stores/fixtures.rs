//! What the tests publish, and how they wait.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use domain::Timestamp;
use domain::risk::{FailureMode, Outcome};
use portcullis_plugin_host::artifact::Artifact;
use portcullis_plugin_host::document::{
    ContractName, Grants, Limits, Parameters, PolicyDocument, PolicyName, PolicyVersion, Publisher, Scope,
    Validity,
};
use portcullis_plugin_host::envelope::Envelope;
use portcullis_plugin_host::load_error::LoadError;
use portcullis_plugin_host::manifest::Manifest;
use portcullis_plugin_host::publish::{
    ComponentMetadata, Examiner, Proposal, Publication, PublishError, PublishOutcome, Terms, publish,
};
use portcullis_plugin_host::signing::{SigningKey, TrustedKeys};
use portcullis_plugin_host::store::{
    DocumentWrite, HistoryWrite, PolicyArchive, PolicyStore, PolicyWatch, StoreError, WatchEvent,
};

/// How long a test waits for a state before it fails: generous, because machines that run tests are busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn name(text: &str) -> PolicyName {
    PolicyName::parse(text).unwrap()
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix_millis(1_767_225_600_000)
}

pub(crate) fn publisher() -> Publisher {
    Publisher::parse("risk-team").unwrap()
}

/// Unsigned, for nodes that trust nobody in particular.
pub(crate) fn terms() -> Terms<'static> {
    static NOBODY: LazyLock<TrustedKeys> = LazyLock::new(TrustedKeys::default);
    terms_of(&[], &NOBODY)
}

/// Signed by these keys, for nodes that trust those.
pub(crate) fn terms_of<'a>(signers: &'a [SigningKey], trusted: &'a TrustedKeys) -> Terms<'a> {
    static PUBLISHER: LazyLock<Publisher> = LazyLock::new(publisher);
    Terms {
        publisher: &PUBLISHER,
        now: now(),
        signers,
        trusted,
        required: &[],
    }
}

pub(crate) fn contract() -> ContractName {
    ContractName::parse("portcullis:policy@0.1.0").unwrap()
}

/// Bytes that no compression and no accident repeats.
pub(crate) fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    })
    .take(length)
    .collect()
}

pub(crate) fn document(policy: &str, sequence: u64) -> PolicyDocument {
    PolicyDocument {
        name: name(policy),
        sequence,
        version: PolicyVersion::parse("1.0.0").unwrap(),
        contract: contract(),
        artifact: *Artifact::new(b"component".as_slice()).unwrap().reference(),
        limits: Limits::default(),
        failure_outcomes: FailureMode::new(Outcome::Review).into(),
        priority: 100,
        scope: Scope::default(),
        parameters: Parameters::default(),
        grants: Grants::NONE,
        candidate: None,
        validity: Validity::default(),
        published_at: now(),
        publisher: publisher(),
    }
}

pub(crate) fn envelope(policy: &str, sequence: u64) -> Bytes {
    Envelope::unsigned(&document(policy, sequence)).to_json().into()
}

/// A document that is not there yet.
pub(crate) fn new(policy: &str) -> DocumentWrite {
    write(policy, 1, None)
}

pub(crate) fn write(policy: &str, sequence: u64, expected: Option<u64>) -> DocumentWrite {
    DocumentWrite {
        name: name(policy),
        sequence,
        history: HistoryWrite::Appended,
        value: envelope(policy, sequence),
        expected,
    }
}

/// A write of so many bytes that are no envelope; a store does not look.
pub(crate) fn opaque(policy: &str, bytes: usize) -> DocumentWrite {
    DocumentWrite {
        value: noise(bytes, 7).into(),
        ..new(policy)
    }
}

pub(crate) fn publication(policy: &str, version: &str, component: &[u8]) -> Publication {
    let manifest =
        format!("name = \"{policy}\"\nversion = \"{version}\"\n[failure_mode]\ndefault = \"review\"\n");
    Publication {
        manifest: Manifest::parse("policy.toml", &manifest).unwrap(),
        artifact: Artifact::new(component.to_vec()).unwrap(),
        component: ComponentMetadata { contract: contract() },
    }
}

/// Takes every component: what the store tests publish are no policies.
pub(crate) struct AnyComponent;

#[async_trait]
impl Examiner for AnyComponent {
    async fn examine(&mut self, _: &PolicyDocument, _: &[u8]) -> Result<(), LoadError> {
        Ok(())
    }
}

/// Publishes releases.
pub(crate) async fn push(
    store: &dyn PolicyArchive,
    publications: &[Publication],
    terms: &Terms<'_>,
) -> Result<PublishOutcome, PublishError> {
    let proposals: Vec<Proposal> = publications
        .iter()
        .map(|publication| Proposal::Release(Box::new(publication.clone())))
        .collect();
    publish(store, &proposals, terms, &mut AnyComponent).await
}

/// Publishes one proposal.
pub(crate) async fn propose(
    store: &dyn PolicyArchive,
    proposal: Proposal,
) -> Result<PublishOutcome, PublishError> {
    publish(store, &[proposal], &terms(), &mut AnyComponent).await
}

/// Changed documents by name, with the sequence in each; none where one was deleted or is no envelope.
pub(crate) type Changes = Vec<(String, Option<u64>)>;

pub(crate) fn sequences(documents: &[(String, Option<Bytes>)]) -> Changes {
    let sequence = |value: &Bytes| Some(Envelope::parse(value).ok()?.document().ok()?.sequence);
    documents
        .iter()
        .map(|(name, value)| (name.clone(), value.as_ref().and_then(sequence)))
        .collect()
}

/// The next change, past any sign of life.
pub(crate) async fn change(watch: &mut dyn PolicyWatch) -> (u64, Vec<(String, Option<Bytes>)>) {
    let next = async {
        loop {
            if let WatchEvent::Changed { revision, documents } = watch.next().await.unwrap() {
                return (revision, documents);
            }
        }
    };
    tokio::time::timeout(PATIENCE, next)
        .await
        .expect("no change came")
}

/// The error that a watch ends with, whether it ends when it is opened or later.
pub(crate) async fn watch_error(store: &dyn PolicyStore, after: u64) -> StoreError {
    let ending = async {
        let mut watch = match store.watch(after).await {
            Ok(watch) => watch,
            Err(error) => return error,
        };
        loop {
            if let Err(error) = watch.next().await {
                return error;
            }
        }
    };
    tokio::time::timeout(PATIENCE, ending)
        .await
        .expect("the watch did not end")
}

/// Asks until the answer is there.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
