//! The frame round every endpoint: request id, metrics, one log line, and a last resort for panics. A function rather
//! than a stack of middlewares, because each of those costs an allocation and a virtual call per request.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, PoisonError};
use std::task::Poll;

use axum::extract::Request;
use axum::response::Response;

use crate::access::{AccessRule, Admitted, rule_of};
use crate::metrics::RouteMetrics;
use crate::problem::{Problem, ProblemCode};
use crate::request_id::{self, X_REQUEST_ID};
use crate::state::Shared;

/// The longest path and query taken, in bytes. The longest of ours is below 100; what is longer is a mistake.
const MAX_URI_BYTES: usize = 2_048;

/// What is fixed for one route.
pub(crate) struct Edge {
    pub(crate) shared: Arc<Shared>,
    /// The path as it is documented, such as `/v1/payments/{id}`.
    pub(crate) route: &'static str,
    pub(crate) metrics: RouteMetrics,
    access: Access,
}

/// Whether the requests of an edge are held against the table.
#[derive(Clone, Copy)]
enum Access {
    /// They are told that there is nothing for them, which is no secret.
    Unserved,
    /// They are, by this rule; nobody gets through where there is none.
    By(Option<&'static AccessRule>),
}

impl Edge {
    /// For requests that no endpoint serves.
    pub(crate) fn unserved(shared: &Arc<Shared>, route: &'static str) -> Arc<Self> {
        Self::new(shared, route, Access::Unserved)
    }

    /// For the requests of one endpoint.
    pub(crate) fn serving(shared: &Arc<Shared>, method: &'static str, route: &'static str) -> Arc<Self> {
        let mut routes = shared.routes.lock().unwrap_or_else(PoisonError::into_inner);
        routes.insert((method, route));
        Self::new(shared, route, Access::By(rule_of(method, route)))
    }

    fn new(shared: &Arc<Shared>, route: &'static str, access: Access) -> Arc<Self> {
        Arc::new(Self {
            shared: Arc::clone(shared),
            route,
            metrics: shared.state.http_metrics.route(route),
            access,
        })
    }

    /// Serves one request.
    pub(crate) async fn serve<H, F>(&self, mut request: Request, handler: H) -> Response
    where
        H: FnOnce(Arc<Shared>, Request) -> F,
        F: Future<Output = Result<Response, Problem>>,
    {
        let id = self.shared.request_ids.ensure(request.headers_mut());
        let id_text = request_id::text(&id);
        let method = request.method().clone();
        let mut guard = self.metrics.begin(&method);
        let uri_bytes = request
            .uri()
            .path_and_query()
            .map_or(0, |target| target.as_str().len());
        let mut admitted = Admitted::default();
        let result = if uri_bytes > MAX_URI_BYTES {
            Err(Problem::new(
                ProblemCode::UriTooLong,
                format!("The path and query have {uri_bytes} bytes; at most {MAX_URI_BYTES} are read."),
            ))
        } else {
            match self.admit(&mut request, &mut admitted) {
                Ok(()) => without_unwinding(handler(Arc::clone(&self.shared), request)).await,
                Err(problem) => Err(problem),
            }
        };
        let mut response = result.unwrap_or_else(|problem| problem.into_response(id_text));
        let status = response.status();
        guard.answered(status);
        // What other connections have ready comes first: answers then leave one right behind the other, and whoever reads them is woken
        // once for many where he was woken for each.
        tokio::task::yield_now().await;
        tracing::debug!(
            http.request.id = id_text,
            http.request.method = method.as_str(),
            http.route = self.route,
            api_key.id = admitted.key_id(),
            http.response.status_code = status.as_u16(),
            elapsed_us = guard.elapsed_us(),
            "request served"
        );
        let headers = response.headers_mut();
        headers.insert(X_REQUEST_ID, id);
        admitted.mark(headers);
        response
    }

    fn admit(&self, request: &mut Request, admitted: &mut Admitted) -> Result<(), Problem> {
        match self.access {
            Access::Unserved => Ok(()),
            Access::By(rule) => self.shared.gate.admit(rule, request, admitted),
        }
    }
}

/// A panic of one request becomes its answer, and leaves the other requests of the connection alone.
async fn without_unwinding<F>(future: F) -> Result<Response, Problem>
where
    F: Future<Output = Result<Response, Problem>>,
{
    let mut future = pin!(future);
    std::future::poll_fn(move |context| {
        // Nothing of the future is touched after it panicked.
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)))
            .unwrap_or_else(|_| Poll::Ready(Err(Problem::internal("the endpoint panicked"))))
    })
    .await
}
