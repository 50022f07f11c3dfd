//! What can be done with bare decisions.

use std::sync::Arc;

use application::ports::{CardFingerprinter, DecisionLog};
use application::risk_assessment::RiskAssessment;
use application::use_cases::{DecideRisk, GetDecision, ListDecisions};

/// Every use case of bare decisions.
#[derive(Clone)]
pub struct DecisionUseCases {
    /// `POST /v1/risk/decisions`.
    pub decide: DecideRisk,
    /// `GET /v1/risk/decisions/{decision}`.
    pub get: GetDecision,
    /// `GET /v1/risk/decisions`.
    pub list: ListDecisions,
}

impl DecisionUseCases {
    /// All of them, over the same log.
    #[must_use]
    pub fn new(
        risk: RiskAssessment,
        fingerprinter: Arc<dyn CardFingerprinter>,
        log: &Arc<dyn DecisionLog>,
    ) -> Self {
        Self {
            decide: DecideRisk {
                risk,
                fingerprinter,
                log: Arc::clone(log),
            },
            get: GetDecision { log: Arc::clone(log) },
            list: ListDecisions { log: Arc::clone(log) },
        }
    }
}
