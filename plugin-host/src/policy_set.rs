//! The policy set: all releases in force, as one immutable whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use application::ports::PolicySnapshot;
use async_trait::async_trait;
use domain::feature::{FeatureSpec, FeatureValue};
use domain::risk::{PolicyEvaluation, RiskRequest};

use crate::contract::v0_1::{PaymentView, types};
use crate::release::Release;

/// The releases in force, in the order they run, and what they ask for together.
pub(crate) struct PolicySet {
    revision: u64,
    releases: Vec<(Arc<Release>, Box<[usize]>)>,
    features: Vec<FeatureSpec>,
    reads_metadata: bool,
}

impl PolicySet {
    /// A set of these releases, built from this revision of the store. A feature that several policies ask for is looked
    /// up once.
    pub(crate) fn new(revision: u64, mut releases: Vec<Arc<Release>>) -> Self {
        releases.sort_by(|a, b| a.order().cmp(&b.order()));
        let mut positions: BTreeMap<FeatureSpec, usize> = BTreeMap::new();
        let mut features = Vec::new();
        let mut reads_metadata = false;
        let releases = releases
            .into_iter()
            .map(|release| {
                let described = release.policy().described();
                reads_metadata |= described.reads.contains(types::PaymentParts::METADATA);
                let indices = described
                    .features
                    .iter()
                    .map(|(_, spec)| {
                        *positions.entry(spec.clone()).or_insert_with(|| {
                            features.push(spec.clone());
                            features.len() - 1
                        })
                    })
                    .collect();
                (release, indices)
            })
            .collect();
        Self {
            revision,
            releases,
            features,
            reads_metadata,
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

    /// Runs on the caller's thread: a guest computes for microseconds, and handing it to another thread would cost more
    /// than it takes. Its deadline bounds how long it can hold the thread.
    async fn evaluate(&self, request: &RiskRequest<'_>, features: &[FeatureValue]) -> Vec<PolicyEvaluation> {
        let payment = PaymentView::new(request, self.reads_metadata);
        let mut evaluations = Vec::with_capacity(self.releases.len());
        for (release, indices) in &self.releases {
            if release.includes(request.details) {
                evaluations.push(release.evaluate(&payment, features, indices));
            }
        }
        evaluations
    }
}
