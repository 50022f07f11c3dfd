//! The name of a key, by which a signature says who made it.

use std::fmt;

use crate::digest::Digest;

use super::Algorithm;

/// The algorithm, a colon, and the SHA-256 of the public key as DER (SubjectPublicKeyInfo) in 64 lower-case hexadecimal
/// digits: everybody who has the public key computes the same, and it fits an envelope uncut.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Box<str>);

/// How many digits people are shown: enough to tell keys apart, and no proof of anything.
const SHORT_DIGITS: usize = 12;

impl KeyId {
    pub(super) fn of(algorithm: Algorithm, public_key_der: &[u8]) -> Self {
        let digest = Digest::of(public_key_der).to_string();
        let digits = digest.strip_prefix("sha256:").unwrap_or(&digest);
        Self(format!("{algorithm}:{digits}").into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The beginning of an id, or of whatever a signature gives as one, for people.
    #[must_use]
    pub fn shortened(keyid: &str) -> String {
        match keyid.split_once(':') {
            Some((algorithm, digits)) if digits.len() > SHORT_DIGITS => {
                let digits: String = digits.chars().take(SHORT_DIGITS).collect();
                format!("{algorithm}:{digits}")
            }
            _ => keyid.to_owned(),
        }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
