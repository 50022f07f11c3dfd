//! Keys as PEM: which kind of key a text holds, before it is read as one.

use sm2::pkcs8::ObjectIdentifier;
use sm2::pkcs8::der;
use thiserror::Error;

use super::Algorithm;

/// `id-Ed25519` of RFC 8410.
pub(super) const ED25519: ObjectIdentifier = ed25519_dalek::pkcs8::ALGORITHM_OID;

/// `id-ecPublicKey` of RFC 5480; SM2 is told from other curves by the parameters.
pub(super) const EC_PUBLIC_KEY: ObjectIdentifier = sm2::elliptic_curve::ALGORITHM_OID;

/// The largest text of a key, in bytes: a key of either algorithm has some two hundred.
pub(super) const MAX_PEM_BYTES: usize = 16 * 1024;

/// Why a text is no key that could be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// More than any key has.
    #[error("found {found} bytes, expected a key in PEM of at most {MAX_PEM_BYTES}")]
    TooLarge {
        /// How many bytes it has.
        found: usize,
    },
    /// No PEM at all.
    #[error("expected one PEM block `-----BEGIN {expected}-----`: {reason}")]
    NotPem {
        /// What the block should have been.
        expected: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Another kind of PEM.
    #[error("found a PEM block `{found}`, expected `{expected}`{remedy}")]
    Label {
        /// What it is.
        found: String,
        /// What it should have been.
        expected: &'static str,
        /// What to do about it, where that is known.
        remedy: &'static str,
    },
    /// A key for another algorithm, or on another curve.
    #[error("found a key with the algorithm {found}, expected Ed25519 ({ED25519}) or SM2")]
    Algorithm {
        /// Its identifier.
        found: String,
    },
    /// The right kind, and not a key.
    #[error("the {algorithm} key is damaged, or one that nothing can be signed with")]
    Damaged {
        /// What it is a key for.
        algorithm: Algorithm,
    },
}

/// The label of the text's only block.
fn label(text: &str, expected: &'static str) -> Result<String, KeyError> {
    if text.len() > MAX_PEM_BYTES {
        return Err(KeyError::TooLarge { found: text.len() });
    }
    der::pem::decode_label(text.as_bytes())
        .map(str::to_owned)
        .map_err(|error| KeyError::NotPem {
            expected,
            reason: error.to_string(),
        })
}

/// What is in the block is no key of the kind that its label says.
pub(super) fn not_der(expected: &'static str, error: &der::Error) -> KeyError {
    KeyError::NotPem {
        expected,
        reason: error.to_string(),
    }
}

/// Sees that the text is a public key's.
pub(super) fn expect_public(text: &str) -> Result<(), KeyError> {
    const EXPECTED: &str = "PUBLIC KEY";
    let found = label(text, EXPECTED)?;
    if found == EXPECTED {
        return Ok(());
    }
    let remedy = if found.ends_with("PRIVATE KEY") {
        "; a private key belongs to whoever signs, and to no node: take the public one (`openssl pkey -pubout`)"
    } else {
        ""
    };
    Err(KeyError::Label {
        found,
        expected: EXPECTED,
        remedy,
    })
}

/// Sees that the text is a private key's, as PKCS#8 and not encrypted.
pub(super) fn expect_private(text: &str) -> Result<(), KeyError> {
    const EXPECTED: &str = "PRIVATE KEY";
    let found = label(text, EXPECTED)?;
    let remedy = match found.as_str() {
        EXPECTED => return Ok(()),
        "PUBLIC KEY" => "; a public key verifies and cannot sign",
        "ENCRYPTED PRIVATE KEY" => "; decrypt it on the way: --key <(openssl pkey -in FILE)",
        "EC PRIVATE KEY" => "; bring it into the form of PKCS#8: openssl pkey -in FILE",
        _ => "",
    };
    Err(KeyError::Label {
        found,
        expected: EXPECTED,
        remedy,
    })
}
