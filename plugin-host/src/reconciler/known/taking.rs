//! What becomes of a document whose releases are loaded, or that retires its policy: whether it holds, and what follows from that.

use std::sync::Arc;

use application::ports::RetirementInForce;
use bytes::Bytes;
use domain::Timestamp;

use super::super::loads::{Candidate, Releases, Retiring};
use super::super::refusal::{Again, Refusal};
use super::{Acceptance, Known, gone};
use crate::digest::Digest;
use crate::document::PolicyDocument;
use crate::rollout::Rollouts;

impl Known {
    /// Whether a document that was read before may hold from now on. Not when another was taken meanwhile that is newer, or that
    /// the store has now; that the store has none any more says nothing against it.
    fn take(&mut self, value: &Bytes, sequence: u64) -> Acceptance {
        let digest = Some(Digest::of(value));
        self.ended(digest);
        let is_stored = self.stored == digest;
        if sequence < self.highest_sequence && is_stored {
            return Acceptance::Replayed(Refusal::replayed(sequence, self.highest_sequence));
        }
        // Two documents of one sequence are a mistake, or somebody's way round the sequence: the store's is the one.
        let stored_decides = self.stored.is_some() && self.decides == self.stored;
        if !is_stored && (sequence <= self.highest_sequence || stored_decides) {
            return Acceptance::Replaced;
        }
        self.highest_sequence = sequence;
        self.holds(digest)
    }

    /// The same of one that was in force before this node started. Whatever the store says by now, it holds again, unless something
    /// else does already.
    fn take_again(&mut self, value: &Bytes) -> Acceptance {
        let digest = Some(Digest::of(value));
        self.ended(digest);
        if self.decides.is_some() {
            return Acceptance::Replaced;
        }
        self.holds(digest)
    }

    /// It holds from now on.
    fn holds(&mut self, digest: Option<Digest>) -> Acceptance {
        self.decides = digest;
        // Of a newer document that was refused meanwhile, that stays to be told.
        if self.stored == digest {
            self.refused = None;
            self.again = Again::Never;
        }
        Acceptance::InForce
    }

    /// It is not being loaded any more.
    pub(super) fn ended(&mut self, digest: Option<Digest>) {
        if self.loading == digest {
            self.loading = None;
        }
    }

    /// The document's releases decide from now on, unless another holds.
    pub(in crate::reconciler) fn accept(
        &mut self,
        candidate: Candidate,
        releases: Releases,
        rollouts: &Rollouts,
    ) -> Acceptance {
        let Candidate {
            value,
            document,
            begun,
            taken_at,
            ..
        } = candidate;
        let acceptance = if begun.is_kept {
            self.take_again(&value)
        } else {
            self.take(&value, document.sequence)
        };
        if !matches!(acceptance, Acceptance::InForce) {
            return acceptance;
        }
        if self.stored.is_none() {
            self.refused = Some(gone(releases.release.since()));
        }
        self.put_in_force(&document, releases, rollouts);
        self.envelope = Some((value, taken_at));
        self.document = Some(document);
        self.retired = None;
        acceptance
    }

    /// Nothing decides from now on, as the document says, unless another holds.
    pub(in crate::reconciler) fn retire(&mut self, retiring: &Retiring, now: Timestamp) -> Acceptance {
        let Retiring {
            value, retirement, ..
        } = retiring;
        let acceptance = self.take(value, retirement.sequence);
        if matches!(acceptance, Acceptance::InForce) {
            self.in_force = None;
            self.previous = None;
            self.rollout = None;
            self.document = None;
            self.envelope = None;
            self.retired = Some(RetirementInForce {
                sequence: retirement.sequence,
                reason: retirement.reason.as_ref().map(|reason| reason.as_str().into()),
                since: now,
            });
        }
        acceptance
    }

    fn put_in_force(&mut self, document: &PolicyDocument, releases: Releases, rollouts: &Rollouts) {
        let Releases {
            release,
            candidate,
            noted,
            // Kept by the caller.
            fetched: _,
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
            Some(before) if of_the_candidate_alone => {
                self.in_force = Some(Arc::new(release.continuing(&before)))
            }
            // One that is replaced while it is quarantined is no good release: what stood in for it goes on doing so.
            Some(replaced) if replaced.quarantine().holds() => self.in_force = Some(Arc::new(release)),
            replaced => {
                self.previous = replaced;
                self.in_force = Some(Arc::new(release));
            }
        }
    }
}
