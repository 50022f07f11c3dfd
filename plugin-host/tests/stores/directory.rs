//! What only a folder can do: be edited, be cut short, be missing.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use portcullis_plugin_host::node_status::NodeId;
use portcullis_plugin_host::store::{
    DirectoryPolicyStore, EtcdConfig, PolicyStore, StoreError, StoreLocation, Transaction, WatchEvent,
};
use tempfile::TempDir;

use crate::backend;
use crate::fixtures::*;

async fn put(store: &dyn PolicyStore, policy: &str) -> u64 {
    let transaction = Transaction {
        artifacts: Vec::new(),
        documents: vec![new(policy)],
    };
    store.put(transaction).await.unwrap()
}

#[tokio::test]
async fn revisions_go_on_when_the_store_is_opened_again() {
    let backend = backend::directory();
    assert_eq!(put(backend.store.as_ref(), "a").await, 1);
    let reopened = DirectoryPolicyStore::open(backend.path()).unwrap();
    assert_eq!(reopened.list().await.unwrap().revision, 1);
    let mut watch = reopened.watch(1).await.unwrap();
    assert_eq!(put(backend.store.as_ref(), "b").await, 2);
    let (revision, changed) = change(watch.as_mut()).await;
    assert_eq!(
        (revision, sequences(&changed)),
        (2, vec![("b".to_owned(), Some(1))])
    );
}

#[tokio::test]
async fn a_revision_that_is_not_known_any_more_is_listed_again() {
    let backend = backend::directory();
    put(backend.store.as_ref(), "a").await;
    put(backend.store.as_ref(), "b").await;
    let reopened = DirectoryPolicyStore::open(backend.path()).unwrap();
    let error = watch_error(&reopened, 1).await;
    assert!(matches!(error, StoreError::Compacted { after: 1, .. }), "{error}");
    let error = watch_error(&reopened, 3).await;
    assert_eq!(error, StoreError::Rewound { after: 3, current: 2 });
    assert!(error.must_list_again());
    // From nothing everything is new.
    let (_, changed) = change(reopened.watch(0).await.unwrap().as_mut()).await;
    assert_eq!(
        sequences(&changed),
        [("a".to_owned(), Some(1)), ("b".to_owned(), Some(1))]
    );
}

#[tokio::test]
async fn a_file_that_changed_while_nobody_looked_has_a_revision_of_its_own() {
    let backend = backend::directory();
    put(backend.store.as_ref(), "a").await;
    backend.put_by_hand("policies/a", &envelope("a", 2));
    let reopened = DirectoryPolicyStore::open(backend.path()).unwrap();
    assert_eq!(reopened.list().await.unwrap().revision, 2);
    assert_eq!(backend.store.list().await.unwrap().revision, 2);
}

#[tokio::test]
async fn a_transaction_that_was_cut_short_is_finished_by_the_next_reader() {
    let source = backend::directory();
    put(source.store.as_ref(), "a").await;
    let read = source.store.get(&name("a")).await.unwrap().unwrap();
    // What a process leaves behind that was killed after it wrote down its intent and the first of two documents.
    use base64::Engine as _;
    let base64 =
        |policy, sequence| base64::engine::general_purpose::STANDARD.encode(envelope(policy, sequence));
    let pending = serde_json::json!({
        "revision": 2,
        "documents": [
            {"name": "a", "sequence": 2, "value": base64("a", 2)},
            {"name": "b", "sequence": 1, "value": base64("b", 1)},
        ],
    });
    let mut watch = source.store.watch(1).await.unwrap();
    fs::write(source.path().join("pending"), pending.to_string()).unwrap();
    fs::write(source.path().join("policies/a"), envelope("a", 2)).unwrap();

    let reopened = DirectoryPolicyStore::open(source.path()).unwrap();
    let listing = reopened.list().await.unwrap();
    assert_eq!(listing.revision, 2);
    let found: Vec<_> = listing
        .documents
        .iter()
        .map(|document| (document.name.as_str(), &document.value))
        .collect();
    assert_eq!(found, [("a", &envelope("a", 2)), ("b", &envelope("b", 1))]);
    assert_ne!(listing.documents[0].mod_revision, read.mod_revision);
    assert!(!source.path().join("pending").exists());
    assert_eq!(reopened.last_sequence(&name("a")).await, Ok(2));
    let (revision, changed) = change(watch.as_mut()).await;
    assert_eq!(revision, 2);
    assert_eq!(
        sequences(&changed),
        [("a".to_owned(), Some(2)), ("b".to_owned(), Some(1))]
    );
}

#[tokio::test]
async fn a_file_that_is_still_being_written_is_read_when_it_rests() {
    let backend = backend::directory();
    let mut watch = backend.store.watch(0).await.unwrap();
    // The first look is taken before anything is there.
    let quiet = tokio::time::timeout(Duration::from_millis(50), watch.next()).await;
    assert!(quiet.is_err(), "nothing has changed");
    let whole = envelope("a", 1);
    let path = backend.path().join("policies/a");
    let writing = tokio::spawn(async move {
        for end in 1..=30 {
            // Longer at every look of the watch.
            fs::write(&path, &whole[..whole.len() * end / 30]).unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let (_, changed) = change(watch.as_mut()).await;
    assert_eq!(sequences(&changed), [("a".to_owned(), Some(1))]);
    writing.await.unwrap();
}

#[tokio::test]
async fn hidden_files_and_folders_are_no_documents_and_links_are_followed() {
    let backend = backend::directory();
    let policies = backend.path().join("policies");
    fs::write(policies.join(".a.swp"), b"an editor's").unwrap();
    fs::create_dir(policies.join("folder")).unwrap();
    fs::write(backend.path().join("elsewhere"), envelope("linked", 1)).unwrap();
    symlink("../elsewhere", policies.join("linked")).unwrap();
    symlink("../nowhere", policies.join("dangling")).unwrap();
    let listing = backend.store.list().await.unwrap();
    let found: Vec<&str> = listing
        .documents
        .iter()
        .map(|document| document.name.as_str())
        .collect();
    assert_eq!(found, ["linked"]);
}

#[tokio::test]
async fn a_folder_that_is_gone_is_unavailable_and_not_empty() {
    let backend = backend::directory();
    put(backend.store.as_ref(), "a").await;
    let mut watch = backend.store.watch(1).await.unwrap();
    fs::rename(backend.path(), backend.path().with_extension("away")).unwrap();
    let error = backend.store.list().await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    let error = watch.next().await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    fs::rename(backend.path().with_extension("away"), backend.path()).unwrap();
    assert_eq!(backend.store.list().await.unwrap().documents.len(), 1);
}

#[tokio::test]
async fn a_path_that_is_no_folder_is_refused_with_its_name() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    let location: StoreLocation = format!("dir:{}/below", file.display()).parse().unwrap();
    let error = location
        .open(&EtcdConfig::default())
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("file/below"), "{error}");
}

#[tokio::test]
async fn a_damaged_revision_file_is_named_with_a_remedy() {
    let backend = backend::directory();
    put(backend.store.as_ref(), "a").await;
    fs::write(backend.path().join("revision"), b"many").unwrap();
    let error = backend.store.list().await.unwrap_err().to_string();
    assert!(error.contains("revision: expected a number"), "{error}");
    assert!(error.contains("delete the file"), "{error}");
    fs::remove_file(backend.path().join("revision")).unwrap();
    assert_eq!(backend.store.list().await.unwrap().documents.len(), 1);
}

#[tokio::test]
async fn a_document_too_long_for_any_reader_is_cut_behind_its_bound() {
    let backend = backend::directory();
    backend.put_by_hand("policies/long", &vec![b' '; 3_000_000]);
    let listing = backend.store.list().await.unwrap();
    let error = portcullis_plugin_host::envelope::Envelope::parse(&listing.documents[0].value).unwrap_err();
    assert_eq!(error.code(), "envelope_too_large");
    assert!(listing.documents[0].value.len() < 400_000);
}

#[tokio::test]
async fn a_node_that_has_not_reported_for_long_is_gone() {
    let backend = backend::directory();
    let node = NodeId::parse("gateway-1").unwrap();
    backend.store.report(&node, b"{}").await.unwrap();
    let report = fs::File::options()
        .write(true)
        .open(backend.path().join("nodes/gateway-1"))
        .unwrap();
    let written = report.metadata().unwrap().modified().unwrap();
    let aged = |seconds| written - Duration::from_secs(seconds);
    for (modified, there) in [
        (aged(8), true),
        (aged(60), false),
        (SystemTime::UNIX_EPOCH, false),
    ] {
        report.set_modified(modified).unwrap();
        assert_eq!(backend.store.nodes().await.unwrap().len(), usize::from(there));
    }
    backend.store.report(&node, b"{}").await.unwrap();
    assert_eq!(backend.store.nodes().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_quiet_folder_says_that_it_is_alive() {
    let backend = backend::directory();
    let revision = put(backend.store.as_ref(), "a").await;
    let mut watch = backend.store.watch(revision).await.unwrap();
    let event = tokio::time::timeout(PATIENCE, watch.next())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(event, WatchEvent::Progress { revision });
}
