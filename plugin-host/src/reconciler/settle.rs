//! What came of what was loaded: it comes into force, or is refused, and either is told once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::Timestamp;

use super::Reconciler;
use super::known::Acceptance;
use super::loads::{Batch, Candidate, Loaded, Releases};
use super::refusal::Refusal;

impl Reconciler {
    /// Takes in what was loaded together, by one swap of the policy set.
    pub(super) fn settle(&mut self, batch: Batch) {
        let (now, started) = (self.clock.now(), Instant::now());
        for Loaded {
            candidate,
            result,
            elapsed,
        } in batch.loaded
        {
            match result {
                Ok(releases) => self.accept(candidate, releases, now, elapsed),
                Err(refusal) => self.refuse_loaded(&candidate, refusal, now, elapsed),
            }
        }
        self.retire(batch.retiring, now, started.elapsed());
        if batch.is_first {
            self.first_batches = self.first_batches.saturating_sub(1);
        }
        self.put_in_force();
    }

    /// What was loaded comes into force, unless something else does by now.
    fn accept(&mut self, candidate: Candidate, mut releases: Releases, now: Timestamp, elapsed: Duration) {
        let Some(known) = self.known.get_mut(&candidate.name) else {
            return;
        };
        let fetched = std::mem::take(&mut releases.fetched);
        let identity = Arc::clone(releases.release.identity());
        let on_trial = releases
            .candidate
            .as_ref()
            .map(|release| Arc::clone(release.identity()));
        let (name, value) = (candidate.name.clone(), candidate.value.clone());
        match known.accept(candidate, releases, &self.rollouts) {
            Acceptance::InForce => {}
            Acceptance::Replaced => {
                tracing::info!(
                    policy.name = name,
                    policy.sequence = identity.sequence,
                    "the policy was replaced while it was being loaded"
                );
                return;
            }
            Acceptance::Replayed(refusal) => {
                self.refuse(&name, &value, &refusal, now, elapsed);
                return;
            }
        }
        if !self.supervision.is_enabled() {
            // Nothing would ever run it.
            known.previous = None;
        }
        let lapsed = known.lapsed(now);
        if let Some(keeping) = &self.keeping {
            for artifact in fetched {
                keeping.state.keep_artifact(artifact);
            }
        }
        tracing::info!(
            policy.name = name,
            policy.version = &*identity.version,
            policy.sequence = identity.sequence,
            policy.digest = &*identity.digest,
            candidate.version = on_trial.as_ref().map(|on_trial| &*on_trial.version),
            candidate.digest = on_trial.as_ref().map(|on_trial| &*on_trial.digest),
            elapsed_us = elapsed.as_micros(),
            "the policy is loaded"
        );
        self.metrics.loaded("in_force", elapsed);
        if let Some(refusal) = lapsed {
            // It was in force before this node started, and its time was over by then.
            self.refuse(&name, &value, &refusal, now, elapsed);
        }
    }

    /// What was to be loaded is not taken.
    fn refuse_loaded(&mut self, candidate: &Candidate, refusal: Refusal, now: Timestamp, elapsed: Duration) {
        let Candidate {
            name, value, begun, ..
        } = candidate;
        if !begun.is_kept {
            return self.refuse(name, value, &refusal, now, elapsed);
        }
        if refusal.is_of_the_disk() {
            self.is_torn();
        }
        self.refuse(name, value, &refusal.until_the_store_answers(), now, elapsed);
    }

    /// A document is not taken.
    pub(super) fn refuse(
        &mut self,
        name: &str,
        value: &Bytes,
        refusal: &Refusal,
        now: Timestamp,
        elapsed: Duration,
    ) {
        let Some(known) = self.known.get_mut(name) else {
            return;
        };
        if known.refuse(value, refusal, now) {
            tracing::warn!(
                policy.name = name,
                policy.sequence = refusal.sequence,
                code = refusal.code,
                error = refusal.message,
                in_force = known.in_force.as_ref().map(|release| release.identity().sequence),
                "the policy was refused; what is in force stays"
            );
            self.metrics.loaded(refusal.code, elapsed);
        }
    }
}
