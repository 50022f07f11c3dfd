//! Whom a node trusts, and whether what they signed is enough.

use domain::Timestamp;

use crate::document::strict::shorten;
use crate::document::{Moment, PolicyName, Validity, ValidityError};
use crate::envelope::Envelope;

use super::refusal::NamedKey;
use super::{NamePattern, Objection, PublicKey, SignatureRefusal};

/// The most keys a node trusts: a team of a few people, twice during a rotation.
pub const MAX_TRUSTED_KEYS: usize = 16;

/// The most verifications of one envelope, each of which hashes the whole document: sixteen signatures that name their keys
/// take one each, and those that name none take as many as keys are trusted.
const MAX_VERIFICATIONS: usize = 64;

/// The longest id of an unknown key that a refusal quotes, in bytes.
const QUOTED_KEYID_BYTES: usize = 80;

/// The keys that a node trusts, and how many of them must have signed a document.
#[derive(Clone, Debug, Default)]
pub struct TrustedKeys {
    /// At least 1 where there are keys.
    pub(super) threshold: usize,
    /// At most [`MAX_TRUSTED_KEYS`], each once.
    pub(super) keys: Vec<TrustedKey>,
}

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct TrustedKey {
    pub(super) named: NamedKey,
    pub(super) public_key: PublicKey,
    /// When its signatures count.
    pub(super) validity: Validity,
    /// What it may sign; everything where this is empty.
    pub(super) policies: Vec<NamePattern>,
}

/// Signatures that are enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signed {
    /// The names of the keys that count, in the order of their signatures; none where no key is trusted.
    pub by: Vec<Box<str>>,
    /// Until when enough of these keys are trusted, where that ends.
    pub holds_until: Option<Moment>,
}

impl TrustedKeys {
    /// Whether no key is trusted, so that every document is taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many of them must have signed a document.
    #[must_use]
    pub const fn threshold(&self) -> usize {
        self.threshold
    }

    /// The names of the keys.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| &*key.named.name)
    }

    /// Whether an envelope is signed by as many trusted keys as there must be, each of which counts once, is trusted now and
    /// may sign this policy. The payload is not looked into: nothing of it is believed before this.
    ///
    /// What a signature says of its key is a hint. One that names a key is held against that key, one that names an unknown
    /// key is passed over, and one that names none is held against every key.
    ///
    /// # Errors
    /// Why they are not enough.
    pub fn verify(
        &self,
        envelope: &Envelope,
        policy: &PolicyName,
        now: Timestamp,
    ) -> Result<Signed, SignatureRefusal> {
        if self.is_empty() {
            return Ok(Signed::default());
        }
        let threshold = self.threshold;
        if envelope.signatures().is_empty() {
            return Err(SignatureRefusal::Missing { threshold });
        }
        let (counted, objections) = self.weigh(envelope, policy, now);
        if counted.is_empty() {
            return Err(SignatureRefusal::NoneCounts(objections));
        }
        if counted.len() < threshold {
            return Err(SignatureRefusal::TooFew {
                threshold,
                counted: counted.iter().map(|key| key.named.clone()).collect(),
                objections,
            });
        }
        Ok(Signed {
            holds_until: holds_until(&counted, threshold),
            by: counted.iter().map(|key| key.named.name.clone()).collect(),
        })
    }

    /// The keys whose signatures count, and what there is to say against the other signatures.
    fn weigh(
        &self,
        envelope: &Envelope,
        policy: &PolicyName,
        now: Timestamp,
    ) -> (Vec<&TrustedKey>, Vec<Objection>) {
        let message = envelope.pre_authentication_encoding();
        let mut counted: Vec<&TrustedKey> = Vec::new();
        let mut objections: Vec<Objection> = Vec::new();
        // Many signatures may have the same against them; it is told once.
        let mut object = |objection: Objection| {
            if !objections.contains(&objection) {
                objections.push(objection);
            }
        };
        let mut left = MAX_VERIFICATIONS;
        for signature in envelope.signatures() {
            let keyid = signature.keyid.as_str();
            let named = self.keys.iter().find(|key| key.named.id.as_str() == keyid);
            let made_it = |key: &&TrustedKey| {
                let is_left = left > 0;
                left = left.saturating_sub(1);
                is_left && key.public_key.verifies(&message, &signature.sig)
            };
            let maker = if keyid.is_empty() {
                self.keys.iter().find(made_it)
            } else {
                named.filter(made_it)
            };
            match (maker, named) {
                (Some(key), _) => match key.objection(policy, now) {
                    Some(objection) => object(objection),
                    None if counted.iter().any(|other| other.named.id == key.named.id) => {}
                    None => counted.push(key),
                },
                (None, Some(key)) => object(Objection::Invalid {
                    key: key.named.clone(),
                }),
                (None, None) => object(Objection::Untrusted {
                    // Whoever wrote it may have meant it for a terminal.
                    keyid: shorten(&keyid.escape_debug().to_string(), QUOTED_KEYID_BYTES),
                }),
            }
        }
        (counted, objections)
    }
}

impl TrustedKey {
    /// Why a signature of this key does not count, if it does not.
    fn objection(&self, policy: &PolicyName, now: Timestamp) -> Option<Objection> {
        let key = || self.named.clone();
        if !self.policies.is_empty() && !self.policies.iter().any(|pattern| pattern.fits(policy)) {
            return Some(Objection::NotAllowed {
                key: key(),
                policy: policy.clone(),
                allowed: self.policies.clone(),
            });
        }
        self.validity.check(now).err().map(|error| match error {
            ValidityError::NotYetValid { not_before, now } => Objection::NotYetValid {
                key: key(),
                not_before,
                now,
            },
            ValidityError::Expired { not_after, now } => Objection::Expired {
                key: key(),
                not_after,
                now,
            },
        })
    }
}

/// Until when as many of these keys are trusted as there must be: when the last but so many of them ends.
fn holds_until(counted: &[&TrustedKey], threshold: usize) -> Option<Moment> {
    let mut ends: Vec<Option<Timestamp>> = counted.iter().map(|key| key.validity.not_after()).collect();
    // The latest first, and before them those that do not end.
    ends.sort_by_key(|end| std::cmp::Reverse(end.unwrap_or(Timestamp::MAX)));
    let end = ends.get(threshold.saturating_sub(1)).copied().flatten();
    end.map(Moment)
}
