//! What the endpoints work with: the use cases, put together from the ports.

use std::sync::Arc;

use application::api_keys::ApiKeyRing;
use application::idempotency::IdempotentRequests;
use application::operation_runner::OperationRunner;
use application::ports::{
    CardFingerprinter, EventLog, ListStore, PaymentCatalog, RequestDigester, RiskPolicyEngine,
};
use application::risk_assessment::RiskAssessment;
use application::use_cases::{
    Authenticate, AuthorizePayment, CapturePayment, CheckReadiness, ConfirmPayment, DecideRisk, GetPayment,
    ListEvents, ListPayments, ListPolicies, RefundPayment, ResolveOperation, ResumeRequest, ReviewPayment,
    VoidPayment,
};

use domain::Timestamp;

use crate::list_use_cases::ListUseCases;
use crate::metrics::HttpMetrics;
use crate::webhook_use_cases::{WebhookParts, WebhookUseCases};

/// Renders every metric of the process as OpenMetrics text.
pub type RenderMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// Every use case.
#[derive(Clone)]
pub struct ApiState {
    /// Tells whom requests are from.
    pub authenticate: Authenticate,
    /// `POST /v1/payments`.
    pub authorize_payment: AuthorizePayment,
    /// `POST /v1/payments/{id}/capture`.
    pub capture_payment: CapturePayment,
    /// `POST /v1/payments/{id}/void`.
    pub void_payment: VoidPayment,
    /// `POST /v1/payments/{id}/refunds`.
    pub refund_payment: RefundPayment,
    /// `POST /v1/payments/{id}/confirm`.
    pub confirm_payment: ConfirmPayment,
    /// `POST /v1/reviews/{id}/approve` and `/reject`.
    pub review_payment: ReviewPayment,
    /// `POST /v1/payments/{id}/operations/{operation}/resolve`.
    pub resolve_operation: ResolveOperation,
    /// Tells requests that came before from those that are new.
    pub idempotency: IdempotentRequests,
    /// Drives on what was interrupted.
    pub resume_request: ResumeRequest,
    /// Tells requests apart.
    pub digester: Arc<dyn RequestDigester>,
    /// `GET /v1/payments`, `GET /v1/reviews` and `GET /v1/operations/unresolved`.
    pub list_payments: ListPayments,
    /// `GET /v1/events`.
    pub list_events: ListEvents,
    /// `/v1/webhook-endpoints` and `/v1/webhook-deliveries`.
    pub webhooks: WebhookUseCases,
    /// `/v1/lists`.
    pub lists: ListUseCases,
    /// `POST /v1/risk/decisions`.
    pub decide_risk: DecideRisk,
    /// `GET /v1/payments/{id}`.
    pub get_payment: GetPayment,
    /// `GET /v1/policies`.
    pub list_policies: ListPolicies,
    /// `GET /v1/nodes`.
    pub node: ThisNode,
    /// `GET /readyz`.
    pub check_readiness: CheckReadiness,
    /// Counts requests; registered by the gateway in the registry that `render_metrics` renders.
    pub http_metrics: HttpMetrics,
    /// `GET /metrics`.
    pub render_metrics: RenderMetrics,
}

/// The process that answers.
#[derive(Clone, Debug)]
pub struct ThisNode {
    /// Its name among its like.
    pub id: Arc<str>,
    /// Of the program.
    pub version: &'static str,
    /// When it started.
    pub started_at: Timestamp,
}

/// What the use cases are made of; the gateway hands it in.
pub struct ApiParts {
    /// The API keys that work. Somebody has to keep them fresh (`ApiKeyRing::follow`) where `http.authentication` is `keys`.
    pub api_keys: Arc<ApiKeyRing>,
    /// Decides.
    pub risk: RiskAssessment,
    /// Has the acquirer do things.
    pub runner: OperationRunner,
    /// Recognizes cards.
    pub fingerprinter: Arc<dyn CardFingerprinter>,
    /// Tells requests apart.
    pub digester: Arc<dyn RequestDigester>,
    /// Says how the policies stand.
    pub engine: Arc<dyn RiskPolicyEngine>,
    /// Finds payments.
    pub catalog: Arc<dyn PaymentCatalog>,
    /// Tells what happened.
    pub events: Arc<dyn EventLog>,
    /// Keeps lists; what is put there is looked up from then on by the policies of this gateway.
    pub lists: Arc<dyn ListStore>,
    /// The process itself.
    pub node: ThisNode,
    /// Where events are sent.
    pub webhooks: WebhookParts,
}

impl ApiState {
    /// Every use case, over the same ports.
    #[must_use]
    pub fn new(parts: ApiParts, http_metrics: HttpMetrics, render_metrics: RenderMetrics) -> Self {
        let ApiParts {
            api_keys,
            risk,
            runner,
            fingerprinter,
            digester,
            engine,
            catalog,
            events,
            lists,
            node,
            webhooks,
        } = parts;
        let payments = Arc::clone(&runner.payments);
        let ids = Arc::clone(&risk.ids);
        let webhooks = WebhookUseCases::new(webhooks, Arc::clone(&ids), &risk.clock);
        let resolve = ResolveOperation {
            runner: runner.clone(),
        };
        Self {
            authenticate: Authenticate { ring: api_keys },
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
            webhooks,
            lists: ListUseCases::new(&lists, &risk.clock),
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
            node,
            http_metrics,
            render_metrics,
        }
    }
}
