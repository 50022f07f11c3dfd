//! Publishing by hand, past every check of `portcullis policy push`: what a broken tool or an attacker would write.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use serde_json::{Value, json};

use crate::build::portcullis;
use crate::etcd::Etcd;
use crate::etcd_http::CHUNK_BYTES;
use crate::policies::Policy;

/// The prefix of all keys.
const PREFIX: &str = "/portcullis/v1";

/// A document for a policy's artifact, as the documentation of the key layout describes it.
///
/// # Panics
/// When the artifact cannot be read.
#[must_use]
pub fn document(name: &str, sequence: u64, policy: &Policy) -> Value {
    let bytes = std::fs::read(policy.wasm()).expect("an artifact");
    json!({
        "name": name,
        "sequence": sequence,
        "version": format!("0.0.{sequence}"),
        "contract": "portcullis:policy@0.2.0",
        "artifact": {"digest": digest(policy), "size": bytes.len(), "chunks": bytes.len().div_ceil(1024 * 1024)},
        "failure_mode": {"default": "review"},
        "published_at": "2026-01-01T00:00:00.000Z",
        "publisher": "by hand",
    })
}

/// The document that retires a policy.
#[must_use]
pub fn retirement(name: &str, sequence: u64) -> Value {
    json!({
        "name": name,
        "sequence": sequence,
        "retired": true,
        "reason": "a test",
        "published_at": "2026-01-01T00:00:00.000Z",
        "publisher": "by hand",
    })
}

/// The envelope around a document.
#[must_use]
pub fn envelope(document: &Value) -> Value {
    let payload = base64::engine::general_purpose::STANDARD.encode(document.to_string());
    json!({"payloadType": "application/vnd.portcullis.policy+json", "payload": payload, "signatures": []})
}

/// The digest of a policy's artifact, whatever its bytes are.
///
/// # Panics
/// When the command cannot be run.
#[must_use]
pub fn digest(policy: &Policy) -> String {
    let output = Command::new("sha256sum")
        .arg(policy.wasm())
        .output()
        .expect("sha256sum runs");
    let text = String::from_utf8(output.stdout).expect("text");
    format!("sha256:{}", text.split_whitespace().next().expect("a digest"))
}

/// Lays an artifact and a document that names it into a folder that no gateway follows now.
///
/// # Panics
/// When it cannot be written.
pub fn lay_into(folder: &Path, document: &Value, policy: &Policy) {
    let text = |path: &str| document.pointer(path).and_then(Value::as_str).expect("a text");
    let write = |path: &Path, bytes: &[u8]| {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file of the store");
    };
    let bytes = std::fs::read(policy.wasm()).expect("an artifact");
    let artifact = folder.join("artifacts").join(text("/artifact/digest"));
    for (index, chunk) in bytes.chunks(CHUNK_BYTES).enumerate() {
        write(&artifact.join(format!("{index:06}")), chunk);
    }
    let envelope = envelope(document).to_string();
    write(&folder.join("policies").join(text("/name")), envelope.as_bytes());
}

impl Etcd {
    /// Writes a policy's artifact, as it is, under this digest.
    ///
    /// # Panics
    /// When etcd does not take it.
    pub fn put_artifact(&self, digest: &str, policy: &Policy) {
        let bytes = std::fs::read(policy.wasm()).expect("an artifact");
        for (index, chunk) in bytes.chunks(1024 * 1024).enumerate() {
            let file = tempfile::NamedTempFile::new().expect("a file");
            std::fs::write(file.path(), chunk).expect("a chunk");
            self.put_file(&format!("{PREFIX}/artifacts/{digest}/{index:06}"), file.path());
        }
    }

    /// Writes a document under a policy's key.
    ///
    /// # Panics
    /// When etcd does not take it.
    pub fn put_document(&self, key: &str, document: &Value) {
        self.put_value(key, envelope(document).to_string().as_bytes());
    }

    /// Writes any value under a policy's key.
    ///
    /// # Panics
    /// When etcd does not take it.
    pub fn put_value(&self, key: &str, value: &[u8]) {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), value).expect("a value");
        self.put_file(&format!("{PREFIX}/policies/{key}"), file.path());
    }
}

/// Runs `portcullis` with these arguments.
///
/// # Panics
/// When it cannot be run.
#[must_use]
pub fn run(arguments: &[&str]) -> std::process::Output {
    Command::new(portcullis())
        .args(arguments)
        .output()
        .expect("the command runs")
}
