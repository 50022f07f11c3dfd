//! The adapter of `RiskPolicyEngine`: what decides now, and how every policy stands.

use std::sync::Arc;

use application::ports::{PolicySnapshot, PolicyStatus, RiskPolicyEngine};
use arc_swap::{ArcSwap, ArcSwapOption};

use crate::lane::Lane;
use crate::policy_set::{InForce, PolicySet};

/// Runs policies in the sandbox. The reconciler swaps the set; decisions in flight end on the one they began with.
pub struct WasmRiskPolicyEngine {
    set: ArcSwapOption<PolicySet>,
    statuses: ArcSwap<Vec<PolicyStatus>>,
    lane: Arc<Lane>,
    beside: Arc<Lane>,
}

impl WasmRiskPolicyEngine {
    /// Nothing is in force yet. Policies that take their time run on `lane`, those that no payment waits for on `beside`.
    pub(crate) fn new(lane: Lane, beside: Lane) -> Self {
        Self {
            set: ArcSwapOption::default(),
            statuses: ArcSwap::default(),
            lane: Arc::new(lane),
            beside: Arc::new(beside),
        }
    }

    /// Puts these releases in force, all at once.
    pub(crate) fn swap(&self, revision: u64, releases: Vec<InForce>) {
        let set = PolicySet::new(
            revision,
            releases,
            Arc::clone(&self.lane),
            Arc::clone(&self.beside),
        );
        self.set.store(Some(Arc::new(set)));
    }

    /// Says how the policies stand.
    pub(crate) fn report(&self, statuses: Vec<PolicyStatus>) {
        self.statuses.store(Arc::new(statuses));
    }
}

impl RiskPolicyEngine for WasmRiskPolicyEngine {
    fn snapshot(&self) -> Option<Arc<dyn PolicySnapshot>> {
        self.set.load_full().map(|set| set as Arc<dyn PolicySnapshot>)
    }

    fn statuses(&self) -> Vec<PolicyStatus> {
        Vec::clone(&self.statuses.load())
    }
}
