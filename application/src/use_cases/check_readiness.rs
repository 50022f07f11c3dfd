//! Whether this node can take payments.

use std::sync::Arc;

use crate::ports::{PaymentRepository, RiskPolicyEngine};

/// One thing that payments need, and how it stands.
#[derive(Clone, Debug)]
pub struct ReadinessCheck {
    /// What is needed: `policies` or `storage`.
    pub name: &'static str,
    /// Why it is not there, if it is not.
    pub problem: Option<String>,
}

/// Checks readiness.
#[derive(Clone)]
pub struct CheckReadiness {
    /// Decides.
    pub engine: Arc<dyn RiskPolicyEngine>,
    /// Keeps payments.
    pub payments: Arc<dyn PaymentRepository>,
}

impl CheckReadiness {
    /// Asks everything that a payment needs. Ready is when no check has a problem.
    pub async fn execute(&self) -> Vec<ReadinessCheck> {
        let policies = match self.engine.snapshot() {
            Some(_) => None,
            None => Some("no policy set has been loaded yet".to_owned()),
        };
        let storage = self.payments.check().await.err().map(|error| error.to_string());
        vec![
            ReadinessCheck {
                name: "policies",
                problem: policies,
            },
            ReadinessCheck {
                name: "storage",
                problem: storage,
            },
        ]
    }
}
