//! What the endpoints work with: the use cases, built by the gateway, and the bounds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use application::idempotency::IdempotentRequests;
use application::ports::RequestDigester;
use application::use_cases::{
    AuthorizePayment, CapturePayment, CheckReadiness, ConfirmPayment, DecideRisk, GetPayment, ListEvents,
    ListPayments, ListPolicies, RefundPayment, ResolveOperation, ResumeRequest, ReviewPayment, VoidPayment,
};
use tokio_util::task::TaskTracker;

use crate::admission::Admission;
use crate::config::{Config, at_least_one_ms};
use crate::metrics::HttpMetrics;
use crate::request_id::RequestIds;

/// Renders every metric of the process as OpenMetrics text.
pub type RenderMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// What the gateway hands in.
#[derive(Clone)]
pub struct ApiState {
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
    /// `POST /v1/risk/decisions`.
    pub decide_risk: DecideRisk,
    /// `GET /v1/payments/{id}`.
    pub get_payment: GetPayment,
    /// `GET /v1/policies`.
    pub list_policies: ListPolicies,
    /// `GET /readyz`.
    pub check_readiness: CheckReadiness,
    /// Counts requests; registered by the gateway in the registry that `render_metrics` renders.
    pub http_metrics: HttpMetrics,
    /// `GET /metrics`.
    pub render_metrics: RenderMetrics,
}

/// One per process, shared by every request.
pub(crate) struct Shared {
    pub(crate) state: ApiState,
    pub(crate) admission: Admission,
    pub(crate) request_ids: RequestIds,
    /// Every payment that runs, also those whose client has gone.
    pub(crate) payments: TaskTracker,
    pub(crate) max_body_bytes: usize,
    pub(crate) body_read_timeout: Duration,
    pub(crate) request_timeout: Duration,
    draining: AtomicBool,
}

impl Shared {
    pub(crate) fn new(config: &Config, state: ApiState) -> Self {
        Self {
            state,
            admission: Admission::new(config.max_in_flight, config.max_connections),
            request_ids: RequestIds::new(),
            payments: TaskTracker::new(),
            max_body_bytes: config.max_body_bytes.max(1),
            body_read_timeout: at_least_one_ms(config.body_read_timeout_ms),
            request_timeout: at_least_one_ms(config.request_timeout_ms),
            draining: AtomicBool::new(false),
        }
    }

    /// From now on this node says that it is not ready.
    pub(crate) fn begin_drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}
