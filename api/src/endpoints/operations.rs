//! `/healthz`, `/readyz` and `/metrics`: for orchestrators and operators. Never refused for want of room, so that a full
//! node is not taken for a dead one.

use std::sync::Arc;

use application::use_cases::ReadinessCheck;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use super::within;
use crate::problem::Problem;
use crate::response::json;
use crate::state::Shared;

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

#[derive(Serialize)]
struct Readiness {
    status: &'static str,
    checks: Vec<Check>,
}

#[derive(Serialize)]
struct Check {
    name: &'static str,
    status: &'static str,
}

/// `GET /healthz`: the process lives and answers.
pub(crate) async fn health(_shared: Arc<Shared>, _request: Request) -> Result<Response, Problem> {
    json(StatusCode::OK, &Health { status: "ok" })
}

/// `GET /readyz`: 200 when this node can take payments, else 503. What is wrong with a check is in the log.
pub(crate) async fn readiness(shared: Arc<Shared>, _request: Request) -> Result<Response, Problem> {
    if shared.is_draining() {
        let draining = Readiness {
            status: "draining",
            checks: Vec::new(),
        };
        return json(StatusCode::SERVICE_UNAVAILABLE, &draining);
    }
    let checks = within(shared.request_timeout, shared.state.check_readiness.execute()).await?;
    let ready = checks.iter().all(|check| check.problem.is_none());
    let (code, status) = if ready {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not_ready")
    };
    let checks = checks.into_iter().map(rendered).collect();
    json(code, &Readiness { status, checks })
}

fn rendered(check: ReadinessCheck) -> Check {
    let ReadinessCheck { name, problem } = check;
    if let Some(error) = &problem {
        tracing::warn!(check.name = name, error, "not ready");
    }
    let status = if problem.is_none() { "ok" } else { "failed" };
    Check { name, status }
}

/// `GET /metrics`: OpenMetrics text.
pub(crate) async fn metrics(shared: Arc<Shared>, _request: Request) -> Result<Response, Problem> {
    let mut response = Response::new(Body::from((shared.state.render_metrics)()));
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8"),
    );
    Ok(response)
}
