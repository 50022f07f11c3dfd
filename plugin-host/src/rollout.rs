//! A rollout on this node: the candidate of a document beside the release in force.
//!
//! In *shadow* the candidate is run beside payments that do not wait for it, and its answers are only compared. In *canary* it
//! decides about the payments of a share of all cards, and the release in force is run beside those. When a gate is crossed the
//! candidate is *sent back*: from the next payment on the release in force decides alone, until another document says
//! otherwise.

mod buckets;
mod differences;
mod durations;
mod gate;
mod progress;
mod record;
mod records;
mod window;

pub(crate) use differences::Said;
pub(crate) use gate::Gate;
pub(crate) use record::{Counts, RolloutRecord};
pub(crate) use records::{KeptRecords, NoRecords, RolloutRecords};

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use application::ports::{CandidateOnTrial, Clock, SentBackCandidate};
use bytes::Bytes;
use domain::PaymentId;
use domain::payment::PaymentDetails;
use domain::risk::{Fault, FaultKind};
use serde_json::Value;
use tokio::sync::Notify;

use crate::digest::Digest;
use crate::document::{Candidate, PolicyDocument, Stage};
use crate::lane::Lane;
use crate::metrics::{HostMetrics, RolloutFamilies, RolloutMetrics};
use crate::pace::Pace;
use crate::quarantine::{Episode, speaks_against_the_release};
use crate::release::Release;
use crate::sandbox::Secrets;

use buckets::Buckets;
use differences::Differences;
use progress::{Compared, Progress};

/// What the rollouts of a node have in common.
pub(crate) struct Rollouts {
    pub(crate) clock: Arc<dyn Clock>,
    /// Told whenever a candidate is sent back.
    pub(crate) changed: Arc<Notify>,
    pub(crate) metrics: HostMetrics,
}

/// A candidate on trial.
pub(crate) struct Rollout {
    release: Arc<Release>,
    stage: Stage,
    trial: Digest,
    buckets: Buckets,
    progress: Arc<Progress>,
    /// How long evaluations beside payments take, which come after everything else on the node.
    pace: Pace,
    /// Evaluations beside payments that wait or are under way.
    beside: AtomicU32,
    metrics: RolloutMetrics,
    clock: Arc<dyn Clock>,
    changed: Arc<Notify>,
}

/// The right to run something beside a payment. Given back when dropped.
pub(crate) struct Place(Arc<Rollout>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.beside.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Place {
    /// Whose it is.
    pub(crate) const fn rollout(&self) -> &Arc<Rollout> {
        &self.0
    }
}

impl Rollouts {
    /// The rollout of a document's candidate. It goes on from the one before, or from what was noted of it before a restart,
    /// where the same is on trial. `release` is the candidate's.
    pub(crate) fn begin(
        &self,
        document: &PolicyDocument,
        release: Arc<Release>,
        before: Option<&Rollout>,
        noted: Option<&Bytes>,
    ) -> Option<Rollout> {
        let Candidate { stage, gates, .. } = document.candidate.as_ref()?;
        let trial = trial(document);
        let goes_on = before
            .filter(|before| before.trial == trial)
            .filter(|before| before.sequence() == document.sequence || !before.is_sent_back());
        let progress = match goes_on {
            Some(before) => Arc::clone(&before.progress),
            None => {
                let noted = noted
                    .and_then(|noted| RolloutRecord::parse(noted))
                    // One that was sent back stays so under its own sequence, and begins anew under another.
                    .filter(|noted| noted.trial == trial)
                    .filter(|noted| noted.sequence == document.sequence || noted.sent_back.is_none())
                    .filter(|_| before.is_none());
                let now = self.clock.now();
                let (counts, sent_back) = noted.map_or_else(
                    || (Counts::none_since(now), None),
                    |noted| (noted.counts, noted.sent_back),
                );
                Arc::new(Progress::counting_on(*gates, &counts, sent_back))
            }
        };
        let name = document.name.as_str();
        Some(Rollout {
            buckets: Buckets::of(name),
            metrics: self.metrics.rollouts().of(name),
            clock: Arc::clone(&self.clock),
            changed: Arc::clone(&self.changed),
            pace: Pace::default(),
            beside: AtomicU32::new(0),
            stage: *stage,
            release,
            trial,
            progress,
        })
    }
}

/// What a document says of a candidate's trial that is no part of it: when, by whom and under which name it was published, and
/// how large the share is.
const NO_PART_OF_THE_TRIAL: [&str; 7] = [
    "sequence",
    "version",
    "priority",
    "not_before",
    "not_after",
    "published_at",
    "publisher",
];

/// What is on trial against what, by which gates. Where that is equal, counts go on.
fn trial(document: &PolicyDocument) -> Digest {
    // It was written by this program, so it can be read.
    let mut what: Value = serde_json::from_slice(&document.to_json()).unwrap_or_default();
    if let Some(fields) = what.as_object_mut() {
        for field in NO_PART_OF_THE_TRIAL {
            fields.remove(field);
        }
    }
    if let Some(candidate) = what.get_mut("candidate").and_then(Value::as_object_mut) {
        candidate.remove("version");
        candidate.remove("percent");
    }
    Digest::of(what.to_string().as_bytes())
}

impl Rollout {
    /// The candidate's release.
    pub(crate) const fn release(&self) -> &Arc<Release> {
        &self.release
    }

    /// The sequence of its document.
    fn sequence(&self) -> u64 {
        self.release.identity().sequence
    }

    /// Whether a gate was crossed, so that it is not run any more.
    pub(crate) fn is_sent_back(&self) -> bool {
        self.progress.sent_back().is_some()
    }

    /// Whether the candidate decides about this payment: its card is in the share of a canary. One without a card is decided by the
    /// release in force.
    pub(crate) fn decides(&self, details: &PaymentDetails) -> bool {
        let Stage::Canary(share) = self.stage else {
            return false;
        };
        let Some(card) = &details.card else {
            return false;
        };
        !self.is_sent_back() && self.release.includes(details) && self.buckets.takes(share, &card.fingerprint)
    }

    /// Whether the candidate is run beside this payment: it is in the share of a shadow.
    pub(crate) fn shadows(&self, payment_id: &PaymentId, details: &PaymentDetails) -> bool {
        let Stage::Shadow(share) = self.stage else {
            return false;
        };
        !self.is_sent_back()
            && self.release.includes(details)
            && self.buckets.takes(share, payment_id.as_str())
    }

    /// A place to run something beside a payment. Without one it is dropped, and counted as that: a candidate that takes its time
    /// must not take the threads from those of other policies.
    pub(crate) fn enter(self: &Arc<Self>, lane: &Lane) -> Option<Place> {
        let places = lane.places(self.pace.usual());
        // Counted first and given back by the place itself, so that two that come at once cannot both take the last one.
        let place = Place(Arc::clone(self));
        if self.beside.fetch_add(1, Ordering::Relaxed) < places {
            return Some(place);
        }
        drop(place);
        self.dropped();
        None
    }

    /// There was no room to run something beside a payment.
    pub(crate) fn dropped(&self) {
        self.progress.dropped();
        self.metrics.dropped();
    }

    /// Something was run beside a payment, for so long by the clock on the wall.
    pub(crate) fn took(&self, elapsed: Duration) {
        self.pace.took(elapsed);
    }

    /// Counts an evaluation of the candidate. Where it speaks against it, it may be the last one.
    pub(crate) fn evaluated(&self, fault: Option<FaultKind>, took: Duration) {
        if fault.is_some_and(|kind| !speaks_against_the_release(kind)) {
            return;
        }
        self.metrics.evaluated(self.stage, fault);
        if let Some(episode) = self.release.quarantine().evaluated(fault) {
            self.quarantined(&episode);
        }
        if let Some(crossed) = self.progress.evaluated(fault.is_some(), took) {
            self.send_back(crossed);
        }
    }

    /// A candidate has no probes: what faults as often as no release may is not tried again before another document says so.
    fn quarantined(&self, episode: &Episode) {
        let crossed = self.progress.quarantined(episode.evaluations, episode.faults);
        self.send_back(crossed);
    }

    /// The candidate gave no answer beside a payment; its author needs the detail.
    pub(crate) fn log_fault(&self, fault: &Fault) {
        if !speaks_against_the_release(fault.kind) {
            return;
        }
        let Some(unlogged) = self.progress.fault_log.admit() else {
            return;
        };
        let identity = self.release.identity();
        tracing::warn!(
            policy.name = &*identity.name,
            policy.version = &*identity.version,
            policy.sequence = identity.sequence,
            policy.digest = &*identity.digest,
            fault = fault.kind.as_str(),
            detail = &*fault.detail,
            unlogged,
            "the candidate gave no answer beside a payment, which has that of the release in force"
        );
    }

    /// Compares what both said about a payment.
    pub(crate) fn compare<'a>(
        &self,
        payment_id: &PaymentId,
        in_force: Said,
        candidate: Said,
        secrets: impl FnOnce() -> Secrets<'a>,
    ) {
        let is_comparable = |said: &Said| said.fault.is_none_or(speaks_against_the_release);
        if !is_comparable(&in_force) || !is_comparable(&candidate) {
            return;
        }
        self.metrics.compared(in_force.outcome, candidate.outcome);
        let compared = if in_force.outcome != candidate.outcome {
            Compared::Differs
        } else if in_force.score != candidate.score {
            Compared::Rescored
        } else {
            Compared::Same
        };
        if compared == Compared::Differs && !self.is_sent_back() {
            self.sample(payment_id, in_force, candidate, &secrets());
        }
        if let Some(crossed) = self.progress.compared(compared) {
            self.send_back(crossed);
        }
    }

    fn sample(&self, payment_id: &PaymentId, in_force: Said, candidate: Said, secrets: &Secrets<'_>) {
        let differences = &self.progress.differences;
        if let Some(unlogged) = differences.log.admit() {
            let identity = self.release.identity();
            tracing::info!(
                policy.name = &*identity.name,
                policy.version = &*identity.version,
                policy.sequence = identity.sequence,
                policy.digest = &*identity.digest,
                payment.id = payment_id.as_str(),
                in_force.outcome = in_force.outcome.as_str(),
                candidate.outcome = candidate.outcome.as_str(),
                unlogged,
                "the candidate decides otherwise than the release in force"
            );
        }
        let now = self.clock.now();
        differences.keep(Differences::of(
            payment_id.as_str(),
            now,
            in_force,
            candidate,
            secrets,
        ));
    }

    fn send_back(&self, crossed: gate::Crossed) {
        let Some(sent_back) = self.progress.send_back(crossed, self.clock.now()) else {
            return;
        };
        self.metrics.sent_back(sent_back.gate);
        let identity = self.release.identity();
        tracing::warn!(
            policy.name = &*identity.name,
            policy.version = &*identity.version,
            policy.sequence = identity.sequence,
            policy.digest = &*identity.digest,
            stage = self.stage.as_str(),
            gate = sent_back.gate.as_str(),
            reason = &*sent_back.reason,
            "the candidate was sent back; the release in force decides alone"
        );
        self.changed.notify_one();
    }

    /// Shows its share among the numbers.
    pub(crate) fn show(&self, families: &RolloutFamilies) {
        let identity = self.release.identity();
        let percent = if self.is_sent_back() { 0.0 } else { self.percent() };
        families.show(&identity.name, self.stage.as_str(), percent);
    }

    fn percent(&self) -> f64 {
        f64::from(self.stage.percent().hundredths()) / 100.0
    }

    /// How it stands.
    pub(crate) fn status(&self) -> CandidateOnTrial {
        let counts = self.progress.counts();
        let sent_back = self.progress.sent_back().map(|sent_back| SentBackCandidate {
            gate: sent_back.gate.as_str(),
            since: sent_back.since,
            reason: sent_back.reason.clone(),
        });
        CandidateOnTrial {
            identity: Arc::clone(self.release.identity()),
            stage: self.stage.as_str(),
            percent: self.percent(),
            since: counts.since.0,
            sent_back,
            evaluations: counts.evaluations,
            faults: counts.faults,
            p99_us: self.progress.p99_us(),
            compared: counts.compared,
            differing: counts.differing,
            rescored: counts.rescored,
            dropped: counts.dropped,
            differences: self.progress.differences.last(),
        }
    }

    /// What is to be noted of it.
    pub(crate) fn record(&self) -> RolloutRecord {
        RolloutRecord {
            sequence: self.sequence(),
            trial: self.trial,
            sent_back: self.progress.sent_back().cloned(),
            counts: self.progress.counts(),
        }
    }
}

#[cfg(test)]
mod tests;
