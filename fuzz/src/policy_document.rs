//! Envelopes, policy documents, manifests and node statuses: what the store and an author's folder may hold.
//!
//! The input is the file as it is; each of the four readers is given it. Whatever one takes it must write, and read again
//! as the same value; what it refuses it must say within bounds.

use std::fmt::Display;

use domain::Timestamp;
use portcullis_plugin_host::artifact::ArtifactRef;
use portcullis_plugin_host::digest::Digest;
use portcullis_plugin_host::document::{
    ContractName, MAX_DOCUMENT_BYTES, PolicyDocument, PolicyName, Publisher, Retirement, Statement,
};
use portcullis_plugin_host::envelope::{Envelope, MAX_ENVELOPE_BYTES};
use portcullis_plugin_host::manifest::Manifest;
use portcullis_plugin_host::node_status::NodeStatus;
use portcullis_plugin_host::signing::{SignaturesConfig, TrustedKeyConfig};

/// The longest text of an error: what was found is quoted in it, and it goes into logs and statuses.
const MAX_ERROR_BYTES: usize = 2_048;

/// A public key whose private half was thrown away.
const TRUSTED_KEY: &str = "\
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAa6Se3M1p3TXX4W/GeBkXjvAeTFru/fZ0GmsBrOIE1qg=
-----END PUBLIC KEY-----
";

/// Reads the input as each of the four.
pub fn run(data: &[u8]) {
    envelope(data);
    if let Some(statement) = taken(Statement::parse(data)) {
        check_statement(&statement);
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Some(manifest) = taken(Manifest::parse("policy.toml", text))
    {
        check_manifest(&manifest);
    }
    if let Some(status) = taken(NodeStatus::parse(data)) {
        // What was read is within the bounds of what is written, but for the few bytes that the canonical form may add.
        if let Ok(json) = status.to_json() {
            assert_eq!(NodeStatus::parse(&json), Ok(status));
        }
    }
}

fn envelope(data: &[u8]) {
    let Some(envelope) = taken(Envelope::parse(data)) else {
        return;
    };
    let json = envelope.to_json();
    // Base64 without padding is taken, and written with it.
    if json.len() <= MAX_ENVELOPE_BYTES {
        assert_eq!(Envelope::parse(&json), Ok(envelope.clone()));
    }
    assert!(
        envelope
            .pre_authentication_encoding()
            .ends_with(envelope.payload())
    );
    check_signatures(&envelope);
    if let Some(statement) = taken(envelope.statement()) {
        check_statement(&statement);
    }
}

/// A node that trusts a key takes nothing of what nobody signed with it, and says why within bounds.
fn check_signatures(envelope: &Envelope) {
    /// As long as what a node keeps of a refusal: several signatures have a say in it.
    const MAX_REFUSAL_BYTES: usize = 4_096;
    let key = TrustedKeyConfig {
        name: "team".to_owned(),
        public_key: Some(TRUSTED_KEY.to_owned()),
        ..TrustedKeyConfig::default()
    };
    let config = SignaturesConfig {
        threshold: 1,
        keys: vec![key],
    };
    let (Ok(trusted), Ok(name)) = (config.trusted_keys(), PolicyName::parse("velocity-limit")) else {
        unreachable!("both are right");
    };
    let now = Timestamp::from_unix_millis(1_767_225_600_000);
    let verified = trusted.verify(envelope, &name, now).map_err(|refusal| {
        let length = refusal.to_string().len();
        assert!(length <= MAX_REFUSAL_BYTES, "a refusal of {length} bytes");
        refusal.code()
    });
    assert!(
        verified.is_err_and(|code| code.starts_with("signature_")),
        "nobody has the private half"
    );
}

fn check_statement(statement: &Statement) {
    match statement {
        Statement::Release(document) => check_document(document),
        Statement::Retirement(retirement) => check_retirement(retirement),
    }
}

fn check_retirement(retirement: &Retirement) {
    let again = Envelope::unsigned_retirement(retirement).statement();
    assert_eq!(again, Ok(Statement::Retirement(retirement.clone())));
}

fn check_document(document: &PolicyDocument) {
    let json = document.to_json();
    // Defaults that the author left out are written.
    if json.len() <= MAX_DOCUMENT_BYTES {
        let again = PolicyDocument::parse(&json);
        assert_eq!(again.as_ref(), Ok(document));
        assert!(again.is_ok_and(|again| again.to_json() == json && again.says_the_same_as(document)));
    }
    if json.len() <= MAX_DOCUMENT_BYTES {
        let unsigned = Envelope::unsigned(document);
        assert_eq!(
            unsigned.statement(),
            Ok(Statement::Release(Box::new(document.clone())))
        );
    }
    if let Some(promoted) = document.promoted() {
        assert_eq!(promoted.candidate, None);
        let json = promoted.to_json();
        if json.len() <= MAX_DOCUMENT_BYTES {
            assert_eq!(PolicyDocument::parse(&json), Ok(promoted));
        }
    }
    let _mode = document.failure_mode();
    for now in [0, 1_767_225_600_000, u64::MAX] {
        taken(document.validity(Timestamp::from_unix_millis(now)));
    }
}

fn check_manifest(manifest: &Manifest) {
    let (Ok(contract), Ok(publisher), Ok(artifact)) = (
        ContractName::parse("portcullis:policy@0.1.0"),
        Publisher::parse("risk-team"),
        ArtifactRef::new(Digest::of(b"component"), 9),
    ) else {
        unreachable!("all three are right");
    };
    let published_at = Timestamp::from_unix_millis(1_767_225_600_000);
    let document = manifest.document(contract, artifact, 1, published_at, publisher);
    check_document(&document);
}

/// What was taken; of a refusal, that it can be told.
fn taken<T, E: Display>(result: Result<T, E>) -> Option<T> {
    result
        .map_err(|error| {
            let length = error.to_string().len();
            assert!(
                (1..=MAX_ERROR_BYTES).contains(&length),
                "an error of {length} bytes"
            );
        })
        .ok()
}
