//! A public key: verifies what its other half signed.

use std::fmt;

use sm2::dsa::signature::Verifier as _;
use sm2::pkcs8::der::Document;
use sm2::pkcs8::spki::{DecodePublicKey as _, EncodePublicKey as _, SubjectPublicKeyInfoRef};
use sm2::pkcs8::{LineEnding, ObjectIdentifier};

use super::pem::{EC_PUBLIC_KEY, ED25519, expect_public, not_der};
use super::{Algorithm, KeyError, KeyId};

/// The distinguishing identifier of every SM2 key here: the default of GM/T 0009, which is also what verifiers assume that
/// were told no other.
pub(super) const DISTINGUISHING_ID: &str = "1234567812345678";

/// One of the two kinds of key that sign documents.
#[derive(Clone)]
pub struct PublicKey {
    key: Key,
    id: KeyId,
}

#[derive(Clone)]
enum Key {
    Ed25519(ed25519_dalek::VerifyingKey),
    Sm2(Box<sm2::dsa::VerifyingKey>),
}

impl PublicKey {
    /// Reads a public key from PEM (SubjectPublicKeyInfo).
    ///
    /// # Errors
    /// When the text is no such PEM, holds a key for another algorithm, or one under which anybody could sign.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        expect_public(text)?;
        let (_, document) = Document::from_pem(text).map_err(|error| not_der("PUBLIC KEY", &error))?;
        let info: SubjectPublicKeyInfoRef<'_> = document
            .decode_msg()
            .map_err(|error| not_der("PUBLIC KEY", &error))?;
        match info.algorithm.oid {
            ED25519 => {
                let damaged = |_| KeyError::Damaged {
                    algorithm: Algorithm::Ed25519,
                };
                Self::ed25519(ed25519_dalek::VerifyingKey::try_from(info).map_err(damaged)?)
            }
            EC_PUBLIC_KEY => {
                let curve: Option<ObjectIdentifier> = info.algorithm.parameters_oid().ok();
                if curve != Some(<sm2::Sm2 as sm2::pkcs8::AssociatedOid>::OID) {
                    let found =
                        curve.map_or("an elliptic curve of its own".to_owned(), |oid| oid.to_string());
                    return Err(KeyError::Algorithm { found });
                }
                let damaged = |_| KeyError::Damaged {
                    algorithm: Algorithm::Sm2,
                };
                let key = sm2::PublicKey::from_public_key_der(document.as_bytes()).map_err(damaged)?;
                Self::sm2(key)
            }
            other => Err(KeyError::Algorithm {
                found: other.to_string(),
            }),
        }
    }

    pub(super) fn ed25519(key: ed25519_dalek::VerifyingKey) -> Result<Self, KeyError> {
        let damaged = KeyError::Damaged {
            algorithm: Algorithm::Ed25519,
        };
        // Of small order: there are signatures under it that fit every message.
        if key.is_weak() {
            return Err(damaged);
        }
        Self::of(Key::Ed25519(key)).ok_or(damaged)
    }

    pub(super) fn sm2(key: sm2::PublicKey) -> Result<Self, KeyError> {
        let damaged = || KeyError::Damaged {
            algorithm: Algorithm::Sm2,
        };
        let key = sm2::dsa::VerifyingKey::new(DISTINGUISHING_ID, key).map_err(|_| damaged())?;
        Self::of(Key::Sm2(Box::new(key))).ok_or_else(damaged)
    }

    /// The key under its id; none where it cannot be encoded, which no key that could be read is.
    fn of(key: Key) -> Option<Self> {
        let der = key.to_der()?;
        let id = KeyId::of(key.algorithm(), der.as_bytes());
        Some(Self { key, id })
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &KeyId {
        &self.id
    }

    /// What it verifies with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }

    /// The key as PEM, as it is read.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let pem = self
            .key
            .to_der()
            .and_then(|der| der.to_pem("PUBLIC KEY", LineEnding::LF).ok());
        // Cannot fail: the id is a digest of the same bytes.
        pem.unwrap_or_default()
    }

    /// Whether this is a signature of the message by this key.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.key {
            // Strictly: one encoding for each signature, and no point of small order in it.
            Key::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Key::Sm2(key) => sm2::dsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

impl Key {
    const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::Ed25519,
            Self::Sm2(_) => Algorithm::Sm2,
        }
    }

    fn to_der(&self) -> Option<Document> {
        match self {
            Self::Ed25519(key) => key.to_public_key_der().ok(),
            Self::Sm2(key) => key.to_public_key_der().ok(),
        }
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id)
    }
}
