//! What every policy store promises.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use portcullis_plugin_host::artifact::{self, Artifact, ArtifactError, CHUNK_BYTES};
use portcullis_plugin_host::envelope::Envelope;
use portcullis_plugin_host::node_status::NodeId;
use portcullis_plugin_host::publish::Change;
use portcullis_plugin_host::store::{
    DocumentWrite, HistoryWrite, MAX_TRANSACTION_DOCUMENTS, PolicyStore, StoreError, Transaction, WatchEvent,
};

use crate::backend::{Backend, chunk_key};
use crate::fixtures::*;

fn documents(documents: Vec<DocumentWrite>) -> Transaction {
    Transaction {
        artifacts: Vec::new(),
        documents,
    }
}

async fn names(store: &dyn PolicyStore) -> Vec<String> {
    let listing = store.list().await.unwrap();
    listing
        .documents
        .into_iter()
        .map(|document| document.name)
        .collect()
}

pub(crate) async fn a_new_store_is_empty(backend: &Backend) {
    let listing = backend.store.list().await.unwrap();
    assert_eq!(listing.documents, []);
    assert_eq!(backend.store.get(&name("a")).await, Ok(None));
    assert_eq!(backend.store.last_sequence(&name("a")).await, Ok(0));
    assert_eq!(backend.store.nodes().await, Ok(Vec::new()));
}

pub(crate) async fn a_listing_holds_what_was_put_by_name(backend: &Backend) {
    let store = &backend.store;
    // More than a page of etcd.
    let all: Vec<String> = (0..40).map(|number| format!("policy-{number:02}")).collect();
    let writes = all.iter().rev().map(|policy| new(policy)).collect();
    let revision = store.put(documents(writes)).await.unwrap();
    let listing = store.list().await.unwrap();
    assert!(listing.revision >= revision);
    for document in &listing.documents {
        assert_eq!(document.value, envelope(&document.name, 1));
        let one = store.get(&name(&document.name)).await.unwrap();
        assert_eq!(one.as_ref(), Some(document));
        assert_eq!(document.transaction, listing.documents[0].transaction);
    }
    assert_eq!(names(store.as_ref()).await, all);
}

pub(crate) async fn a_transaction_is_one_change(backend: &Backend) {
    let store = &backend.store;
    let listing = store.list().await.unwrap();
    let mut watch = store.watch(listing.revision).await.unwrap();
    let written = store
        .put(documents(vec![new("a"), new("b"), new("c")]))
        .await
        .unwrap();
    let (revision, mut changed) = change(watch.as_mut()).await;
    changed.sort();
    assert_eq!(revision, written);
    let expected = ["a", "b", "c"].map(|policy| (policy.to_owned(), Some(envelope(policy, 1))));
    assert_eq!(changed, expected);
}

pub(crate) async fn a_change_between_listing_and_watching_is_not_missed(backend: &Backend) {
    let store = &backend.store;
    store.put(documents(vec![new("a")])).await.unwrap();
    let listing = store.list().await.unwrap();
    store.put(documents(vec![new("b")])).await.unwrap();
    let mut watch = store.watch(listing.revision).await.unwrap();
    let (revision, changed) = change(watch.as_mut()).await;
    assert_eq!(sequences(&changed), [("b".to_owned(), Some(1))]);
    store.put(documents(vec![new("c")])).await.unwrap();
    // Another watch, from what the first one saw.
    let mut watch = store.watch(revision).await.unwrap();
    let (_, changed) = change(watch.as_mut()).await;
    assert_eq!(sequences(&changed), [("c".to_owned(), Some(1))]);
}

pub(crate) async fn a_document_that_changed_meanwhile_is_a_conflict_and_nothing_is_written(
    backend: &Backend,
) {
    let store = &backend.store;
    store.put(documents(vec![new("a")])).await.unwrap();
    let read = store.get(&name("a")).await.unwrap().unwrap();
    let second = write("a", 2, Some(read.mod_revision));
    store.put(documents(vec![second])).await.unwrap();
    for stale in [write("a", 3, Some(read.mod_revision)), write("a", 3, None)] {
        let result = store.put(documents(vec![new("b"), stale])).await;
        assert_eq!(result, Err(StoreError::Conflict { name: "a".to_owned() }));
    }
    assert_eq!(names(store.as_ref()).await, ["a"]);
    assert_eq!(store.last_sequence(&name("a")).await, Ok(2));
    assert_eq!(store.last_sequence(&name("b")).await, Ok(0));
}

pub(crate) async fn a_sequence_is_used_once(backend: &Backend) {
    let store = &backend.store;
    store.put(documents(vec![new("a")])).await.unwrap();
    let read = store.get(&name("a")).await.unwrap().unwrap();
    let again = DocumentWrite {
        value: Bytes::from_static(b"other"),
        ..write("a", 1, Some(read.mod_revision))
    };
    let result = store.put(documents(vec![again])).await;
    assert!(matches!(result, Err(StoreError::Conflict { .. })), "{result:?}");
    assert_eq!(store.get(&name("a")).await, Ok(Some(read)));
}

pub(crate) async fn a_document_that_is_signed_by_others_takes_the_place_of_its_own_history(
    backend: &Backend,
) {
    let store = &backend.store;
    store.put(documents(vec![new("a")])).await.unwrap();
    let read = store.get(&name("a")).await.unwrap().unwrap();
    let signed = |value, expected| DocumentWrite {
        value: Bytes::from_static(value),
        history: HistoryWrite::Signed,
        ..write("a", 1, expected)
    };
    store
        .put(documents(vec![signed(b"signed", Some(read.mod_revision))]))
        .await
        .unwrap();
    let stored = store.get(&name("a")).await.unwrap().unwrap();
    assert_eq!(stored.value, b"signed".as_slice());
    assert_eq!(store.last_sequence(&name("a")).await, Ok(1));
    // What changed meanwhile is no more overwritten than any other document.
    for expected in [None, Some(read.mod_revision)] {
        let result = store.put(documents(vec![signed(b"by others", expected)])).await;
        assert!(matches!(result, Err(StoreError::Conflict { .. })), "{result:?}");
    }
}

pub(crate) async fn a_listing_never_shows_half_a_transaction(backend: &Backend) {
    let writer = backend.store.clone();
    let writing = tokio::spawn(async move {
        for sequence in 1..=20 {
            let mut pair = Vec::new();
            for policy in ["left", "right"] {
                let read = writer.get(&name(policy)).await.unwrap();
                pair.push(write(policy, sequence, read.map(|read| read.mod_revision)));
            }
            writer.put(documents(pair)).await.unwrap();
        }
    });
    let mut last = 0;
    while last < 20 {
        let listing = backend.store.list().await.unwrap();
        let seen: BTreeSet<u64> = listing
            .documents
            .iter()
            .map(|document| {
                let envelope = Envelope::parse(&document.value).unwrap();
                envelope.document().unwrap().sequence
            })
            .collect();
        assert!(seen.len() <= 1, "half a transaction: {seen:?}");
        assert!(listing.documents.len() != 1, "half of the first transaction");
        last = seen.first().copied().unwrap_or(0);
    }
    writing.await.unwrap();
}

pub(crate) async fn an_artifact_comes_back_as_it_was_put(backend: &Backend) {
    for length in [1, CHUNK_BYTES, CHUNK_BYTES + 1, 12 * CHUNK_BYTES - 5] {
        let bytes = noise(length, 1);
        let artifact = Artifact::new(bytes.clone()).unwrap();
        let transaction = Transaction {
            artifacts: vec![artifact.clone()],
            documents: Vec::new(),
        };
        backend.store.put(transaction.clone()).await.unwrap();
        // The same again finds everything there.
        backend.store.put(transaction).await.unwrap();
        let fetched = artifact::fetch(backend.store.as_ref(), artifact.reference())
            .await
            .unwrap();
        assert!(fetched == bytes, "{length} bytes came back as others");
        let behind = artifact.reference().chunks();
        let none = backend.store.chunk(artifact.reference().digest(), behind).await;
        assert_eq!(none, Ok(None));
    }
}

pub(crate) async fn a_damaged_artifact_is_refused_and_mended_by_publishing_again(backend: &Backend) {
    let store = backend.store.as_ref();
    let component = noise(2 * CHUNK_BYTES + 10, 2);
    let publications = [publication("a", "1.0.0", &component)];
    push(store, &publications, &terms()).await.unwrap();
    let reference = *publications[0].artifact.reference();
    let first = chunk_key(reference.digest(), 0);
    let last = chunk_key(reference.digest(), 2);

    backend.delete_by_hand(&last);
    let error = artifact::fetch(store, &reference).await.unwrap_err();
    assert!(
        matches!(error, ArtifactError::ChunkMissing { index: 2, .. }),
        "{error}"
    );
    for (length, what) in [(9, "truncated"), (11, "longer"), (CHUNK_BYTES, "a whole chunk")] {
        backend.put_by_hand(&last, &noise(length, 3));
        let error = artifact::fetch(store, &reference).await.unwrap_err();
        let expected = matches!(
            error,
            ArtifactError::ChunkSize {
                index: 2,
                expected: 10,
                ..
            }
        );
        assert!(expected, "{what}: {error}");
    }
    backend.put_by_hand(&last, &component[2 * CHUNK_BYTES..]);
    backend.put_by_hand(&first, &noise(CHUNK_BYTES, 4));
    let error = artifact::fetch(store, &reference).await.unwrap_err();
    assert!(matches!(error, ArtifactError::DigestMismatch { .. }), "{error}");

    let outcome = push(store, &publications, &terms()).await.unwrap();
    assert_eq!(outcome.revision, None, "no document had to be written");
    assert!(artifact::fetch(store, &reference).await.unwrap() == component);
}

pub(crate) async fn a_document_written_by_hand_is_seen(backend: &Backend) {
    let store = &backend.store;
    let listing = store.list().await.unwrap();
    let mut watch = store.watch(listing.revision).await.unwrap();
    let mut last = listing.revision;
    for (sequence, value) in [(1, envelope("a", 1)), (2, envelope("a", 2))] {
        backend.put_by_hand("policies/a", &value);
        let (revision, changed) = change(watch.as_mut()).await;
        assert_eq!(sequences(&changed), [("a".to_owned(), Some(sequence))]);
        assert!(revision > last, "{revision} > {last}");
        last = revision;
    }
    backend.delete_by_hand("policies/a");
    let (revision, changed) = change(watch.as_mut()).await;
    assert_eq!(changed, [("a".to_owned(), None)]);
    let listing = store.list().await.unwrap();
    assert_eq!(listing.documents, []);
    assert!(listing.revision >= revision);
}

pub(crate) async fn a_tampered_value_is_delivered_as_it_is_and_refused_by_the_parser(backend: &Backend) {
    let store = &backend.store;
    store.put(documents(vec![new("good")])).await.unwrap();
    let cut = envelope("cut", 1);
    let tampered: [(&str, &[u8]); 4] = [
        ("Not A Name", b"{}"),
        ("binary", b"\xff\x00\xfe"),
        ("cut", &cut[..cut.len() / 2]),
        ("empty", b""),
    ];
    for (key, value) in tampered {
        backend.put_by_hand(&format!("policies/{key}"), value);
    }
    let listing = store.list().await.unwrap();
    let found: Vec<&str> = listing
        .documents
        .iter()
        .map(|document| document.name.as_str())
        .collect();
    assert_eq!(found, ["Not A Name", "binary", "cut", "empty", "good"]);
    for document in &listing.documents {
        let parsed = Envelope::parse(&document.value);
        assert_eq!(parsed.is_ok(), document.name == "good", "{}", document.name);
    }
}

pub(crate) async fn an_oversized_transaction_is_refused(backend: &Backend) {
    let store = &backend.store;
    let many = (0..=MAX_TRANSACTION_DOCUMENTS).map(|number| new(&format!("p{number}")));
    let result = store.put(documents(many.collect())).await;
    assert!(matches!(result, Err(StoreError::TooLarge { .. })), "{result:?}");
    let result = store
        .put(documents(vec![opaque("a", 400_000), opaque("b", 400_000)]))
        .await;
    assert!(matches!(result, Err(StoreError::TooLarge { .. })), "{result:?}");
    let result = store.put(documents(vec![new("a"), new("a")])).await;
    assert!(matches!(result, Err(StoreError::Invalid { .. })), "{result:?}");
    // What is just within the bounds is taken.
    let most = (0..MAX_TRANSACTION_DOCUMENTS).map(|number| new(&format!("p{number}")));
    store.put(documents(most.collect())).await.unwrap();
    store
        .put(documents(vec![opaque("a", 374_900), opaque("b", 374_900)]))
        .await
        .unwrap();
    assert_eq!(names(store.as_ref()).await.len(), MAX_TRANSACTION_DOCUMENTS + 2);
}

pub(crate) async fn a_node_that_reports_is_listed(backend: &Backend) {
    let store = &backend.store;
    let node = NodeId::parse("gateway-1").unwrap();
    for status in ["one", "one", "two", "two"] {
        store.report(&node, status.as_bytes()).await.unwrap();
        let nodes = store.nodes().await.unwrap();
        assert_eq!(nodes, [("gateway-1".to_owned(), Bytes::from(status))]);
    }
    assert_eq!(names(store.as_ref()).await, [""; 0]);
}

pub(crate) async fn publishing_the_same_again_writes_nothing(backend: &Backend) {
    let store = backend.store.as_ref();
    let both = [
        publication("a", "1.0.0", b"one"),
        publication("b", "1.0.0", b"two"),
    ];
    let first = push(store, &both, &terms()).await.unwrap();
    assert!(
        first
            .policies
            .iter()
            .all(|policy| policy.change == Change::Published && policy.sequence == 1)
    );
    let listing = store.list().await.unwrap();
    let again = push(store, &both, &terms()).await.unwrap();
    assert_eq!(again.revision, None);
    assert!(
        again
            .policies
            .iter()
            .all(|policy| policy.change == Change::Nothing && policy.sequence == 1)
    );
    assert_eq!(store.list().await.unwrap().documents, listing.documents);
    // One of two is other than before: only that one is written.
    let newer = [
        publication("a", "1.0.0", b"one"),
        publication("b", "1.1.0", b"two"),
    ];
    let third = push(store, &newer, &terms()).await.unwrap();
    let changed: Vec<_> = third
        .policies
        .iter()
        .map(|policy| (policy.change, policy.sequence))
        .collect();
    assert_eq!(changed, [(Change::Nothing, 1), (Change::Published, 2)]);
}

pub(crate) async fn publishing_after_a_deletion_goes_on_counting(backend: &Backend) {
    let store = backend.store.as_ref();
    for (version, sequence) in [("1.0.0", 1), ("1.1.0", 2)] {
        let outcome = push(store, &[publication("a", version, b"x")], &terms()).await;
        assert_eq!(outcome.unwrap().policies[0].sequence, sequence);
    }
    backend.delete_by_hand("policies/a");
    let outcome = push(store, &[publication("a", "1.1.0", b"x")], &terms()).await;
    assert_eq!(outcome.unwrap().policies[0].sequence, 3);
    // What is no envelope is replaced.
    backend.put_by_hand("policies/a", b"garbage");
    let outcome = push(store, &[publication("a", "1.1.0", b"x")], &terms()).await;
    assert_eq!(outcome.unwrap().policies[0].sequence, 4);
}

pub(crate) async fn publications_that_cross_all_get_through(backend: &Backend) {
    let publishing = (0..4).map(|number| {
        let store = backend.store.clone();
        tokio::spawn(async move {
            let version = format!("1.0.{number}");
            let publications = [publication("a", &version, b"x")];
            push(store.as_ref(), &publications, &terms()).await.unwrap()
        })
    });
    let mut sequences = BTreeSet::new();
    for one in publishing.collect::<Vec<_>>() {
        sequences.insert(one.await.unwrap().policies[0].sequence);
    }
    assert_eq!(sequences, BTreeSet::from([1, 2, 3, 4]));
}

pub(crate) async fn a_watch_may_be_dropped_while_it_waits(backend: &Backend) {
    let store = &backend.store;
    let listing = store.list().await.unwrap();
    let mut watch = store.watch(listing.revision).await.unwrap();
    for policy in ["a", "b", "c"] {
        store.put(documents(vec![new(policy)])).await.unwrap();
        let begun = Instant::now();
        let changed = loop {
            assert!(begun.elapsed() < PATIENCE, "no change through many short waits");
            match tokio::time::timeout(Duration::from_millis(1), watch.next()).await {
                Ok(Ok(WatchEvent::Changed { documents, .. })) => break documents,
                Ok(Err(error)) => panic!("{error}"),
                Ok(Ok(WatchEvent::Progress { .. })) | Err(_) => {}
            }
        };
        assert_eq!(sequences(&changed), [(policy.to_owned(), Some(1))]);
    }
}
