//! Requests that no endpoint serves.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;

use crate::problem::{Problem, ProblemCode};
use crate::state::Shared;

/// No route has this path.
pub(crate) async fn no_such_path(_shared: Arc<Shared>, _request: Request) -> Result<Response, Problem> {
    Err(Problem::new(
        ProblemCode::NotFound,
        "There is nothing under this path.",
    ))
}

/// The path has a route, for other methods. The router adds `Allow`.
pub(crate) async fn no_such_method(_shared: Arc<Shared>, _request: Request) -> Result<Response, Problem> {
    Err(Problem::new(
        ProblemCode::MethodNotAllowed,
        "The path does not take this method; `Allow` names those that it takes.",
    ))
}
