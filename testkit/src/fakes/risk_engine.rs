//! Policies that say what they were told to.

use std::sync::{Arc, Mutex};

use application::ports::{PolicySnapshot, PolicyStatus, RiskPolicyEngine};
use async_trait::async_trait;
use domain::feature::{FeatureSpec, FeatureValue};
use domain::risk::{Outcome, PolicyEvaluation, RiskRequest};

use crate::builders::evaluation;

/// A policy set that always answers the same.
#[derive(Debug, Default)]
pub struct ScriptedPolicySet {
    revision: u64,
    features: Vec<FeatureSpec>,
    evaluations: Vec<PolicyEvaluation>,
    given: Mutex<Vec<Vec<FeatureValue>>>,
}

impl ScriptedPolicySet {
    /// The feature values that it was given, decision by decision.
    #[must_use]
    pub fn given(&self) -> Vec<Vec<FeatureValue>> {
        self.given.lock().unwrap().clone()
    }
}

#[async_trait]
impl PolicySnapshot for ScriptedPolicySet {
    fn revision(&self) -> u64 {
        self.revision
    }

    fn features(&self) -> &[FeatureSpec] {
        &self.features
    }

    async fn evaluate(&self, _request: &RiskRequest<'_>, features: &[FeatureValue]) -> Vec<PolicyEvaluation> {
        self.given.lock().unwrap().push(features.to_vec());
        self.evaluations.clone()
    }
}

/// Holds one scripted policy set, or none.
#[derive(Debug, Default)]
pub struct ScriptedRiskEngine {
    set: Mutex<Option<Arc<ScriptedPolicySet>>>,
    statuses: Mutex<Vec<PolicyStatus>>,
}

impl ScriptedRiskEngine {
    /// One policy that says so about every payment.
    #[must_use]
    pub fn deciding(outcome: Outcome) -> Self {
        Self::answering(vec![], vec![evaluation("scripted", outcome)])
    }

    /// Policies that ask for these features and answer this.
    #[must_use]
    pub fn answering(features: Vec<FeatureSpec>, evaluations: Vec<PolicyEvaluation>) -> Self {
        let engine = Self::default();
        *engine.set.lock().unwrap() = Some(Arc::new(ScriptedPolicySet {
            revision: 7,
            features,
            evaluations,
            given: Mutex::default(),
        }));
        engine
    }

    /// No policy set was ever loaded.
    #[must_use]
    pub fn without_policy_set() -> Self {
        Self::default()
    }

    /// The set in force, to look at.
    #[must_use]
    pub fn set(&self) -> Option<Arc<ScriptedPolicySet>> {
        self.set.lock().unwrap().clone()
    }

    /// How the policies are to stand.
    pub fn show(&self, statuses: Vec<PolicyStatus>) {
        *self.statuses.lock().unwrap() = statuses;
    }
}

impl RiskPolicyEngine for ScriptedRiskEngine {
    fn snapshot(&self) -> Option<Arc<dyn PolicySnapshot>> {
        let set = self.set()?;
        Some(set)
    }

    fn statuses(&self) -> Vec<PolicyStatus> {
        self.statuses.lock().unwrap().clone()
    }
}
