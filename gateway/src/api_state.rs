//! The use cases of the HTTP interface, put together from the ports.

use std::sync::Arc;

use api::{ApiState, HttpMetrics, RenderMetrics};
use application::idempotency::IdempotentRequests;
use application::operation_runner::OperationRunner;
use application::ports::{CardFingerprinter, EventLog, PaymentCatalog, RequestDigester, RiskPolicyEngine};
use application::risk_assessment::RiskAssessment;
use application::use_cases::{
    AuthorizePayment, CapturePayment, CheckReadiness, ConfirmPayment, DecideRisk, GetPayment, ListEvents,
    ListPayments, ListPolicies, RefundPayment, ResolveOperation, ResumeRequest, ReviewPayment, VoidPayment,
};

/// What the use cases are made of.
pub(crate) struct Parts {
    pub(crate) risk: RiskAssessment,
    pub(crate) runner: OperationRunner,
    pub(crate) fingerprinter: Arc<dyn CardFingerprinter>,
    pub(crate) digester: Arc<dyn RequestDigester>,
    pub(crate) engine: Arc<dyn RiskPolicyEngine>,
    pub(crate) catalog: Arc<dyn PaymentCatalog>,
    pub(crate) events: Arc<dyn EventLog>,
}

/// Every use case, over the same ports.
pub(crate) fn api_state(parts: Parts, http_metrics: HttpMetrics, render_metrics: RenderMetrics) -> ApiState {
    let Parts {
        risk,
        runner,
        fingerprinter,
        digester,
        engine,
        catalog,
        events,
    } = parts;
    let payments = Arc::clone(&runner.payments);
    let ids = Arc::clone(&risk.ids);
    let resolve = ResolveOperation {
        runner: runner.clone(),
    };
    ApiState {
        capture_payment: CapturePayment {
            runner: runner.clone(),
            ids: Arc::clone(&ids),
        },
        void_payment: VoidPayment {
            runner: runner.clone(),
            ids: Arc::clone(&ids),
        },
        refund_payment: RefundPayment {
            runner: runner.clone(),
            ids: Arc::clone(&ids),
        },
        confirm_payment: ConfirmPayment {
            runner: runner.clone(),
            ids: Arc::clone(&ids),
        },
        review_payment: ReviewPayment {
            runner: runner.clone(),
            ids,
        },
        resolve_operation: resolve.clone(),
        resume_request: ResumeRequest { resolve },
        idempotency: IdempotentRequests::new(Arc::clone(&payments), Arc::clone(&risk.clock)),
        digester,
        list_payments: ListPayments { catalog },
        list_events: ListEvents { log: events },
        authorize_payment: AuthorizePayment {
            risk: risk.clone(),
            runner,
            fingerprinter: Arc::clone(&fingerprinter),
        },
        decide_risk: DecideRisk { risk, fingerprinter },
        get_payment: GetPayment {
            payments: Arc::clone(&payments),
        },
        list_policies: ListPolicies {
            engine: Arc::clone(&engine),
        },
        check_readiness: CheckReadiness { engine, payments },
        http_metrics,
        render_metrics,
    }
}
