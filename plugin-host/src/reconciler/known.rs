//! What this node knows of one policy.

use std::sync::Arc;

use application::ports::{PolicyStatus, RefusedRelease, ReleaseInForce};
use bytes::Bytes;
use domain::Timestamp;

use crate::digest::Digest;
use crate::document::{Moment, PolicyDocument, PolicyName};
use crate::envelope::Envelope;
use crate::node_state::{KeptPolicy, KeptRelease};
use crate::release::Release;
use crate::signing::TrustedKeys;

use super::loads::Candidate;
use super::refusal::{Again, Refusal};
use super::status_board::Standing;

/// The most listings between two tries of a document whose every try costs as much as the first: about an hour, where nothing
/// else is set.
const MAX_LISTINGS_BETWEEN_TRIES: u32 = 64;

/// What is being loaded.
#[derive(Clone, Copy)]
pub(super) struct Begun {
    /// How often the policy had been retired by then.
    pub(super) generation: u64,
    /// Whether the same document was refused before.
    pub(super) is_retry: bool,
    /// Whether it was in force before this node started.
    pub(super) is_kept: bool,
}

/// What became of a document that was loaded.
pub(super) enum Acceptance {
    /// It decides.
    InForce,
    /// The policy was retired, or another of its documents decides that is newer or that the store holds.
    Replaced,
    /// The store holds it, but one that is newer came into force while it was being loaded.
    Replayed(Refusal),
}

/// One policy: what is stored, what is in force, what was refused.
#[derive(Default)]
pub(super) struct Known {
    /// What decides, whatever is stored.
    pub(super) in_force: Option<Arc<Release>>,
    /// The good release that was in force before: it decides while that one is quarantined. Only one is kept.
    pub(super) previous: Option<Arc<Release>>,
    /// The digest of the newest document that is being loaded, which for a moment may be another than the one that is stored.
    loading: Option<Digest>,
    /// The digest of what is stored: the bytes may be anything, and as many as the store takes.
    stored: Option<Digest>,
    /// What is in force says, and the digest of its bytes.
    document: Option<Arc<PolicyDocument>>,
    decides: Option<Digest>,
    /// The bytes of what is in force, and when its signatures were found to be enough.
    envelope: Option<(Bytes, Timestamp)>,
    /// Whether what was in force before this node started is being loaded.
    is_restoring: bool,
    /// Until when the keys are trusted that signed what was read last, where that ends.
    signatures_hold_until: Option<Moment>,
    refused: Option<RefusedRelease>,
    again: Again,
    /// Listings to let pass before the next try, where one is made seldom, and how many were let pass last time.
    listings_to_pass: u32,
    listings_passed: u32,
    highest_sequence: u64,
    /// Counts how often the policy was retired on this node: what was being loaded then may not come into force after it.
    generation: u64,
}

impl Known {
    /// Whether the store holds a document of it.
    pub(super) const fn is_stored(&self) -> bool {
        self.stored.is_some()
    }

    /// Why the document in force would not be taken any more, if it would not. It stays in force: whatever is wrong, that does.
    pub(super) fn lapsed(&self, now: Timestamp) -> Option<Refusal> {
        // Where a newer document was refused, that is what there is to know.
        let document = self.document.as_ref().filter(|_| self.refused.is_none())?;
        if let Err(error) = document.validity(now) {
            return Some(Refusal::validity(document, &error));
        }
        // Where a newer one is being loaded, that is what was read last.
        let held_until = self.signatures_hold_until.filter(|_| self.loading.is_none())?;
        (now > held_until.0).then(|| Refusal::keys_lapsed(document, held_until))
    }

    /// Whether there is nothing to be done about this very document: it was taken or refused for good, is being loaded, or is not
    /// yet due to be tried again.
    pub(super) fn is_settled(&mut self, value: &Bytes) -> bool {
        let digest = Some(Digest::of(value));
        if self.stored != digest {
            return false;
        }
        self.loading == digest
            || match self.again {
                Again::Never => true,
                Again::EveryListing => false,
                Again::Seldom => {
                    let to_pass = self.listings_to_pass.checked_sub(1);
                    self.listings_to_pass = to_pass.unwrap_or_default();
                    to_pass.is_some()
                }
            }
    }

    /// The store holds this now.
    pub(super) fn see(&mut self, value: &Bytes) {
        let digest = Some(Digest::of(value));
        if self.stored != digest {
            self.stored = digest;
            // What was wrong with another document says nothing about this one.
            self.refused = None;
            self.again = Again::Never;
            self.listings_passed = 0;
        }
    }

    /// What the store holds now is being loaded.
    pub(super) fn begin(&mut self, value: &Bytes) -> Begun {
        let is_retry = self.stored == Some(Digest::of(value));
        self.see(value);
        self.loading = self.stored;
        Begun {
            generation: self.generation,
            is_retry,
            is_kept: false,
        }
    }

    /// What was in force before this node started is being loaded. It was what the store held, as far as this node knows.
    pub(super) fn begin_kept(&mut self, value: &Bytes) -> Begun {
        self.is_restoring = true;
        Begun {
            is_retry: false,
            is_kept: true,
            ..self.begin(value)
        }
    }

    /// What this node has seen before it started.
    pub(super) fn has_seen(&mut self, sequence: u64) {
        self.highest_sequence = self.highest_sequence.max(sequence);
    }

    /// Whether something of it decides, or will when it is loaded.
    pub(super) const fn is_in_force(&self) -> bool {
        self.in_force.is_some() || self.is_restoring
    }

    /// Reads a document that was in force before this node started. That its time or that of its keys is over since does not
    /// matter, as it would not have if the node had gone on.
    pub(super) fn read_kept(
        &mut self,
        name: &PolicyName,
        kept: &KeptRelease,
        trusted: &TrustedKeys,
        now: Timestamp,
    ) -> Result<PolicyDocument, Refusal> {
        let envelope = Envelope::parse(&kept.envelope)?;
        let signed = trusted.verify(&envelope, name, now).or_else(|refusal| {
            if refusal.depends_on_the_time() {
                trusted.verify(&envelope, name, kept.taken_at)
            } else {
                Err(refusal)
            }
        })?;
        self.signatures_hold_until = signed.holds_until;
        let document = envelope.document()?;
        if document.name != *name {
            return Err(Refusal::name(name.as_str(), &document));
        }
        if document.sequence < self.highest_sequence {
            return Err(Refusal::replayed(&document, self.highest_sequence));
        }
        Ok(document)
    }

    /// What is to be in force when this node starts again.
    pub(super) fn to_keep(&self, name: &str) -> Option<KeptPolicy> {
        let in_force = self.document.as_ref().zip(self.envelope.as_ref());
        (self.highest_sequence > 0).then_some(())?;
        Some(KeptPolicy {
            name: PolicyName::parse(name).ok()?,
            sequence: self.highest_sequence,
            in_force: in_force.map(|(document, (envelope, taken_at))| KeptRelease {
                envelope: envelope.clone(),
                artifact: document.artifact,
                taken_at: *taken_at,
            }),
        })
    }

    /// Reads a document and runs every check that does not need its artifact, in their order.
    pub(super) fn read(
        &mut self,
        key: &str,
        value: &Bytes,
        trusted: &TrustedKeys,
        now: Timestamp,
    ) -> Result<PolicyDocument, Refusal> {
        let name = PolicyName::parse(key).map_err(|error| Refusal::key(&error))?;
        let envelope = Envelope::parse(value)?;
        // Nothing of the payload is looked at before it is known whose it is.
        let signed = trusted.verify(&envelope, &name, now)?;
        self.signatures_hold_until = signed.holds_until;
        let document = envelope.document()?;
        if document.name != name {
            return Err(Refusal::name(key, &document));
        }
        if document.sequence < self.highest_sequence {
            return Err(Refusal::replayed(&document, self.highest_sequence));
        }
        document
            .validity(now)
            .map_err(|error| Refusal::validity(&document, &error))?;
        Ok(document)
    }

    /// The document's release decides from now on, unless the policy was retired or another came into force while it was
    /// being loaded that is newer, or that the store holds now.
    pub(super) fn accept(&mut self, candidate: Candidate, release: Arc<Release>) -> Acceptance {
        let Candidate {
            value,
            document,
            begun,
            taken_at,
            ..
        } = candidate;
        let digest = Some(Digest::of(&value));
        self.ended(digest, begun);
        let is_stored = self.stored == digest;
        if begun.is_kept {
            // Whatever the store says by now, this was in force, unless something else is already, or the policy was retired.
            if self.generation != begun.generation || self.in_force.is_some() {
                return Acceptance::Replaced;
            }
        } else if let Some(acceptance) = self.outdated(&document, begun, is_stored) {
            return acceptance;
        }
        self.decides = digest;
        self.envelope = Some((value, taken_at));
        self.highest_sequence = document.sequence;
        self.document = Some(document);
        // One that is replaced while it is quarantined is no good release: what stood in for it goes on doing so.
        self.previous = match self.in_force.replace(release) {
            Some(replaced) if replaced.quarantine().holds() => self.previous.take(),
            replaced => replaced,
        };
        // Of a newer document that was refused meanwhile, that stays to be told.
        if is_stored {
            self.refused = None;
            self.again = Again::Never;
        }
        Acceptance::InForce
    }

    /// It is not being loaded any more.
    pub(super) fn ended(&mut self, digest: Option<Digest>, begun: Begun) {
        if self.loading == digest {
            self.loading = None;
        }
        if begun.is_kept {
            self.is_restoring = false;
        }
    }

    /// Why a document of the store that was loaded does not come into force any more.
    fn outdated(&self, document: &PolicyDocument, begun: Begun, is_stored: bool) -> Option<Acceptance> {
        if self.stored.is_none() || self.generation != begun.generation {
            return Some(Acceptance::Replaced);
        }
        if document.sequence < self.highest_sequence && is_stored {
            let refusal = Refusal::replayed(document, self.highest_sequence);
            return Some(Acceptance::Replayed(refusal));
        }
        // Two documents of one sequence are a mistake, or somebody's way round the sequence: the store's is the one.
        let stored_decides = self.decides == self.stored;
        let is_older = document.sequence <= self.highest_sequence || stored_decides;
        (!is_stored && is_older).then_some(Acceptance::Replaced)
    }

    /// The document is not taken. Says whether that is news.
    pub(super) fn refuse(&mut self, value: &Bytes, refusal: &Refusal, now: Timestamp) -> bool {
        let digest = Some(Digest::of(value));
        if self.loading == digest {
            self.loading = None;
        }
        if self.stored != digest {
            // The store holds another by now: this one is nobody's concern any more.
            return false;
        }
        self.again = refusal.again;
        if self.again == Again::Seldom {
            self.listings_to_pass = self.listings_passed;
            self.listings_passed = (2 * self.listings_passed + 1).min(MAX_LISTINGS_BETWEEN_TRIES);
        }
        let known = self
            .refused
            .as_ref()
            .is_some_and(|known| known.code == refusal.code);
        if !known {
            self.refused = Some(RefusedRelease {
                sequence: refusal.sequence,
                code: refusal.code,
                message: refusal.message.clone(),
                since: now,
            });
        }
        !known
    }

    /// The document of a policy that this node may not be without is gone from the store: what is in force stays. Says whether
    /// that is news.
    pub(super) fn vanish(&mut self, now: Timestamp) -> bool {
        let news = self.stored.take().is_some();
        if news {
            self.refused = Some(RefusedRelease {
                sequence: None,
                code: "required_policy_gone",
                message: "the document is gone from the store, but `policies.required` names the policy: its last release stays in force".to_owned(),
                since: now,
            });
        }
        news
    }

    /// The document is gone from the store. Its sequence is remembered: what comes back must not be older.
    pub(super) fn forget(&mut self) {
        *self = Self {
            highest_sequence: self.highest_sequence,
            generation: self.generation.saturating_add(1),
            ..Self::default()
        };
    }

    /// Whether there is anything to remember of it.
    pub(super) const fn is_remembered(&self) -> bool {
        self.stored.is_some() || self.in_force.is_some() || self.highest_sequence > 0
    }

    /// How it stands; none where nothing is stored.
    pub(super) fn standing(&self, name: &str) -> Option<Standing> {
        let in_force = self.in_force.as_ref().map(|release| ReleaseInForce {
            identity: Arc::clone(release.identity()),
            summary: release.policy().described().summary.clone(),
            since: release.since(),
        });
        (self.stored.is_some() || in_force.is_some()).then(|| Standing {
            status: PolicyStatus {
                name: name.into(),
                in_force,
                refused: self.refused.clone(),
                loading: self.loading.is_some(),
                quarantine: None,
            },
            in_force: self.in_force.clone(),
            previous: self.previous.clone(),
        })
    }
}
