//! Card fingerprints: HMAC-SHA256 (RFC 2104) of the number under a key of this installation.
//!
//! Card numbers are few enough to be tried one by one, so a plain digest would give them away; without the key this one
//! does not.

mod key_file;
#[cfg(test)]
mod tests;

use std::fmt;

use application::ports::{CardFingerprinter, RequestDigest, RequestDigester};
use domain::CardNumber;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

pub use key_file::FingerprintKeyError;

use crate::Config;

/// How much of the digest is kept: with 128 bits two of a billion billion cards would hardly ever meet.
const FINGERPRINT_BYTES: usize = 16;

/// Makes fingerprints such as `fp_` and 32 hexadecimal digits.
pub struct HmacCardFingerprinter {
    /// Keyed once; every fingerprint starts from a copy. Wiped when dropped, as the copies are: the states of `sha2` that
    /// it is made of do so with that crate's feature `zeroize`, and a test holds it.
    keyed: Hmac<Sha256>,
}

impl fmt::Debug for HmacCardFingerprinter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacCardFingerprinter(redacted)")
    }
}

impl HmacCardFingerprinter {
    /// Reads the key, or makes one where there is no file yet. Of several processes that start at the same time one
    /// makes the key, and all read that one.
    ///
    /// # Errors
    /// When the key cannot be read or made, has another size, or others than its owner have access to it.
    pub fn open(config: &Config) -> Result<Self, FingerprintKeyError> {
        let key = key_file::read_or_create(&config.fingerprint_key_path)?;
        Ok(Self::new(&key))
    }

    /// A key for another purpose of this installation, the same one in every process that has this key: whoever learns one
    /// learns nothing of the other. `purpose` is a text such as `features`; with a letter in it, since digits alone are
    /// card numbers.
    #[must_use]
    pub fn derived_key(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let mut mac = self.keyed.clone();
        mac.update(b"key for ");
        mac.update(purpose.as_bytes());
        Zeroizing::new(mac.finalize().into_bytes().into())
    }

    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    fn new(key: &[u8; key_file::KEY_BYTES]) -> Self {
        Self {
            keyed: Hmac::new_from_slice(key).expect("HMAC takes keys of every length"),
        }
    }
}

/// Before what a request is digested with, so that no request's digest is a card's fingerprint: no card number begins so.
const REQUEST_DOMAIN: &[u8] = b"request\0";

impl RequestDigester for HmacCardFingerprinter {
    fn digest(&self, parts: &[&[u8]]) -> RequestDigest {
        let mut mac = self.keyed.clone();
        mac.update(REQUEST_DOMAIN);
        for part in parts {
            // The length first: parts that are cut otherwise are others.
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        RequestDigest(mac.finalize().into_bytes().into())
    }
}

impl CardFingerprinter for HmacCardFingerprinter {
    fn fingerprint(&self, number: &CardNumber) -> Box<str> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut mac = self.keyed.clone();
        mac.update(number.expose().as_bytes());
        let digest = mac.finalize().into_bytes();
        let mut text = String::with_capacity(3 + 2 * FINGERPRINT_BYTES);
        text.push_str("fp_");
        for byte in digest.iter().take(FINGERPRINT_BYTES) {
            for nibble in [byte >> 4, byte & 0xf] {
                let digit = DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
                text.push(char::from(digit));
            }
        }
        text.into()
    }
}
