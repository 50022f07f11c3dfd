//! The adapter of `RiskPolicyEngine`: what decides now, and how every policy stands.

use std::sync::Arc;

use application::ports::{PolicySnapshot, PolicyStatus, RiskPolicyEngine};
use arc_swap::{ArcSwap, ArcSwapOption};

use crate::policy_set::PolicySet;

/// Runs policies in the sandbox. The reconciler swaps the set; decisions in flight end on the one they began with.
#[derive(Default)]
pub struct WasmRiskPolicyEngine {
    set: ArcSwapOption<PolicySet>,
    statuses: ArcSwap<Vec<PolicyStatus>>,
}

impl WasmRiskPolicyEngine {
    /// Puts a set in force.
    pub(crate) fn swap(&self, set: Arc<PolicySet>) {
        self.set.store(Some(set));
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
