//! `/v1/policies` and `/v1/nodes`.

use std::sync::Arc;

use axum::RequestExt;
use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::Response;

use crate::problem::{Problem, ProblemCode};
use crate::response::{NodesView, PoliciesView, PolicyView, json};
use crate::state::Shared;

/// `GET /v1/policies`: how every policy stands on this node.
pub(crate) async fn list(shared: Arc<Shared>, _request: Request) -> Result<Response, Problem> {
    let _permit = shared.admission.admit()?;
    let listed = shared.state.list_policies.execute();
    json(StatusCode::OK, &PoliciesView::new(&listed))
}

/// `GET /v1/policies/{name}`: how one policy stands on this node.
pub(crate) async fn show(shared: Arc<Shared>, mut request: Request) -> Result<Response, Problem> {
    let name = request.extract_parts::<Path<String>>().await;
    let _permit = shared.admission.admit()?;
    let listed = shared.state.list_policies.execute();
    let named = |name: &Path<String>| listed.policies.iter().find(|policy| *policy.name == **name);
    match name.ok().as_ref().and_then(named) {
        Some(policy) => json(StatusCode::OK, &PolicyView::new(policy)),
        None => Err(Problem::new(
            ProblemCode::PolicyNotFound,
            "This node knows no policy of the name in the path.",
        )),
    }
}

/// `GET /v1/nodes`: this node. Of the others it knows nothing: a gateway may write its own status to the policy store, and read
/// nobody's.
pub(crate) async fn nodes(shared: Arc<Shared>, _request: Request) -> Result<Response, Problem> {
    let _permit = shared.admission.admit()?;
    let listed = shared.state.list_policies.execute();
    json(StatusCode::OK, &NodesView::new(&shared.state.node, &listed))
}
