//! The worked examples of `docs/policy-store.md` and `docs/policy-signing.md`, run as they stand there.

use std::fs;
use std::process::Command;

use portcullis_plugin_host::artifact::{self, CHUNK_BYTES};
use portcullis_plugin_host::document::Statement;
use portcullis_plugin_host::envelope::Envelope;
use portcullis_plugin_host::signing::{Algorithm, SignaturesConfig, SigningKey, TrustedKeyConfig, key_file};
use portcullis_plugin_host::store::layout::DEFAULT_PREFIX;
use portcullis_plugin_host::store::{DirectoryPolicyStore, PolicyStore};
use tempfile::TempDir;
use testkit::documentation::example as example_of;
use testkit::etcd::Setup;

use crate::backend;
use crate::etcd_process;
use crate::fixtures::{document, name, noise, now};

/// The shell lines below a heading of the page.
fn example(heading: &str) -> String {
    example_of("policy-store.md", heading)
}

fn run(script: &str, variable: (&str, &str), component: &[u8]) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("component.wasm"), component).unwrap();
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(folder.path())
        .env(variable.0, variable.1)
        .env("ETCDCTL_API", "3")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}

async fn assert_published(store: &dyn PolicyStore, component: &[u8]) {
    let stored = store.get(&name("velocity-limit")).await.unwrap().unwrap();
    let document = Envelope::parse(&stored.value).unwrap().document().unwrap();
    assert_eq!((document.name.as_str(), document.sequence), ("velocity-limit", 1));
    assert_eq!(store.last_sequence(&document.name).await, Ok(1));
    let fetched = artifact::fetch(store, &document.artifact).await.unwrap();
    assert!(fetched == component);
}

#[tokio::test]
async fn the_examples_with_etcdctl_publish_a_policy_and_retire_it() {
    let Some(etcd) = etcd_process::own(Setup::default()).await else {
        return;
    };
    let component = noise(2 * CHUNK_BYTES + 17, 5);
    run(
        &example("Publish with etcdctl"),
        ("ETCDCTL_ENDPOINTS", &etcd.endpoint()),
        &component,
    );
    let store = backend::connect(&etcd, DEFAULT_PREFIX).await;
    assert_published(&store, &component).await;
    run(
        &example("Retire with etcdctl"),
        ("ETCDCTL_ENDPOINTS", &etcd.endpoint()),
        &component,
    );
    let stored = store.get(&name("velocity-limit")).await.unwrap().unwrap();
    let statement = Envelope::parse(&stored.value).unwrap().statement().unwrap();
    let Statement::Retirement(retirement) = statement else {
        panic!("{statement:?}");
    };
    assert_eq!(retirement.sequence, 2);
    assert_eq!(store.last_sequence(&retirement.name).await, Ok(2));
}

#[tokio::test]
async fn the_example_with_files_publishes_a_policy() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store");
    let component = noise(2 * CHUNK_BYTES + 17, 6);
    let script = example("Publish with files");
    run(&script, ("store", path.to_str().unwrap()), &component);
    let store = DirectoryPolicyStore::open(&path).unwrap();
    assert_published(&store, &component).await;
}

/// Whether there is an openssl that signs without hashing first. Says so when the test is skipped.
fn openssl_is_here() -> bool {
    let version = Command::new("openssl").arg("version").output();
    let version = version.map_or(String::new(), |output| {
        String::from_utf8_lossy(&output.stdout).into_owned()
    });
    let is_here = version.starts_with("OpenSSL ") && !version.starts_with("OpenSSL 1");
    if !is_here {
        eprintln!("SKIPPED: the example of signing, which takes OpenSSL 3 or later; found `{version}`");
    }
    is_here
}

#[test]
fn the_example_with_openssl_signs_what_a_node_takes_that_trusts_the_key() {
    if !openssl_is_here() {
        return;
    }
    let folder = TempDir::new().unwrap();
    let key = SigningKey::generate(Algorithm::Ed25519).unwrap();
    key_file::write_key_pair(&folder.path().join("risk-team"), &key).unwrap();
    fs::write(folder.path().join("document.json"), document("a", 1).to_json()).unwrap();
    let output = Command::new("bash")
        .args([
            "-euo",
            "pipefail",
            "-c",
            &example_of("policy-signing.md", "Sign with openssl"),
        ])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let envelope = Envelope::parse(&fs::read(folder.path().join("envelope.json")).unwrap()).unwrap();
    assert_eq!(envelope.document(), Ok(document("a", 1)));
    let team = TrustedKeyConfig {
        name: "risk-team".to_owned(),
        public_key_file: Some(folder.path().join("risk-team.pub")),
        ..TrustedKeyConfig::default()
    };
    let trusted = SignaturesConfig {
        threshold: 1,
        keys: vec![team],
    };
    let trusted = trusted.trusted_keys().unwrap();
    assert!(trusted.verify(&envelope, &name("a"), now()).is_ok());
    assert_eq!(envelope.signatures()[0].keyid, key.id().as_str());
}
