//! What this node knows of one policy.

use std::sync::Arc;

use application::ports::{PolicyStatus, RefusedRelease, ReleaseInForce};
use bytes::Bytes;
use domain::Timestamp;

use crate::digest::Digest;
use crate::document::{Moment, PolicyDocument, PolicyName};
use crate::envelope::Envelope;
use crate::release::Release;
use crate::rollout::{Rollout, Rollouts};
use crate::signing::TrustedKeys;

use super::loads::{Candidate, Releases};
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
    /// The candidate on trial.
    pub(super) rollout: Option<Arc<Rollout>>,
    /// The digest of the newest document that is being loaded, which for a moment may be another than the one that is stored.
    loading: Option<Digest>,
    /// The digest of what is stored: the bytes may be anything, and as many as the store takes.
    stored: Option<Digest>,
    /// What is in force says, and the digest of its bytes.
    document: Option<Arc<PolicyDocument>>,
    decides: Option<Digest>,
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
        }
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

    /// The document's releases decide from now on, unless the policy was retired or another came into force while it was
    /// being loaded that is newer, or that the store holds now.
    pub(super) fn accept(
        &mut self,
        candidate: Candidate,
        releases: Releases,
        rollouts: &Rollouts,
    ) -> Acceptance {
        let Candidate {
            value,
            document,
            begun,
            ..
        } = candidate;
        let digest = Some(Digest::of(&value));
        if self.loading == digest {
            self.loading = None;
        }
        if self.stored.is_none() || self.generation != begun.generation {
            return Acceptance::Replaced;
        }
        let is_stored = self.stored == digest;
        if document.sequence < self.highest_sequence && is_stored {
            return Acceptance::Replayed(Refusal::replayed(&document, self.highest_sequence));
        }
        // Two documents of one sequence are a mistake, or somebody's way round the sequence: the store's is the one.
        let stored_decides = self.decides == self.stored;
        if !is_stored && (document.sequence <= self.highest_sequence || stored_decides) {
            return Acceptance::Replaced;
        }
        self.decides = digest;
        self.highest_sequence = document.sequence;
        self.put_in_force(&document, releases, rollouts);
        self.document = Some(document);
        // Of a newer document that was refused meanwhile, that stays to be told.
        if is_stored {
            self.refused = None;
            self.again = Again::Never;
        }
        Acceptance::InForce
    }

    fn put_in_force(&mut self, document: &PolicyDocument, releases: Releases, rollouts: &Rollouts) {
        let Releases {
            release,
            candidate,
            noted,
        } = releases;
        let before = self.rollout.take();
        self.rollout = candidate
            .and_then(|candidate| {
                rollouts.begin(document, Arc::new(candidate), before.as_deref(), noted.as_ref())
            })
            .map(Arc::new);
        let of_the_candidate_alone = self
            .document
            .as_ref()
            .is_some_and(|before| document.differs_by_its_candidate_alone_from(before));
        match self.in_force.take() {
            // To payments it is the same release as before: whether it is quarantined, and what stands in for it, stays.
            Some(before) if of_the_candidate_alone => self.in_force = Some(Arc::new(release.continuing(&before))),
            // One that is replaced while it is quarantined is no good release: what stood in for it goes on doing so.
            Some(replaced) if replaced.quarantine().holds() => self.in_force = Some(Arc::new(release)),
            replaced => {
                self.previous = replaced;
                self.in_force = Some(Arc::new(release));
            }
        }
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
                candidate: None,
            },
            in_force: self.in_force.clone(),
            previous: self.previous.clone(),
            rollout: self.rollout.clone(),
        })
    }
}
