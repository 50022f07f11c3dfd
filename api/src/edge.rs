//! The frame round every endpoint: request id, metrics, one log line, and a last resort for panics. A function rather
//! than a stack of middlewares, because each of those costs an allocation and a virtual call per request.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use axum::extract::Request;
use axum::response::Response;

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
}

impl Edge {
    pub(crate) fn new(shared: &Arc<Shared>, route: &'static str) -> Arc<Self> {
        Arc::new(Self {
            shared: Arc::clone(shared),
            route,
            metrics: shared.state.http_metrics.route(route),
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
        let result = if uri_bytes > MAX_URI_BYTES {
            Err(Problem::new(
                ProblemCode::UriTooLong,
                format!("The path and query have {uri_bytes} bytes; at most {MAX_URI_BYTES} are read."),
            ))
        } else {
            without_unwinding(handler(Arc::clone(&self.shared), request)).await
        };
        let mut response = result.unwrap_or_else(|problem| problem.into_response(id_text));
        let status = response.status();
        guard.answered(status);
        tracing::debug!(
            http.request.id = id_text,
            http.request.method = method.as_str(),
            http.route = self.route,
            http.response.status_code = status.as_u16(),
            elapsed_us = guard.elapsed_us(),
            "request served"
        );
        response.headers_mut().insert(X_REQUEST_ID, id);
        response
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
