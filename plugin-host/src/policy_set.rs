//! The policy set: all releases in force, as one immutable whole.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use application::ports::PolicySnapshot;
use async_trait::async_trait;
use domain::feature::{FeatureSpec, FeatureValue};
use domain::payment::PaymentDetails;
use domain::risk::{PolicyEvaluation, RiskRequest};
use domain::{PaymentId, Timestamp};

use crate::contract::request::PaymentView;
use crate::document::PaymentPart;
use crate::lane::{Lane, LaneFull};
use crate::pace::SLICE_MS;
use crate::release::Release;

/// After so much computing on its thread a payment lets others have a turn.
const TURN: Duration = Duration::from_millis(SLICE_MS as u64);

/// The releases in force, in the order they run, and what they ask for together.
pub(crate) struct PolicySet {
    revision: u64,
    entries: Vec<Arc<Entry>>,
    features: Vec<FeatureSpec>,
    reads_metadata: bool,
    lane: Arc<Lane>,
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

impl PolicySet {
    /// A set of these releases, built from this revision of the store. A feature that several policies ask for is looked
    /// up once.
    pub(crate) fn new(revision: u64, mut releases: Vec<Arc<Release>>, lane: Arc<Lane>) -> Self {
        releases.sort_by(|a, b| a.order().cmp(&b.order()));
        let mut positions: BTreeMap<FeatureSpec, usize> = BTreeMap::new();
        let mut features = Vec::new();
        let mut reads_metadata = false;
        let mut entries = Vec::with_capacity(releases.len());
        for release in releases {
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
            entries.push(Arc::new(Entry {
                release,
                features: own,
            }));
        }
        Self {
            revision,
            entries,
            features,
            reads_metadata,
            lane,
        }
    }

    /// Runs a policy that takes its time on threads of its own.
    async fn evaluate_in_lane(&self, entry: &Arc<Entry>, request: &Arc<OwnedRequest>) -> PolicyEvaluation {
        let job = {
            let entry = Arc::clone(entry);
            let request = Arc::clone(request);
            let reads_metadata = self.reads_metadata;
            move || {
                let borrowed = RiskRequest {
                    payment_id: &request.payment_id,
                    details: &request.details,
                    created_at: request.created_at,
                };
                let payment = PaymentView::new(&borrowed, reads_metadata);
                entry
                    .release
                    .call_in_lane(&payment, &request.features, &entry.features)
            }
        };
        let Some(_place) = entry.release.enter_lane() else {
            return entry.release.unavailable();
        };
        match self.lane.run(entry.release.deadline(), job).await {
            Ok(called) => entry.release.finish(called),
            Err(LaneFull) => entry.release.unavailable(),
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
        let mut evaluations = Vec::with_capacity(self.entries.len());
        let mut owned: Option<Arc<OwnedRequest>> = None;
        let mut turn = Duration::ZERO;
        for entry in self
            .entries
            .iter()
            .filter(|entry| entry.release.includes(request.details))
        {
            let evaluation = match entry
                .release
                .evaluate_at_once(&payment, features, &entry.features)
            {
                Some(evaluation) => {
                    turn += Duration::from_nanos(evaluation.elapsed_ns);
                    evaluation
                }
                None => {
                    let owned = owned.get_or_insert_with(|| {
                        Arc::new(OwnedRequest {
                            payment_id: request.payment_id.clone(),
                            details: request.details.clone(),
                            created_at: request.created_at,
                            features: features.into(),
                        })
                    });
                    turn = Duration::ZERO;
                    self.evaluate_in_lane(entry, owned).await
                }
            };
            evaluations.push(evaluation);
            if turn > TURN {
                turn = Duration::ZERO;
                tokio::task::yield_now().await;
            }
        }
        evaluations
    }
}

#[cfg(test)]
mod tests;
