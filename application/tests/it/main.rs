//! The use cases over the fakes of every port.

#![expect(
    clippy::unwrap_used,
    reason = "this is test code: what is not as it was built is a defect of the test"
)]

mod api_keys;
mod authorize_payment;
mod check_readiness;
mod decide_risk;
mod follow_ups;
mod get_payment;
mod list_policies;
mod lists;

use std::sync::Arc;

use domain::risk::Outcome;
use portcullis_application::operation_runner::OperationRunner;
use portcullis_application::risk_assessment::RiskAssessment;
use portcullis_application::use_cases::AuthorizePayment;
use testkit::fakes::{
    CountingIdGenerator, CountingTelemetry, InMemoryDecisionLog, InMemoryFeatureStore,
    InMemoryPaymentRepository, PlainCardFingerprinter, RecordingTimer, ScriptedAcquirer, ScriptedRiskEngine,
    SettableClock,
};

/// A gateway of fakes.
struct World {
    engine: Arc<ScriptedRiskEngine>,
    features: Arc<InMemoryFeatureStore>,
    clock: Arc<SettableClock>,
    telemetry: Arc<CountingTelemetry>,
    payments: Arc<InMemoryPaymentRepository>,
    acquirer: Arc<ScriptedAcquirer>,
    ids: Arc<CountingIdGenerator>,
    timer: Arc<RecordingTimer>,
    decisions: Arc<InMemoryDecisionLog>,
}

impl World {
    fn new(engine: ScriptedRiskEngine) -> Self {
        Self {
            engine: Arc::new(engine),
            features: Arc::default(),
            clock: Arc::default(),
            telemetry: Arc::default(),
            payments: Arc::default(),
            acquirer: Arc::default(),
            ids: Arc::default(),
            timer: Arc::default(),
            decisions: Arc::default(),
        }
    }

    fn deciding(outcome: Outcome) -> Self {
        Self::new(ScriptedRiskEngine::deciding(outcome))
    }

    fn risk(&self) -> RiskAssessment {
        RiskAssessment {
            engine: self.engine.clone(),
            features: self.features.clone(),
            ids: self.ids.clone(),
            clock: self.clock.clone(),
            telemetry: self.telemetry.clone(),
        }
    }

    fn authorize_payment(&self) -> AuthorizePayment {
        AuthorizePayment {
            risk: self.risk(),
            runner: self.runner(),
            fingerprinter: Arc::new(PlainCardFingerprinter),
        }
    }

    fn runner(&self) -> OperationRunner {
        OperationRunner {
            payments: self.payments.clone(),
            acquirer: self.acquirer.clone(),
            features: self.features.clone(),
            clock: self.clock.clone(),
            timer: self.timer.clone(),
            telemetry: self.telemetry.clone(),
            times: Arc::default(),
        }
    }
}
