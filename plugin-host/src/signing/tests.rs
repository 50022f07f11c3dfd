//! Keys, and what is shared by the tests of signatures: keys from a number, and nodes that trust them.

mod files;
mod openssl;
mod settings;
mod trust;

use super::*;
use crate::envelope::{Envelope, PAYLOAD_TYPE};

pub(crate) const BOTH: [Algorithm; 2] = [Algorithm::Ed25519, Algorithm::Sm2];

/// A key that is the same in every run.
pub(crate) fn key(algorithm: Algorithm, number: u8) -> SigningKey {
    SigningKey::from_secret(algorithm, &[number; 32]).unwrap()
}

/// An Ed25519 key.
pub(crate) fn ed25519(number: u8) -> SigningKey {
    key(Algorithm::Ed25519, number)
}

/// A key as a configuration has it.
pub(crate) fn entry(name: &str, key: &SigningKey) -> TrustedKeyConfig {
    TrustedKeyConfig {
        name: name.to_owned(),
        public_key: Some(key.public().to_pem()),
        ..TrustedKeyConfig::default()
    }
}

/// A node that asks for the signatures of so many of these keys.
pub(crate) fn asking(threshold: u32, keys: Vec<TrustedKeyConfig>) -> SignaturesConfig {
    SignaturesConfig { threshold, keys }
}

/// The envelope with a signature of each of these keys.
pub(crate) fn signed(envelope: Envelope, keys: &[&SigningKey]) -> Envelope {
    keys.iter().fold(envelope, |envelope, key| {
        let signature = key.sign(&envelope).unwrap();
        envelope.with_signature(signature).unwrap()
    })
}

/// An envelope around any payload.
fn around(payload: &str) -> Envelope {
    use base64::Engine as _;
    let payload = base64::engine::general_purpose::STANDARD.encode(payload);
    let wire = serde_json::json!({"payloadType": PAYLOAD_TYPE, "payload": payload, "signatures": []});
    Envelope::parse(wire.to_string().as_bytes()).unwrap()
}

#[test]
fn what_a_key_signs_its_public_half_verifies_and_no_other() {
    for algorithm in BOTH {
        let (one, other) = (key(algorithm, 1), key(algorithm, 2));
        let envelope = around("{}");
        let message = envelope.pre_authentication_encoding();
        let signature = one.sign(&envelope).unwrap();
        assert_eq!(signature.sig.len(), SIGNATURE_BYTES);
        assert_eq!(signature.keyid, one.id().as_str());
        assert!(one.public().verifies(&message, &signature.sig));
        assert!(!other.public().verifies(&message, &signature.sig));
        assert!(!one.public().verifies(b"another message", &signature.sig));
        assert!(!one.public().verifies(&message, &signature.sig[..63]));
        assert!(!one.public().verifies(&message, &[]));
        // Nothing random is in a signature: the same document gives the same envelope.
        assert_eq!(one.sign(&envelope).unwrap(), signature);
    }
}

#[test]
fn a_key_made_now_is_another_each_time() {
    for algorithm in BOTH {
        let (one, other) = (
            SigningKey::generate(algorithm).unwrap(),
            SigningKey::generate(algorithm).unwrap(),
        );
        assert_eq!(one.public().algorithm(), algorithm);
        assert_ne!(one.id(), other.id());
    }
}

#[test]
fn an_id_is_the_algorithm_and_the_digest_of_the_public_key() {
    for algorithm in BOTH {
        let key = key(algorithm, 1);
        let id = key.id().as_str();
        let digits = id.strip_prefix(&format!("{algorithm}:")).unwrap();
        assert_eq!(digits.len(), 64);
        assert!(id.len() <= crate::envelope::MAX_KEYID_BYTES);
        assert_eq!(KeyId::shortened(id), format!("{algorithm}:{}", &digits[..12]));
    }
    // openssl pkey -pubin -in sm2.pub -outform DER | sha256sum
    let read = PublicKey::from_pem(openssl::SM2_PUBLIC).unwrap();
    assert_eq!(
        read.id().as_str(),
        "sm2:14a50114154c49aa69ae9c90d37baf996c549e5410759f069d769190e4fd8ea2"
    );
    assert_eq!(KeyId::shortened("of another tool"), "of another tool");
}

#[test]
fn keys_are_read_as_they_are_written() {
    for algorithm in BOTH {
        let key = key(algorithm, 3);
        let read = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
        assert_eq!(read.id(), key.id());
        let public = PublicKey::from_pem(&key.public().to_pem()).unwrap();
        assert_eq!(&public, key.public());
        // As a text in a configuration may be indented and end in blanks.
        let padded = format!("\n{}\n\n", key.public().to_pem());
        assert_eq!(&PublicKey::from_pem(&padded).unwrap(), key.public());
    }
}

#[test]
fn a_secret_shows_nowhere() {
    for algorithm in BOTH {
        let key = key(algorithm, 7);
        assert_eq!(format!("{key:?}"), format!("SigningKey({}, redacted)", key.id()));
    }
}

#[test]
fn what_is_no_public_key_is_told_by_what_it_is() {
    let private = ed25519(1).to_pem().unwrap();
    // Ed25519's point of order 1: any signature of a certain form fits every message.
    let weak = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END PUBLIC KEY-----";
    let off_curve = openssl::SM2_PUBLIC.replace("IU9tA==", "IU9tQ==");
    let x25519 = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEA0SZjq6Rj9aBHcIVETkWNjokHb5Y1oZKLVAs08McgW18=\n-----END PUBLIC KEY-----";
    let p256 = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAExoZKbTS/RNZh6EpT9axUFg32lxOo\njn216opxis/6JmBizylVuZvJYrko2+HFUuLEZtumy2e7GvxhZZgYir/Q+A==\n-----END PUBLIC KEY-----";
    let long = "x".repeat(20_000);
    for (text, needle) in [
        ("", "-----BEGIN PUBLIC KEY-----"),
        ("ssh-ed25519 AAAA", "-----BEGIN PUBLIC KEY-----"),
        (private.as_str(), "a private key belongs to whoever signs"),
        (weak, "ed25519 key is damaged"),
        (&off_curve, "sm2 key is damaged"),
        (x25519, "1.3.101.110, expected Ed25519 (1.3.101.112) or SM2"),
        (p256, "1.2.840.10045.3.1.7"),
        (&long, "found 20000 bytes"),
        (
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
            "expected one PEM block",
        ),
    ] {
        let error = PublicKey::from_pem(text).unwrap_err().to_string();
        assert!(error.contains(needle), "{error}");
    }
}

#[test]
fn what_is_no_private_key_is_told_by_what_it_is() {
    let public = ed25519(1).public().to_pem();
    for (text, needle) in [
        (public.as_str(), "a public key verifies and cannot sign"),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----",
            "decrypt it on the way",
        ),
        (
            "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----",
            "openssl pkey -in FILE",
        ),
        ("", "-----BEGIN PRIVATE KEY-----"),
    ] {
        let error = SigningKey::from_pem(text).unwrap_err().to_string();
        assert!(error.contains(needle), "{error}");
    }
    // What cannot be a secret on the curve: 0, the order of the group, and one below it, which cannot be divided by.
    let order = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";
    let bytes: Vec<u8> = (0..32)
        .map(|index| u8::from_str_radix(&order[2 * index..2 * index + 2], 16).unwrap())
        .collect();
    let order: [u8; 32] = bytes.try_into().unwrap();
    let mut below = order;
    below[31] -= 1;
    for secret in [[0; 32], order, below] {
        let error = SigningKey::from_secret(Algorithm::Sm2, &secret).unwrap_err();
        assert_eq!(
            error,
            KeyError::Damaged {
                algorithm: Algorithm::Sm2
            }
        );
    }
    below[31] -= 1;
    assert!(SigningKey::from_secret(Algorithm::Sm2, &below).is_ok());
}
