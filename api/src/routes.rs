//! Every path, and which endpoint serves it.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter};

use crate::config::Config;
use crate::edge::Edge;
use crate::endpoints::{operations, payments, policies, risk_decisions, unmatched};
use crate::problem::Problem;
use crate::state::{ApiState, Shared};

/// The HTTP interface without its sockets.
#[derive(Clone)]
pub struct Api(Arc<Shared>);

impl Api {
    /// The interface over the gateway's use cases.
    #[must_use]
    pub fn new(config: &Config, state: ApiState) -> Self {
        Self(Arc::new(Shared::new(config, state)))
    }

    /// All routes. Every router of one `Api` shares its bounds.
    pub fn router(&self) -> Router {
        let get = MethodFilter::GET;
        let post = MethodFilter::POST;
        let unmatched = Edge::new(&self.0, "unmatched");
        Router::new()
            .route("/v1/payments", self.on("/v1/payments", post, payments::create))
            .route(
                "/v1/payments/{id}",
                self.on("/v1/payments/{id}", get, payments::show),
            )
            .route(
                "/v1/risk/decisions",
                self.on("/v1/risk/decisions", post, risk_decisions::create),
            )
            .route("/v1/policies", self.on("/v1/policies", get, policies::list))
            .route("/healthz", self.on("/healthz", get, operations::health))
            .route("/readyz", self.on("/readyz", get, operations::readiness))
            .route("/metrics", self.on("/metrics", get, operations::metrics))
            .fallback(move |request: Request| {
                let edge = Arc::clone(&unmatched);
                async move { edge.serve(request, unmatched::no_such_path).await }
            })
    }

    /// From now on `/readyz` answers 503. Requests are served as before.
    pub fn begin_drain(&self) {
        self.0.begin_drain();
    }

    /// How many payments run, also those whose client has gone.
    #[must_use]
    pub fn payments_running(&self) -> usize {
        self.0.payments.len()
    }

    /// Waits until no payment runs. Call it when no further request can come.
    pub async fn payments_ended(&self) {
        self.0.payments.close();
        self.0.payments.wait().await;
    }

    fn on<H, F>(&self, route: &'static str, method: MethodFilter, handler: H) -> MethodRouter
    where
        H: Fn(Arc<Shared>, Request) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        let edge = Edge::new(&self.0, route);
        let fallback = Arc::clone(&edge);
        MethodRouter::new()
            .on(method, move |request: Request| {
                let edge = Arc::clone(&edge);
                let handler = handler.clone();
                async move { edge.serve(request, handler).await }
            })
            .fallback(move |request: Request| {
                let edge = Arc::clone(&fallback);
                async move { edge.serve(request, unmatched::no_such_method).await }
            })
    }
}
