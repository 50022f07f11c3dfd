//! What openssl made is read and verified here, and what is made here openssl verifies.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::signing::key_file::{read_public_key, read_signing_key, write_key_pair};

// Made by OpenSSL 3.0, with `openssl genpkey -algorithm ed25519` and `-algorithm SM2`. They sign nothing but this test.
pub(super) const ED25519_PRIVATE: &str = "\
-----BEGIN PRIVATE KEY-----\n\
MC4CAQAwBQYDK2VwBCIEICwZ86/zVkuWFrg/PWCz0f2q6ywHmR1Nj8yf5X9Z2spg\n\
-----END PRIVATE KEY-----";
pub(super) const ED25519_PUBLIC: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MCowBQYDK2VwAyEA3lPmkC5bQttqlMU6AoHvrQponPU31R+A/RnE/o35JD4=\n\
-----END PUBLIC KEY-----";
pub(super) const SM2_PRIVATE: &str = "\
-----BEGIN PRIVATE KEY-----\n\
MIGHAgEAMBMGByqGSM49AgEGCCqBHM9VAYItBG0wawIBAQQgDyVksl5CJVzF8pfv\n\
d+j8Vefm3TmHC6irh9AJCK8nNjWhRANCAAScU2hQw2D5rBAJn2AOxAU/DIPKvt2U\n\
y+63dqU9hq85iYXgqCA4EIqJ+grqp34ghP5fSVdFP1n+llOKIOfUhT20\n\
-----END PRIVATE KEY-----";
pub(super) const SM2_PUBLIC: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAEnFNoUMNg+awQCZ9gDsQFPwyDyr7d\n\
lMvut3alPYavOYmF4KggOBCKifoK6qd+IIT+X0lXRT9Z/pZTiiDn1IU9tA==\n\
-----END PUBLIC KEY-----";

// Signatures of the encoding of an envelope around `{}`, by `openssl pkeyutl -sign -rawin`; of SM2's the r and the s.
const ED25519_SIGNATURE: &str =
    "jw4izUyDT3J98xclkSaqKBXmdV19Rl1wrBG/keFLRbkJZAVrVywXqQY1jZJncTV4tQs6nT90MUtrLQGGVgcHCA==";
const SM2_SIGNATURE: &str =
    "tt4KviPtJCAo6zQyf1Puyzjcm1NGuoF5uVbUxf6i/6ZjupmpvJU6golznXIVwJFpbX2Dh4Ldl9MITIsaLNkLgA==";

#[test]
fn keys_and_signatures_of_openssl_are_taken() {
    let message = around("{}").pre_authentication_encoding();
    for (private, public, signature) in [
        (ED25519_PRIVATE, ED25519_PUBLIC, ED25519_SIGNATURE),
        (SM2_PRIVATE, SM2_PUBLIC, SM2_SIGNATURE),
    ] {
        let public = PublicKey::from_pem(public).unwrap();
        assert_eq!(SigningKey::from_pem(private).unwrap().public(), &public);
        let signature = STANDARD.decode(signature).unwrap();
        assert!(public.verifies(&message, &signature), "{public:?}");
    }
    // Ed25519 is deterministic: the same key signs the same.
    let ours = SigningKey::from_pem(ED25519_PRIVATE).unwrap();
    assert_eq!(
        STANDARD.encode(ours.sign(&around("{}")).unwrap().sig),
        ED25519_SIGNATURE
    );
}

/// Whether there is an openssl that signs without hashing first. Says so when a test is skipped.
fn is_here() -> bool {
    let version = Command::new("openssl").arg("version").output();
    let version = version.map_or(String::new(), |output| {
        String::from_utf8_lossy(&output.stdout).into_owned()
    });
    let major = version
        .strip_prefix("OpenSSL ")
        .and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
    if major.is_some_and(|major| major >= 3) {
        return true;
    }
    let message =
        format!("SKIPPED: a test with openssl, which must be OpenSSL 3 or later; found `{version}`\n");
    std::io::stderr().write_all(message.as_bytes()).unwrap();
    false
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments:?}: {said}");
}

/// What openssl must be told beside the key.
fn options(algorithm: Algorithm) -> &'static [&'static str] {
    match algorithm {
        Algorithm::Ed25519 => &["-rawin"],
        Algorithm::Sm2 => &["-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678"],
    }
}

#[test]
fn openssl_verifies_what_is_signed_here() {
    if !is_here() {
        return;
    }
    for algorithm in BOTH {
        let folder = tempfile::tempdir().unwrap();
        let key = SigningKey::generate(algorithm).unwrap();
        write_key_pair(&folder.path().join("ours"), &key).unwrap();
        let envelope = around(r#"{"name": "velocity-limit"}"#);
        let signature = key.sign(&envelope).unwrap().sig;
        let signature = match algorithm {
            Algorithm::Ed25519 => signature,
            // openssl wraps r and s into DER.
            Algorithm::Sm2 => {
                let signature = sm2::dsa::Signature::from_slice(&signature).unwrap();
                signature.to_der().as_ref().to_vec()
            }
        };
        fs::write(folder.path().join("signature"), signature).unwrap();
        fs::write(
            folder.path().join("message"),
            envelope.pre_authentication_encoding(),
        )
        .unwrap();
        let verify = ["pkeyutl", "-verify", "-pubin", "-inkey", "ours.pub"];
        let files = ["-in", "message", "-sigfile", "signature"];
        openssl(folder.path(), &[&verify[..], options(algorithm), &files].concat());
        // And it reads the private half too.
        openssl(folder.path(), &["pkey", "-in", "ours.key", "-noout", "-check"]);
    }
}

#[test]
fn what_openssl_signs_is_verified_here() {
    if !is_here() {
        return;
    }
    for algorithm in BOTH {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let generate = ["genpkey", "-algorithm", algorithm.name(), "-out", "theirs.key"];
        openssl(folder.path(), &generate);
        openssl(
            folder.path(),
            &["pkey", "-in", "theirs.key", "-pubout", "-out", "theirs.pub"],
        );
        let envelope = around(r#"{"name": "velocity-limit"}"#);
        let message = envelope.pre_authentication_encoding();
        fs::write(path("message"), &message).unwrap();
        let sign = ["pkeyutl", "-sign", "-inkey", "theirs.key"];
        let files = ["-in", "message", "-out", "signature"];
        openssl(folder.path(), &[&sign[..], options(algorithm), &files].concat());
        let signature = fs::read(path("signature")).unwrap();
        let signature = match algorithm {
            Algorithm::Ed25519 => signature,
            Algorithm::Sm2 => {
                let signature = sm2::dsa::Signature::from_der(&signature).unwrap();
                signature.to_bytes().to_vec()
            }
        };
        let public = read_public_key(&path("theirs.pub")).unwrap();
        assert!(public.verifies(&message, &signature), "{algorithm}");
        // Their private half signs here as well.
        let key = read_signing_key(&path("theirs.key")).unwrap();
        assert_eq!(key.public(), &public);
    }
}
