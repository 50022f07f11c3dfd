//! Deciding about one payment: the part that authorizing a payment and a bare risk decision share.

use std::sync::Arc;
use std::time::Instant;

use domain::risk::{RiskDecision, RiskRequest};
use thiserror::Error;

use crate::ports::{Clock, FeatureStore, IdGenerator, RiskPolicyEngine, Telemetry};

/// No policy set was ever loaded on this node. Approving everything meanwhile would be to fail open in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no policy set has been loaded yet")]
pub struct NoPolicySet;

/// Looks up features, runs the policies and joins their answers.
#[derive(Clone)]
pub struct RiskAssessment {
    /// Runs the policies.
    pub engine: Arc<dyn RiskPolicyEngine>,
    /// Looks up what they ask for.
    pub features: Arc<dyn FeatureStore>,
    /// Names the decision.
    pub ids: Arc<dyn IdGenerator>,
    /// Dates it.
    pub clock: Arc<dyn Clock>,
    /// Counts it.
    pub telemetry: Arc<dyn Telemetry>,
}

impl RiskAssessment {
    /// Decides about a payment with the policy set in force. The payment counts as attempted from here on.
    ///
    /// # Errors
    /// When no policy set was ever loaded on this node.
    pub async fn assess(&self, request: &RiskRequest<'_>) -> Result<RiskDecision, NoPolicySet> {
        let started = Instant::now();
        let policies = self.engine.snapshot().ok_or(NoPolicySet)?;
        let specs = policies.features();
        let features = match self.features.observe(request, specs).await {
            Ok(values) => values,
            Err(error) => {
                // The policies decide without: each knows what a missing feature means to it.
                tracing::warn!(payment.id = %request.payment_id, %error, "features are unavailable");
                self.telemetry.features_unavailable();
                self.features.at_hand(request, specs)
            }
        };
        let evaluations = policies.evaluate(request, &features).await;
        let decision = RiskDecision::join(
            self.ids.decision_id(),
            evaluations,
            policies.revision(),
            self.clock.now(),
        );
        let elapsed_ns = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.telemetry.decision_made(&decision, elapsed_ns);
        Ok(decision)
    }
}
