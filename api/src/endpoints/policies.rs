//! `/v1/policies`.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;

use crate::problem::Problem;
use crate::response::{PoliciesView, json};
use crate::state::Shared;

/// `GET /v1/policies`: how every policy stands on this node.
pub(crate) async fn list(shared: Arc<Shared>, _request: Request) -> Result<Response, Problem> {
    let _permit = shared.admission.admit()?;
    let listed = shared.state.list_policies.execute();
    json(StatusCode::OK, &PoliciesView::new(&listed))
}
