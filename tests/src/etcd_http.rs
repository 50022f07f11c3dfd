//! etcd by its own HTTP gateway: no process for each key, so that tests of many policies stay quick.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::etcd::Etcd;
use crate::raw::{envelope, retirement};

/// Bytes of one chunk of an artifact.
pub(crate) const CHUNK_BYTES: usize = 1024 * 1024;

impl Etcd {
    /// Puts a value, and waits for the acknowledgement.
    ///
    /// # Panics
    /// When etcd does not take it.
    pub fn put(&self, key: &str, value: &[u8]) {
        self.call(
            "put",
            &json!({"key": BASE64.encode(key), "value": BASE64.encode(value)}),
        );
    }

    /// Puts values in one transaction, of which etcd takes 128 at the most, and says the revision at which they are there.
    ///
    /// # Panics
    /// When etcd does not take it.
    pub fn put_together(&self, values: &[(String, Vec<u8>)]) -> u64 {
        let put = |(key, value): &(String, Vec<u8>)| json!({"requestPut": {"key": BASE64.encode(key), "value": BASE64.encode(value)}});
        let puts: Vec<Value> = values.iter().map(put).collect();
        let answer = self.call("txn", &json!({"success": puts}));
        let revision = answer["header"]["revision"]
            .as_str()
            .and_then(|text| text.parse().ok());
        revision.expect("a revision")
    }

    /// Puts the chunks of an artifact.
    ///
    /// # Panics
    /// When etcd does not take them.
    pub fn put_chunks(&self, digest: &str, artifact: &[u8]) {
        for (index, chunk) in artifact.chunks(CHUNK_BYTES).enumerate() {
            self.put(&format!("/portcullis/v1/artifacts/{digest}/{index:06}"), chunk);
        }
    }

    /// Puts the document that retires a policy under this sequence.
    ///
    /// # Panics
    /// When etcd does not take it.
    pub fn retire(&self, name: &str, sequence: u64) {
        let document = envelope(&retirement(name, sequence)).to_string();
        self.put(&format!("/portcullis/v1/policies/{name}"), document.as_bytes());
    }

    fn call(&self, method: &str, body: &Value) -> Value {
        let url = format!("{}/v3/kv/{method}", self.location().replace("etcd://", "http://"));
        let mut answer = ureq::post(&url).send_json(body).expect("etcd acknowledges");
        let answer: Value = answer.body_mut().read_json().expect("etcd answers JSON");
        assert!(answer["header"]["revision"].is_string(), "{answer}");
        answer
    }
}
