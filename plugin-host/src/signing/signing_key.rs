//! A private key: signs documents on the machine of whoever publishes. No node ever has one.

use std::fmt;

use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::{EncodePrivateKey as _, KeypairBytes};
use sm2::pkcs8::der::SecretDocument;
use sm2::pkcs8::{LineEnding, PrivateKeyInfoRef};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::envelope::{Envelope, Signature};

use super::pem::{EC_PUBLIC_KEY, ED25519, expect_private, not_der};
use super::public_key::DISTINGUISHING_ID;
use super::{Algorithm, KeyError, KeyId, PublicKey};

/// The length of the secret of either algorithm, in bytes.
const SECRET_BYTES: usize = 32;

/// How often a secret is drawn. One in four thousand million is none for SM2, and none is for Ed25519, so a second draw is
/// rare and an eighth means that the machine's randomness is none.
const MAX_DRAWS: u32 = 8;

/// Why nothing was signed, or no key was made.
#[derive(Debug, Error)]
pub enum SigningError {
    /// The machine gives no random bytes.
    #[error("the machine gives no random bytes")]
    Randomness(#[source] getrandom::Error),
    /// What came out does not verify under the public key. The key is damaged, or the machine is.
    #[error("what the {algorithm} key signed does not verify; the key is damaged, or this machine is")]
    NotVerified {
        /// What the key is for.
        algorithm: Algorithm,
    },
}

/// A key that signs. Its secret is wiped when it is dropped.
pub struct SigningKey {
    secret: Secret,
    public: PublicKey,
}

enum Secret {
    Ed25519(Box<ed25519_dalek::SigningKey>),
    Sm2(Box<sm2::SecretKey>),
}

impl SigningKey {
    /// Makes a new key out of the machine's random bytes.
    ///
    /// # Errors
    /// When the machine gives none.
    pub fn generate(algorithm: Algorithm) -> Result<Self, SigningError> {
        for _ in 0..MAX_DRAWS {
            let mut secret = Zeroizing::new([0; SECRET_BYTES]);
            getrandom::fill(&mut *secret).map_err(SigningError::Randomness)?;
            if let Ok(key) = Self::from_secret(algorithm, &secret) {
                return Ok(key);
            }
        }
        Err(SigningError::NotVerified { algorithm })
    }

    /// The key with this secret.
    ///
    /// # Errors
    /// When it is no secret of the algorithm: an SM2 one is a number from 1 to two below the order of the curve.
    pub fn from_secret(algorithm: Algorithm, secret: &[u8; SECRET_BYTES]) -> Result<Self, KeyError> {
        match algorithm {
            Algorithm::Ed25519 => Self::ed25519(ed25519_dalek::SigningKey::from_bytes(secret)),
            Algorithm::Sm2 => {
                Self::sm2(sm2::SecretKey::from_slice(secret).map_err(|_| KeyError::Damaged { algorithm })?)
            }
        }
    }

    /// Reads a private key from PEM (PKCS#8, not encrypted).
    ///
    /// # Errors
    /// When the text is no such PEM, or holds a key for another algorithm.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        expect_private(text)?;
        let (_, document) = SecretDocument::from_pem(text).map_err(|error| not_der("PRIVATE KEY", &error))?;
        let info: PrivateKeyInfoRef<'_> = document
            .decode_msg()
            .map_err(|error| not_der("PRIVATE KEY", &error))?;
        let damaged = |algorithm| move |_| KeyError::Damaged { algorithm };
        match info.algorithm.oid {
            ED25519 => {
                let key = ed25519_dalek::SigningKey::try_from(info).map_err(damaged(Algorithm::Ed25519))?;
                Self::ed25519(key)
            }
            EC_PUBLIC_KEY => Self::sm2(sm2::SecretKey::try_from(info).map_err(damaged(Algorithm::Sm2))?),
            other => Err(KeyError::Algorithm {
                found: other.to_string(),
            }),
        }
    }

    fn ed25519(key: ed25519_dalek::SigningKey) -> Result<Self, KeyError> {
        Ok(Self {
            public: PublicKey::ed25519(key.verifying_key())?,
            secret: Secret::Ed25519(Box::new(key)),
        })
    }

    fn sm2(key: sm2::SecretKey) -> Result<Self, KeyError> {
        let key = Self {
            public: PublicKey::sm2(key.public_key())?,
            secret: Secret::Sm2(Box::new(key)),
        };
        // The highest number below the order of the curve has a public key and cannot sign: one cannot be divided by it plus one.
        key.sign_message(b"").map_err(|_| KeyError::Damaged {
            algorithm: Algorithm::Sm2,
        })?;
        Ok(key)
    }

    /// Its other half.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The id of its other half.
    #[must_use]
    pub const fn id(&self) -> &KeyId {
        self.public.id()
    }

    /// The key as PEM, as it is read. For Ed25519 without the public key beside the secret, which older readers do not know.
    ///
    /// # Errors
    /// When it cannot be encoded, which no key that could be read or made is.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let algorithm = self.public.algorithm();
        let pem = match &self.secret {
            Secret::Ed25519(key) => KeypairBytes {
                secret_key: key.to_bytes(),
                public_key: None,
            }
            .to_pkcs8_pem(LineEnding::LF),
            Secret::Sm2(key) => key.to_pkcs8_pem(LineEnding::LF),
        };
        pem.map_err(|_| KeyError::Damaged { algorithm })
    }

    /// Signs what is in an envelope.
    ///
    /// # Errors
    /// When what came out does not verify.
    pub fn sign(&self, envelope: &Envelope) -> Result<Signature, SigningError> {
        Ok(Signature {
            keyid: self.id().as_str().to_owned(),
            sig: self.sign_message(&envelope.pre_authentication_encoding())?,
        })
    }

    /// Signs, and looks at what came out before anybody else does: a fault of the machine in the middle of a signature can
    /// give the key away.
    pub(crate) fn sign_message(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let algorithm = self.public.algorithm();
        let signature = match &self.secret {
            Secret::Ed25519(key) => Some(key.sign(message).to_vec()),
            Secret::Sm2(key) => sm2::dsa::SigningKey::new(DISTINGUISHING_ID, key)
                .and_then(|key| key.try_sign(message))
                .map(|signature: sm2::dsa::Signature| signature.to_bytes().to_vec())
                .ok(),
        };
        signature
            .filter(|signature| self.public.verifies(message, signature))
            .ok_or(SigningError::NotVerified { algorithm })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, redacted)", self.id())
    }
}
