//! Every path, and which endpoint serves it.

use std::future::Future;
use std::sync::{Arc, PoisonError};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter};

use crate::api_state::ApiState;
use crate::config::Config;
use crate::edge::Edge;
use crate::endpoints::{
    docs, events, lists, operations, payments, policies, reviews, risk_decisions, unmatched,
    webhook_deliveries, webhook_endpoints,
};
use crate::problem::Problem;
use crate::state::Shared;

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
        let unmatched = Edge::unserved(&self.0, "unmatched");
        Router::new()
            .merge(self.payments())
            .merge(self.reviews())
            .merge(self.webhooks())
            .merge(self.lists())
            .route("/v1/events", self.on("/v1/events", get, events::list))
            .route(
                "/v1/risk/decisions",
                self.on("/v1/risk/decisions", post, risk_decisions::create),
            )
            .route("/v1/policies", self.on("/v1/policies", get, policies::list))
            .route(
                "/v1/policies/{name}",
                self.on("/v1/policies/{name}", get, policies::show),
            )
            .route("/v1/nodes", self.on("/v1/nodes", get, policies::nodes))
            .route("/healthz", self.on("/healthz", get, operations::health))
            .route("/readyz", self.on("/readyz", get, operations::readiness))
            .route("/openapi.json", self.on("/openapi.json", get, docs::openapi))
            .route("/docs", self.on("/docs", get, docs::docs))
            .route(
                "/docs/errors/{code}",
                self.on("/docs/errors/{code}", get, docs::error_page),
            )
            .route("/metrics", self.on("/metrics", get, operations::metrics))
            .fallback(move |request: Request| {
                let edge = Arc::clone(&unmatched);
                async move { edge.serve(request, unmatched::no_such_path).await }
            })
    }

    fn payments(&self) -> Router {
        const PAYMENTS: &str = "/v1/payments";
        const PAYMENT: &str = "/v1/payments/{id}";
        const CAPTURE: &str = "/v1/payments/{id}/capture";
        const VOID: &str = "/v1/payments/{id}/void";
        const REFUNDS: &str = "/v1/payments/{id}/refunds";
        const CONFIRM: &str = "/v1/payments/{id}/confirm";
        const RESOLVE: &str = "/v1/payments/{id}/operations/{operation}/resolve";
        const UNRESOLVED: &str = "/v1/operations/unresolved";
        let get = MethodFilter::GET;
        let post = MethodFilter::POST;
        let create = self.on(PAYMENTS, post, payments::create);
        Router::new()
            .route(PAYMENTS, self.and(create, PAYMENTS, get, payments::list))
            .route(PAYMENT, self.on(PAYMENT, get, payments::show))
            .route(CAPTURE, self.on(CAPTURE, post, payments::capture))
            .route(VOID, self.on(VOID, post, payments::void))
            .route(REFUNDS, self.on(REFUNDS, post, payments::refund))
            .route(CONFIRM, self.on(CONFIRM, post, payments::confirm))
            .route(RESOLVE, self.on(RESOLVE, post, payments::resolve))
            .route(UNRESOLVED, self.on(UNRESOLVED, get, payments::unresolved))
    }

    fn reviews(&self) -> Router {
        const REVIEWS: &str = "/v1/reviews";
        const APPROVE: &str = "/v1/reviews/{id}/approve";
        const REJECT: &str = "/v1/reviews/{id}/reject";
        Router::new()
            .route(REVIEWS, self.on(REVIEWS, MethodFilter::GET, reviews::list))
            .route(APPROVE, self.on(APPROVE, MethodFilter::POST, reviews::approve))
            .route(REJECT, self.on(REJECT, MethodFilter::POST, reviews::reject))
    }

    fn webhooks(&self) -> Router {
        const ENDPOINTS: &str = "/v1/webhook-endpoints";
        const ENDPOINT: &str = "/v1/webhook-endpoints/{id}";
        const ROTATE: &str = "/v1/webhook-endpoints/{id}/rotate-secret";
        const DELIVERIES: &str = "/v1/webhook-endpoints/{id}/deliveries";
        const REPLAY: &str = "/v1/webhook-deliveries/{id}/replay";
        let get = MethodFilter::GET;
        let post = MethodFilter::POST;
        let create = self.on(ENDPOINTS, post, webhook_endpoints::create);
        let show = self.on(ENDPOINT, get, webhook_endpoints::show);
        let show = self.and(show, ENDPOINT, MethodFilter::PATCH, webhook_endpoints::update);
        let show = self.and(show, ENDPOINT, MethodFilter::DELETE, webhook_endpoints::delete);
        Router::new()
            .route(
                ENDPOINTS,
                self.and(create, ENDPOINTS, get, webhook_endpoints::list),
            )
            .route(ENDPOINT, show)
            .route(ROTATE, self.on(ROTATE, post, webhook_endpoints::rotate_secret))
            .route(
                DELIVERIES,
                self.on(DELIVERIES, get, webhook_endpoints::deliveries),
            )
            .route(REPLAY, self.on(REPLAY, post, webhook_deliveries::replay))
    }

    fn lists(&self) -> Router {
        const ITEMS: &str = "/v1/lists/{list}/items";
        let add = self.on(ITEMS, MethodFilter::POST, lists::add);
        let also_list = self.and(add, ITEMS, MethodFilter::GET, lists::list);
        Router::new().route(
            ITEMS,
            self.and(also_list, ITEMS, MethodFilter::DELETE, lists::remove),
        )
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

    /// Every method and path that an endpoint serves.
    #[must_use]
    pub fn routes(&self) -> Vec<(&'static str, &'static str)> {
        // Making them is what writes them down.
        let _router = self.router();
        let routes = self.0.routes.lock().unwrap_or_else(PoisonError::into_inner);
        routes.iter().copied().collect()
    }

    fn on<H, F>(&self, route: &'static str, method: MethodFilter, handler: H) -> MethodRouter
    where
        H: Fn(Arc<Shared>, Request) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        let edge = Edge::unserved(&self.0, route);
        let others = MethodRouter::new().fallback(move |request: Request| {
            let edge = Arc::clone(&edge);
            async move { edge.serve(request, unmatched::no_such_method).await }
        });
        self.and(others, route, method, handler)
    }

    /// One more method of a path.
    fn and<H, F>(
        &self,
        others: MethodRouter,
        route: &'static str,
        method: MethodFilter,
        handler: H,
    ) -> MethodRouter
    where
        H: Fn(Arc<Shared>, Request) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        let edge = Edge::serving(&self.0, name_of(method), route);
        others.on(method, move |request: Request| {
            let edge = Arc::clone(&edge);
            let handler = handler.clone();
            async move { edge.serve(request, handler).await }
        })
    }
}

/// A method as the table of who may what has it.
fn name_of(method: MethodFilter) -> &'static str {
    [
        (MethodFilter::GET, "GET"),
        (MethodFilter::POST, "POST"),
        (MethodFilter::PUT, "PUT"),
        (MethodFilter::PATCH, "PATCH"),
        (MethodFilter::DELETE, "DELETE"),
    ]
    .into_iter()
    .find_map(|(known, name)| (known == method).then_some(name))
    .unwrap_or("other")
}
