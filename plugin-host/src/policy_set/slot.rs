//! One policy's place in the set: the release in force, the one before it for the time of a quarantine, and the candidate.

use std::sync::Arc;
use std::time::Duration;

use domain::payment::PaymentDetails;
use domain::risk::{EvaluationResult, FaultKind, PolicyEvaluation};

use crate::lane::Lane;
use crate::quarantine::{Episode, Probe, ProbeResult};
use crate::release::Release;
use crate::rollout::Rollout;

use super::beside::OnTrial;
use super::{Entry, OwnedRequest};

/// A release that is to be in force, and the good one that was before it.
pub(crate) struct InForce {
    /// Decides as long as it is healthy.
    pub(crate) release: Arc<Release>,
    /// Decides in its place while it is quarantined.
    pub(crate) previous: Option<Arc<Release>>,
    /// Is on trial beside it.
    pub(crate) candidate: Option<Arc<Rollout>>,
}

/// The same in the set.
pub(super) struct Slot {
    pub(super) current: Arc<Entry>,
    pub(super) previous: Option<Arc<Entry>>,
    pub(super) candidate: Option<OnTrial>,
}

/// What a policy has to say about a payment comes from here.
pub(super) enum Decides<'a> {
    /// Out of scope.
    Nobody,
    /// This release, which is run.
    Release(&'a Arc<Entry>),
    /// The failure mode of the release in force: it is quarantined, and nothing is there to run in its place.
    FailureMode(&'a Release),
}

impl Slot {
    /// Whether the release in force is quarantined.
    pub(super) fn is_quarantined(&self) -> bool {
        self.current.release.quarantine().holds()
    }

    /// Who decides. The scope is that of whoever does.
    pub(super) fn decides(&self, details: &PaymentDetails) -> Decides<'_> {
        if let Some(candidate) = &self.candidate
            && candidate.rollout.decides(details)
        {
            return Decides::Release(&candidate.entry);
        }
        let stands_in = if self.is_quarantined() {
            self.stands_in()
        } else {
            Some(&self.current)
        };
        match stands_in {
            Some(entry) if entry.release.includes(details) => Decides::Release(entry),
            None if self.current.release.includes(details) => Decides::FailureMode(&self.current.release),
            _ => Decides::Nobody,
        }
    }

    /// The release that decides while the one in force is quarantined, unless it is so too.
    fn stands_in(&self) -> Option<&Arc<Entry>> {
        self.previous
            .as_ref()
            .filter(|previous| !previous.release.quarantine().holds())
    }

    /// The quarantined releases that are due to be tried on this payment.
    pub(super) fn probes(&self, details: &PaymentDetails) -> impl Iterator<Item = (&Arc<Entry>, Probe)> {
        [Some(&self.current), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .filter(|entry| entry.release.includes(details))
            .filter_map(|entry| Some((entry, entry.release.quarantine().probe()?)))
    }

    /// Counts an evaluation that stands, of the release that gave it.
    pub(super) fn evaluated(&self, entry: &Arc<Entry>, evaluation: &PolicyEvaluation) {
        if let Some(candidate) = &self.candidate
            && Arc::ptr_eq(&candidate.entry, entry)
        {
            let took = Duration::from_nanos(evaluation.elapsed_ns);
            candidate.rollout.evaluated(fault(evaluation), took);
            return;
        }
        if let Some(episode) = entry.release.quarantine().evaluated(fault(evaluation)) {
            let instead = self.stands_in().filter(|other| !Arc::ptr_eq(other, entry));
            began(&entry.release, &episode, instead.map(|instead| &*instead.release));
        }
    }
}

pub(super) fn fault(evaluation: &PolicyEvaluation) -> Option<FaultKind> {
    match &evaluation.result {
        EvaluationResult::Verdict(_) => None,
        EvaluationResult::Fault { fault, .. } => Some(fault.kind),
    }
}

/// Tries a quarantined release on a payment that does not wait for it. What comes of it is counted; what it says is not heard.
pub(super) fn send_probe(
    lane: &Lane,
    entry: &Arc<Entry>,
    probe: Probe,
    request: &Arc<OwnedRequest>,
    reads_metadata: bool,
) {
    let (tried, request) = (Arc::clone(entry), Arc::clone(request));
    let job = move || {
        let called = tried.call_in_lane(&request, reads_metadata);
        let fault = called.result.as_ref().err();
        let result = ProbeResult::of(fault.map(|fault| fault.kind));
        if let Some(fault) = fault {
            let identity = tried.release.identity();
            tracing::debug!(
                policy.name = &*identity.name,
                policy.sequence = identity.sequence,
                policy.digest = &*identity.digest,
                fault = fault.kind.as_str(),
                detail = &*fault.detail,
                "a probe of the quarantined policy faulted"
            );
        }
        tried.release.metrics().probed(result);
        if let Some(episode) = probe.finish(result) {
            ended(&tried.release, &episode);
        }
    };
    if lane.submit(job).is_err() {
        entry.release.metrics().probed(ProbeResult::Unavailable);
    }
}

fn began(release: &Release, episode: &Episode, instead: Option<&Release>) {
    release.metrics().quarantined();
    let identity = release.identity();
    tracing::warn!(
        policy.name = &*identity.name,
        policy.sequence = identity.sequence,
        policy.digest = &*identity.digest,
        faults = episode.faults,
        evaluations = episode.evaluations,
        fault = episode.last_fault.as_str(),
        instead = if instead.is_some() {
            "release"
        } else {
            "failure_mode"
        },
        instead.sequence = instead.map(|instead| instead.identity().sequence),
        instead.digest = instead.map(|instead| &*instead.identity().digest),
        "the policy faulted too often and is quarantined"
    );
}

fn ended(release: &Release, episode: &Episode) {
    let identity = release.identity();
    tracing::info!(
        policy.name = &*identity.name,
        policy.sequence = identity.sequence,
        policy.digest = &*identity.digest,
        faults = episode.faults,
        evaluations = episode.evaluations,
        since = episode.since.unix_millis(),
        "the quarantine of the policy is over: it answers again"
    );
}
