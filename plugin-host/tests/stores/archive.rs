//! What every store promises of its past.

use bytes::Bytes;
use portcullis_plugin_host::artifact::{Artifact, CHUNK_BYTES};
use portcullis_plugin_host::store::{HistoryEntry, PolicyArchive, StoredArtifact, Transaction};

use crate::backend::{Backend, chunk_key};
use crate::fixtures::*;

/// Publishes so many versions of a policy.
pub(crate) async fn versions(store: &dyn PolicyArchive, policy: &str, count: u64) {
    for number in 1..=count {
        let version = format!("1.{number}.0");
        let component = format!("{policy} {version}");
        let publications = [publication(policy, &version, component.as_bytes())];
        push(store, &publications, &terms()).await.unwrap();
    }
}

fn entry(policy: &str, sequence: u64) -> HistoryEntry {
    HistoryEntry {
        name: name(policy),
        sequence,
    }
}

async fn sequences_of(store: &dyn PolicyArchive, policy: &str) -> Vec<u64> {
    let entries = store.history(Some(&name(policy))).await.unwrap();
    entries.into_iter().map(|entry| entry.sequence).collect()
}

pub(crate) async fn a_history_is_listed_with_the_newest_first(backend: &Backend) {
    let store = backend.store.as_ref();
    assert_eq!(store.history(None).await, Ok(Vec::new()));
    assert_eq!(store.past(&entry("a", 1)).await, Ok(None));
    // Ten comes before nine as text.
    versions(store, "a", 11).await;
    versions(store, "b", 1).await;
    backend.put_by_hand("policies-history/a/draft", b"no entry");
    backend.put_by_hand("policies-history/Not A Name/1", b"no entry");
    assert_eq!(sequences_of(store, "a").await, (1..=11).rev().collect::<Vec<_>>());
    let all = store.history(None).await.unwrap();
    assert_eq!((all.len(), all.last()), (12, Some(&entry("b", 1))));
    let stored = store.get(&name("a")).await.unwrap().unwrap();
    assert_eq!(store.past(&entry("a", 11)).await, Ok(Some(stored.value)));
}

pub(crate) async fn a_trimmed_entry_is_gone_and_the_next_sequence_goes_on(backend: &Backend) {
    let store = backend.store.as_ref();
    versions(store, "a", 4).await;
    let listing = store.list().await.unwrap();
    let some = [entry("a", 1), entry("a", 2), entry("a", 99)];
    store.trim(&some).await.unwrap();
    store.trim(&some).await.unwrap();
    assert_eq!(sequences_of(store, "a").await, [4, 3]);
    assert_eq!(store.last_sequence(&name("a")).await, Ok(4));
    assert_eq!(store.list().await.unwrap().documents, listing.documents);
}

async fn put(store: &dyn PolicyArchive, bytes: Vec<u8>) -> Artifact {
    let artifact = Artifact::new(bytes).unwrap();
    let transaction = Transaction {
        artifacts: vec![artifact.clone()],
        documents: Vec::new(),
    };
    store.put(transaction).await.unwrap();
    artifact
}

async fn listed(store: &dyn PolicyArchive, artifact: &Artifact) -> Option<StoredArtifact> {
    let artifacts = store.artifacts().await.unwrap();
    let digest = artifact.reference().digest();
    artifacts.into_iter().find(|stored| stored.digest == *digest)
}

pub(crate) async fn artifacts_are_listed_with_their_last_chunks(backend: &Backend) {
    let store = backend.store.as_ref();
    assert_eq!(store.artifacts().await, Ok(Vec::new()));
    let small = put(store, noise(10, 1)).await;
    let large = put(store, noise(2 * CHUNK_BYTES + 1, 2)).await;
    backend.put_by_hand("artifacts/elsewhere/000000", b"no artifact");
    assert_eq!(store.artifacts().await.unwrap().len(), 2);
    assert_eq!(listed(store, &small).await.unwrap().last_chunk, 0);
    let before = listed(store, &large).await.unwrap();
    assert_eq!(before.last_chunk, 2);
    assert_eq!(
        listed(store, &large).await.unwrap(),
        before,
        "nothing was written"
    );
    backend.put_by_hand(&chunk_key(large.reference().digest(), 1), b"altered");
    assert_ne!(listed(store, &large).await.unwrap().mark, before.mark);
}

pub(crate) async fn an_artifact_is_deleted_only_as_it_was_looked_at(backend: &Backend) {
    let store = backend.store.as_ref();
    // Also where there is no document yet.
    let artifact = put(store, noise(CHUNK_BYTES + 1, 3)).await;
    let (stored, revision) = (
        listed(store, &artifact).await.unwrap(),
        store.list().await.unwrap().revision,
    );
    versions(store, "a", 1).await;
    assert_eq!(
        store.delete(&stored, revision).await,
        Ok(false),
        "a document was written since"
    );
    let revision = store.list().await.unwrap().revision;
    backend.put_by_hand(&chunk_key(artifact.reference().digest(), 1), b"written again");
    assert_eq!(
        store.delete(&stored, revision).await,
        Ok(false),
        "the artifact was written since"
    );
    let digest = artifact.reference().digest();
    assert_eq!(
        store.chunk(digest, 1).await,
        Ok(Some(Bytes::from_static(b"written again")))
    );
    let stored = listed(store, &artifact).await.unwrap();
    let revision = store.list().await.unwrap().revision;
    assert_eq!(store.delete(&stored, revision).await, Ok(true));
    assert_eq!(listed(store, &artifact).await, None);
    assert_eq!(store.chunk(digest, 0).await, Ok(None));
    assert_eq!(store.artifacts().await.unwrap().len(), 1, "the other stays");
}
