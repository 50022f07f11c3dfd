//! The policy set: all releases in force, as one immutable whole.

mod beside;
mod slot;

pub(crate) use slot::InForce;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use application::ports::PolicySnapshot;
use async_trait::async_trait;
use domain::feature::{FeatureSpec, FeatureValue};
use domain::payment::PaymentDetails;
use domain::risk::{PolicyEvaluation, RiskRequest, Verdict};
use domain::{PaymentId, Timestamp};

use crate::contract::request::PaymentView;
use crate::document::PaymentPart;
use crate::lane::{Lane, LaneFull};
use crate::pace::SLICE;
use crate::release::Release;
use crate::sandbox::Called;

use beside::{Beside, OnTrial};
use slot::{Decides, Slot, send_probe};

/// After so much computing on its thread a payment lets others have a turn.
const TURN: Duration = SLICE;

/// The releases in force, in the order they run, and what they ask for together.
pub(crate) struct PolicySet {
    revision: u64,
    slots: Vec<Slot>,
    features: Vec<FeatureSpec>,
    reads_metadata: bool,
    lane: Arc<Lane>,
    /// For what is run beside payments.
    beside: Arc<Lane>,
}

/// A release, and which of the set's features are its own, in its order.
struct Entry {
    release: Arc<Release>,
    features: Box<[usize]>,
}

/// A payment for the lane, which outlives the borrow of the request.
struct OwnedRequest {
    payment_id: PaymentId,
    details: PaymentDetails,
    created_at: Timestamp,
    features: Box<[FeatureValue]>,
}

impl OwnedRequest {
    fn new(request: &RiskRequest<'_>, features: &[FeatureValue]) -> Arc<Self> {
        Arc::new(Self {
            payment_id: request.payment_id.clone(),
            details: request.details.clone(),
            created_at: request.created_at,
            features: features.into(),
        })
    }

    fn borrow(&self) -> RiskRequest<'_> {
        RiskRequest {
            payment_id: &self.payment_id,
            details: &self.details,
            created_at: self.created_at,
        }
    }
}

impl Entry {
    /// Runs the policy with its whole deadline, on a thread of the lane.
    fn call_in_lane(&self, request: &OwnedRequest, reads_metadata: bool) -> Called<Verdict> {
        let borrowed = request.borrow();
        let payment = PaymentView::new(&borrowed, reads_metadata);
        self.release
            .call_in_lane(&payment, &request.features, &self.features)
    }
}

impl PolicySet {
    /// A set of these releases, built from this revision of the store. A feature that several policies ask for is looked
    /// up once; those of a release that only stands by, or is on trial, are looked up too, since it decides without a new set.
    pub(crate) fn new(revision: u64, mut releases: Vec<InForce>, lane: Arc<Lane>, beside: Arc<Lane>) -> Self {
        releases.sort_by(|a, b| a.release.order().cmp(&b.release.order()));
        let mut positions: BTreeMap<FeatureSpec, usize> = BTreeMap::new();
        let mut features = Vec::new();
        let mut reads_metadata = false;
        let mut entry = |release: Arc<Release>| {
            let described = release.policy().described();
            reads_metadata |= described.reads.contains(PaymentPart::Metadata);
            let mut position = |spec: &FeatureSpec| {
                *positions.entry(spec.clone()).or_insert_with(|| {
                    features.push(spec.clone());
                    features.len() - 1
                })
            };
            let own = described
                .features
                .iter()
                .map(|(_, spec)| position(spec))
                .collect();
            Arc::new(Entry {
                release,
                features: own,
            })
        };
        let slots = releases
            .into_iter()
            .map(|in_force| Slot {
                current: entry(in_force.release),
                previous: in_force.previous.map(&mut entry),
                // One that was sent back does not come back under this document.
                candidate: in_force
                    .candidate
                    .filter(|rollout| !rollout.is_sent_back())
                    .map(|rollout| OnTrial {
                        entry: entry(Arc::clone(rollout.release())),
                        rollout,
                    }),
            })
            .collect();
        Self {
            revision,
            slots,
            features,
            reads_metadata,
            lane,
            beside,
        }
    }

    /// Runs a policy that takes its time on threads of its own.
    async fn evaluate_in_lane(&self, entry: &Arc<Entry>, request: &Arc<OwnedRequest>) -> PolicyEvaluation {
        let job = {
            let entry = Arc::clone(entry);
            let request = Arc::clone(request);
            let reads_metadata = self.reads_metadata;
            move || entry.call_in_lane(&request, reads_metadata)
        };
        let amount = request.details.amount;
        let Some(_place) = entry.release.enter(&self.lane) else {
            return entry.release.unavailable(amount);
        };
        match self.lane.run(entry.release.deadline(), job).await {
            Ok(called) => entry.release.finish(called, amount),
            Err(LaneFull) => entry.release.unavailable(amount),
        }
    }
}

#[async_trait]
impl PolicySnapshot for PolicySet {
    fn revision(&self) -> u64 {
        self.revision
    }

    fn features(&self) -> &[FeatureSpec] {
        &self.features
    }

    /// Runs on the caller's thread while guests take microseconds: handing them over would cost more than they take. One that
    /// takes longer is run on the lane, and many that add up let others have a turn.
    async fn evaluate(&self, request: &RiskRequest<'_>, features: &[FeatureValue]) -> Vec<PolicyEvaluation> {
        let payment = PaymentView::new(request, self.reads_metadata);
        let mut evaluations = Vec::with_capacity(self.slots.len());
        let mut owned: Option<Arc<OwnedRequest>> = None;
        let mut beside: Vec<Beside> = Vec::new();
        let mut turn = Duration::ZERO;
        let own = || OwnedRequest::new(request, features);
        for slot in &self.slots {
            // Settled before a probe is on its way: one that brings the release back does so for the payments after this one.
            let decides = slot.decides(request.details);
            if slot.is_quarantined() {
                for (entry, probe) in slot.probes(request.details) {
                    let owned = owned.get_or_insert_with(own);
                    send_probe(&self.lane, entry, probe, owned, self.reads_metadata);
                }
            }
            let entry = match decides {
                Decides::Nobody => continue,
                Decides::FailureMode(release) => {
                    beside.extend(slot.beside(None, request, &self.beside));
                    evaluations.push(release.quarantined(request.details.amount));
                    continue;
                }
                Decides::Release(entry) => entry,
            };
            let evaluation = match entry.release.evaluate_at_once(
                &payment,
                request.details.amount,
                features,
                &entry.features,
            ) {
                Some(evaluation) => {
                    turn += Duration::from_nanos(evaluation.elapsed_ns);
                    evaluation
                }
                None => {
                    let owned = owned.get_or_insert_with(own);
                    turn = Duration::ZERO;
                    self.evaluate_in_lane(entry, owned).await
                }
            };
            slot.evaluated(entry, &evaluation);
            beside.extend(slot.beside(Some((entry, &evaluation)), request, &self.beside));
            evaluations.push(evaluation);
            if turn > TURN {
                turn = Duration::ZERO;
                tokio::task::yield_now().await;
            }
        }
        if !beside.is_empty() {
            // Every policy has answered: what is only compared comes after.
            let owned = owned.get_or_insert_with(own);
            for each in beside {
                each.send(&self.beside, owned, self.reads_metadata);
            }
        }
        evaluations
    }
}

#[cfg(test)]
mod tests;
