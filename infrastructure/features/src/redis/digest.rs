//! What stands in Redis instead of subjects and payments: HMAC-SHA256 (RFC 2104) under a key of this installation.
//!
//! E-mail and IP addresses are few enough to be tried one by one, so a plain digest would give them away; without the key
//! this one does not. Gateways that share a Redis share the key too.

use std::fmt;

use domain::feature::Subject;
use domain::{MerchantId, PaymentId};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use domain::spelling::normalize;

/// How much of an HMAC is kept: with 128 bits two of a billion billion subjects would hardly ever meet.
const DIGEST_BYTES: usize = 16;

/// How much of it tells the others of one subject apart, of which there are some hundred.
const SHORT_BYTES: usize = 8;

/// The key that subjects are hidden under. Wiped when dropped, as the states of `sha2` are with its feature `zeroize`.
#[derive(Clone)]
pub struct SubjectKey(Hmac<Sha256>);

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKey(redacted)")
    }
}

/// A subject or a payment, as Redis knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digest([u8; DIGEST_BYTES]);

impl Digest {
    pub(super) fn hex(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.0))
    }

    pub(super) fn short(&self) -> &[u8] {
        self.0.get(..SHORT_BYTES).unwrap_or_default()
    }
}

impl SubjectKey {
    /// A key of 32 bytes, as random as a key is.
    #[must_use]
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes keys of every length"))
    }

    /// By its one spelling. The same value as another kind of subject is another digest.
    pub(super) fn subject(&self, subject: Subject, value: &str) -> Digest {
        self.digest(&["subject", subject.as_str(), &normalize(subject, value)])
    }

    /// Two merchants may give the same name to different payments.
    pub(super) fn payment(&self, merchant: &MerchantId, payment: &PaymentId) -> Digest {
        self.digest(&["payment", merchant.as_str(), payment.as_str()])
    }

    fn digest(&self, parts: &[&str]) -> Digest {
        let mut mac = self.0.clone();
        for part in parts {
            // With its length before each, no two lists of parts are the same bytes.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        let mut kept = [0; DIGEST_BYTES];
        for (kept, byte) in kept.iter_mut().zip(mac.finalize().into_bytes()) {
            *kept = byte;
        }
        Digest(kept)
    }
}
