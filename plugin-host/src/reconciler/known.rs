//! What this node knows of one policy.

mod taking;

use std::sync::Arc;

use application::ports::{PolicyStatus, RefusedRelease, ReleaseInForce, RetirementInForce};
use bytes::Bytes;
use domain::Timestamp;

use crate::digest::Digest;
use crate::document::{Moment, PolicyDocument, PolicyName, Statement};
use crate::envelope::Envelope;
use crate::fleet::DOCUMENT_GONE;
use crate::node_state::{KeptPolicy, KeptRelease};
use crate::release::Release;
use crate::rollout::Rollout;
use crate::signing::TrustedKeys;

use super::refusal::{Again, Refusal};
use super::status_board::Standing;

/// The most listings between two tries of a document whose every try costs as much as the first: about an hour, where nothing
/// else is set.
const MAX_LISTINGS_BETWEEN_TRIES: u32 = 64;

/// What is being loaded.
#[derive(Clone, Copy)]
pub(super) struct Begun {
    /// Whether the same document was refused before.
    pub(super) is_retry: bool,
    /// Whether it was in force before this node started.
    pub(super) is_kept: bool,
}

/// What became of a document that was loaded, or that retires its policy.
pub(super) enum Acceptance {
    /// It decides; or nothing does, as it says.
    InForce,
    /// Another of the policy's documents holds that is newer or that the store has.
    Replaced,
    /// The store has it, but one that is newer was taken while it was being loaded.
    Replayed(Refusal),
}

/// One policy: what is stored, what is in force, what was refused.
#[derive(Default)]
pub(super) struct Known {
    /// What decides, whatever is stored.
    pub(super) in_force: Option<Arc<Release>>,
    /// That nothing does, as the newest document that was taken says.
    retired: Option<RetirementInForce>,
    /// The good release that was in force before: it decides while that one is quarantined. Only one is kept.
    pub(super) previous: Option<Arc<Release>>,
    /// The candidate on trial.
    pub(super) rollout: Option<Arc<Rollout>>,
    /// The digest of the newest document that is being loaded, which for a moment may be another than the one that is stored.
    loading: Option<Digest>,
    /// The digest of what is stored: the bytes may be anything, and as many as the store takes.
    stored: Option<Digest>,
    /// What is in force says.
    document: Option<Arc<PolicyDocument>>,
    /// The digest of the newest document that was taken, be it of a release or a retirement.
    decides: Option<Digest>,
    /// The bytes of what is in force, and when its signatures were found to be enough.
    envelope: Option<(Bytes, Timestamp)>,
    /// Until when the keys are trusted that signed what was read last, where that ends.
    signatures_hold_until: Option<Moment>,
    refused: Option<RefusedRelease>,
    again: Again,
    /// Listings to let pass before the next try, where one is made seldom, and how many were let pass last time.
    listings_to_pass: u32,
    listings_passed: u32,
    highest_sequence: u64,
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
            is_retry,
            is_kept: false,
        }
    }

    /// What was in force before this node started is being loaded. It was what the store held, as far as this node knows.
    pub(super) fn begin_kept(&mut self, value: &Bytes) -> Begun {
        self.begin(value);
        Begun {
            is_retry: false,
            is_kept: true,
        }
    }

    /// What this node has seen before it started.
    pub(super) fn has_seen(&mut self, sequence: u64) {
        self.highest_sequence = self.highest_sequence.max(sequence);
    }

    /// Reads a document that was in force before this node started. That its time or that of its keys is over since does not
    /// matter, as it would not have if the node had gone on.
    pub(super) fn read_kept(
        &mut self,
        name: &PolicyName,
        kept: &KeptRelease,
        trusted: &TrustedKeys,
        now: Timestamp,
    ) -> Result<Box<PolicyDocument>, Refusal> {
        let envelope = Envelope::parse(&kept.envelope)?;
        let signed = trusted.verify(&envelope, name, now).or_else(|refusal| {
            if refusal.depends_on_the_time() {
                trusted.verify(&envelope, name, kept.taken_at)
            } else {
                Err(refusal)
            }
        })?;
        self.signatures_hold_until = signed.holds_until;
        match self.statement(name, &envelope)? {
            Statement::Release(document) => Ok(document),
            // It is not kept.
            Statement::Retirement(_) => Err(Refusal::artifact_not_kept()),
        }
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
                artifacts: document.artifacts().copied().collect(),
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
    ) -> Result<Statement, Refusal> {
        let name = PolicyName::parse(key).map_err(|error| Refusal::key(&error))?;
        let envelope = Envelope::parse(value)?;
        // Nothing of the payload is looked at before it is known whose it is.
        let signed = trusted.verify(&envelope, &name, now)?;
        self.signatures_hold_until = signed.holds_until;
        let statement = self.statement(&name, &envelope)?;
        if let Statement::Release(document) = &statement {
            document
                .validity(now)
                .map_err(|error| Refusal::validity(document, &error))?;
        }
        Ok(statement)
    }

    /// What an envelope says whose signatures are enough: of this policy, and nothing older than what this node has seen.
    fn statement(&self, name: &PolicyName, envelope: &Envelope) -> Result<Statement, Refusal> {
        let statement = envelope.statement()?;
        if statement.name() != name {
            return Err(Refusal::name(name.as_str(), &statement));
        }
        if statement.sequence() < self.highest_sequence {
            return Err(Refusal::replayed(statement.sequence(), self.highest_sequence));
        }
        Ok(statement)
    }

    /// The document is not taken. Says whether that is news.
    pub(super) fn refuse(&mut self, value: &Bytes, refusal: &Refusal, now: Timestamp) -> bool {
        let digest = Some(Digest::of(value));
        self.ended(digest);
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

    /// The document is gone from the store. That is no statement of anybody, so what holds goes on holding. Says whether a
    /// release decides on without its document, and that is news.
    pub(super) fn vanish(&mut self, now: Timestamp) -> bool {
        if self.stored.take().is_none() {
            return false;
        }
        // What was wrong with a document that is not there any more is nobody's concern.
        self.again = Again::Never;
        self.refused = self.in_force.as_ref().map(|_| gone(now));
        self.refused.is_some()
    }

    /// Whether there is anything to remember of it.
    pub(super) const fn is_remembered(&self) -> bool {
        self.stored.is_some() || self.in_force.is_some() || self.highest_sequence > 0
    }

    /// How it stands; none where there is nothing to be told of it.
    pub(super) fn standing(&self, name: &str) -> Option<Standing> {
        let in_force = self.in_force.as_ref().map(|release| ReleaseInForce {
            identity: Arc::clone(release.identity()),
            summary: release.policy().described().summary.clone(),
            since: release.since(),
        });
        let is_told =
            self.stored.is_some() || self.loading.is_some() || in_force.is_some() || self.retired.is_some();
        is_told.then(|| Standing {
            status: PolicyStatus {
                name: name.into(),
                in_force,
                refused: self.refused.clone(),
                loading: self.loading.is_some(),
                quarantine: None,
                retired: self.retired.clone(),
                highest_sequence: self.highest_sequence,
                candidate: None,
            },
            in_force: self.in_force.clone(),
            previous: self.previous.clone(),
            rollout: self.rollout.clone(),
        })
    }
}

/// A release decides on although its document is gone from the store.
fn gone(since: Timestamp) -> RefusedRelease {
    RefusedRelease {
        sequence: None,
        code: DOCUMENT_GONE,
        message: "the document is gone from the store, which retires nothing: its last release stays in force; publish it again, or retire the policy with `portcullis policy retire`".to_owned(),
        since,
    }
}
