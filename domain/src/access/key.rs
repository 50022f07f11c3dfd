//! A key to the HTTP interface, as it is kept: everything but its secret.

use std::fmt;

use super::Grant;
use crate::identifier::ApiKeyId;
use crate::text::BoundedText;
use crate::timestamp::Timestamp;

/// What its owner calls a key; also who reviewed a payment, where an analyst's key did.
pub type ApiKeyName = BoundedText<64>;

/// The SHA-256 of a secret. A secret is 256 random bits, so nobody finds it by trying, however fast the hash is: salt and a slow
/// hash are for passwords, which people choose.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretDigest(pub [u8; 32]);

impl SecretDigest {
    /// Whether both are the same, in a time that does not tell how much of them is.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        let differing = self.0.iter().zip(&other.0).fold(0, |bits, (a, b)| bits | (a ^ b));
        // Not to be turned into a loop that ends at the first difference.
        std::hint::black_box(differing) == 0
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(…)")
    }
}

/// A secret that was replaced, and still works for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreviousSecret {
    /// Of the secret.
    pub digest: SecretDigest,
    /// Until when it works.
    pub valid_until: Timestamp,
}

/// A key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its name in the log; also the part of the key that is no secret.
    pub id: ApiKeyId,
    /// What its owner calls it.
    pub name: ApiKeyName,
    /// What it is good for.
    pub grant: Grant,
    /// Of its secret.
    pub digest: SecretDigest,
    /// The last four characters of the key as it was shown, by which its owner tells it from others.
    pub last4: BoundedText<4>,
    /// The secret before the last rotation.
    pub previous: Option<PreviousSecret>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was given its secret.
    pub rotated_at: Timestamp,
    /// From when on it does not work any more.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Counts its changes; 0 while it is not stored.
    pub version: u64,
}

impl ApiKey {
    /// Whether it works at this time, with the right secret.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    /// Gives it a new secret. The one that it had works until `grace_until`; one before that does not any more.
    pub fn rotate(
        &mut self,
        digest: SecretDigest,
        last4: BoundedText<4>,
        now: Timestamp,
        grace_until: Timestamp,
    ) {
        self.previous = (grace_until > now).then_some(PreviousSecret {
            digest: self.digest,
            valid_until: grace_until,
        });
        self.digest = digest;
        self.last4 = last4;
        self.rotated_at = now;
    }

    /// Ends it for good, and both secrets with it. The first time stands.
    pub fn revoke(&mut self, now: Timestamp) {
        self.revoked_at.get_or_insert(now);
        self.previous = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_match_in_all_of_their_bytes() {
        let digest = SecretDigest([7; 32]);
        assert!(digest.matches(&SecretDigest([7; 32])));
        for place in 0..32 {
            let mut other = [7; 32];
            other[place] ^= 0x80;
            assert!(!digest.matches(&SecretDigest(other)));
        }
        assert!(!format!("{digest:?}").contains('7'));
    }
}
