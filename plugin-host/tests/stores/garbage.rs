//! Collecting what nobody needs, beside those who publish.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use portcullis_plugin_host::artifact::{self, Artifact, ArtifactRef, CHUNK_BYTES};
use portcullis_plugin_host::digest::Digest;
use portcullis_plugin_host::document::PolicyDocument;
use portcullis_plugin_host::envelope::Envelope;
use portcullis_plugin_host::node_status::NodeId;
use portcullis_plugin_host::publish::{Garbage, GarbageError};
use portcullis_plugin_host::store::{DocumentWrite, PolicyArchive, Transaction};

use crate::archive::versions;
use crate::backend::Backend;
use crate::fixtures::*;

async fn digests(store: &dyn PolicyArchive) -> BTreeSet<Digest> {
    let artifacts = store.artifacts().await.unwrap();
    artifacts.into_iter().map(|artifact| artifact.digest).collect()
}

fn of(number: u64) -> Digest {
    Digest::of(format!("a 1.{number}.0").as_bytes())
}

pub(crate) async fn what_nobody_needs_is_collected_and_nothing_else(backend: &Backend) {
    let store = backend.store.as_ref();
    versions(store, "a", 6).await;
    versions(store, "b", 1).await;
    // Its document was deleted by hand, and its history is all that is left.
    versions(store, "c", 1).await;
    backend.delete_by_hand("policies/c");
    // A node runs an old one, and says so in a field that this version does not know.
    let report = serde_json::json!({"node": "n", "trial": {"digests": [of(2).to_string()]}});
    let node = NodeId::parse("n").unwrap();
    store.report(&node, report.to_string().as_bytes()).await.unwrap();
    // Nobody names this one.
    let orphan = Artifact::new(noise(CHUNK_BYTES + 7, 9)).unwrap();
    let transaction = Transaction {
        artifacts: vec![orphan.clone()],
        documents: Vec::new(),
    };
    store.put(transaction).await.unwrap();

    let found = Garbage::find(store, 3).await.unwrap();
    let unneeded: BTreeSet<Digest> = found
        .artifacts
        .iter()
        .map(|artifact| artifact.stored.digest)
        .collect();
    let orphan_digest = *orphan.reference().digest();
    assert_eq!(unneeded, BTreeSet::from([of(1), of(3), orphan_digest]));
    let sizes = found.artifacts.iter().map(|artifact| artifact.size);
    assert!(sizes.into_iter().any(|size| size == orphan.reference().size()));
    let trimmed: Vec<u64> = found.history.iter().map(|entry| entry.sequence).collect();
    assert_eq!(trimmed, [3, 2, 1]);
    let before = digests(store).await;

    let collected = Garbage::collect(store, 3, Duration::ZERO).await.unwrap();
    assert_eq!(
        (collected.artifacts.len(), collected.history.len(), collected.left),
        (3, 3, 0)
    );
    let left = digests(store).await;
    assert_eq!(left, before.difference(&unneeded).copied().collect());
    assert_eq!(store.history(Some(&name("a"))).await.unwrap().len(), 3);
    let again = Garbage::collect(store, 3, Duration::ZERO).await.unwrap();
    assert_eq!((again.artifacts.len(), again.history.len()), (0, 0));
}

pub(crate) async fn what_cannot_be_read_stops_the_collection(backend: &Backend) {
    let store = backend.store.as_ref();
    versions(store, "a", 3).await;
    let before = digests(store).await;
    for key in ["policies/b", "policies-history/a/9"] {
        backend.put_by_hand(key, b"of a later version");
        let error = Garbage::collect(store, 1, Duration::ZERO).await.unwrap_err();
        assert!(
            matches!(&error, GarbageError::Unreadable { what, .. } if what == key),
            "{error}"
        );
        backend.delete_by_hand(key);
    }
    store
        .report(&NodeId::parse("n").unwrap(), b"no report")
        .await
        .unwrap();
    let error = Garbage::collect(store, 1, Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, GarbageError::Unreadable { .. }), "{error}");
    assert_eq!(digests(store).await, before);
}

/// Every document that is stored can be loaded.
async fn assert_whole(store: &dyn PolicyArchive) {
    for document in store.list().await.unwrap().documents {
        let document = Envelope::parse(&document.value).unwrap().document().unwrap();
        if let Err(error) = artifact::fetch(store, &document.artifact).await {
            // Published over since it was listed, and collected.
            let stored = store.get(&document.name).await.unwrap().unwrap();
            let stored = Envelope::parse(&stored.value).unwrap().document().unwrap();
            assert_ne!(stored.sequence, document.sequence, "{error}");
        }
    }
}

pub(crate) async fn what_is_pushed_while_garbage_is_collected_is_never_lost(backend: &Backend) {
    const PUSHES: u64 = 25;
    let done = Arc::new(AtomicBool::new(false));
    let collecting = {
        let (store, done) = (backend.store.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            let mut collected = 0;
            while !done.load(Ordering::Relaxed) {
                let grace = Duration::from_millis(20);
                collected += Garbage::collect(&*store, 1, grace).await.unwrap().artifacts.len();
            }
            collected
        })
    };
    let pushing = ["a", "b", "c"].map(|policy| {
        let store = backend.store.clone();
        tokio::spawn(async move {
            for number in 1..=PUSHES {
                // Every third is one that was there before, and may be collected at this very moment.
                let version = format!("1.{}.0", if number % 3 == 0 { 0 } else { number });
                let component = format!("{policy} {version}").repeat(200);
                let publications = [publication(policy, &version, component.as_bytes())];
                push(&*store, &publications, &terms()).await.unwrap();
                assert_whole(&*store).await;
            }
        })
    });
    for one in pushing {
        one.await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    assert!(collecting.await.unwrap() > 0, "nothing was ever collected");
    assert_whole(&*backend.store).await;
    for policy in ["a", "b", "c"] {
        assert_eq!(backend.store.last_sequence(&name(policy)).await, Ok(PUSHES));
    }
}

/// Deletes an artifact as often as it is found whole before a document names it, but for so many times at the most. Says how often.
async fn delete_until_named(store: &dyn PolicyArchive, reference: &ArtifactRef, most: u32) -> u32 {
    let mut deleted = 0;
    loop {
        let listing = store.list().await.unwrap();
        let is_named = listing.documents.iter().any(|document| {
            let document = Envelope::parse(&document.value).unwrap().document().unwrap();
            document.artifact == *reference
        });
        if is_named {
            return deleted;
        }
        let listed = store.artifacts().await.unwrap();
        let whole = listed.iter().find(|artifact| {
            artifact.digest == *reference.digest() && artifact.last_chunk + 1 == reference.chunks()
        });
        if let Some(artifact) = whole.filter(|_| deleted < most) {
            deleted += u32::from(store.delete(artifact, listing.revision).await.unwrap());
        }
    }
}

pub(crate) async fn a_push_writes_again_what_was_collected_before_its_document_was_written(
    backend: &Backend,
) {
    /// How often the collector is given a chance to come in between: on a busy machine it may be too late.
    const CHANCES: u64 = 20;
    for chance in 1..=CHANCES {
        let component = noise(CHUNK_BYTES + 1, 100 * chance);
        let first = Artifact::new(component.clone()).unwrap();
        let reference = *first.reference();
        // Those that are written behind it take their time, and meanwhile nobody names it.
        let others = (1..20).map(|seed| Artifact::new(noise(CHUNK_BYTES, 100 * chance + seed)).unwrap());
        let name = format!("a{chance}");
        let document = PolicyDocument {
            artifact: reference,
            ..document(&name, 1)
        };
        let transaction = Transaction {
            artifacts: [first].into_iter().chain(others).collect(),
            documents: vec![DocumentWrite {
                value: Envelope::unsigned(&document).to_json().into(),
                ..new(&name)
            }],
        };
        let deleting = {
            let store = backend.store.clone();
            tokio::spawn(async move { delete_until_named(&*store, &reference, 1).await })
        };
        backend.store.put(transaction).await.unwrap();
        let deleted = deleting.await.unwrap();
        assert!(artifact::fetch(&*backend.store, &reference).await.unwrap() == component);
        if deleted == 1 {
            return;
        }
    }
    panic!("nothing was deleted in between");
}
