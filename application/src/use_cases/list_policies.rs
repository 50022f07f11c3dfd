//! How the policies stand on this node.

use std::sync::Arc;

use crate::ports::{PolicyStatus, RiskPolicyEngine};

/// Every policy of the store, and the set that decides.
#[derive(Clone, Debug)]
pub struct ListedPolicies {
    /// The store's revision of the set in force; none before the first one was loaded.
    pub revision: Option<u64>,
    /// By name.
    pub policies: Vec<PolicyStatus>,
}

/// Lists policies.
#[derive(Clone)]
pub struct ListPolicies {
    /// Holds them.
    pub engine: Arc<dyn RiskPolicyEngine>,
}

impl ListPolicies {
    /// Every policy, by name.
    #[must_use]
    pub fn execute(&self) -> ListedPolicies {
        let revision = self.engine.snapshot().map(|set| set.revision());
        ListedPolicies {
            revision,
            policies: self.engine.statuses(),
        }
    }
}
