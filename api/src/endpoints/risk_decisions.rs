//! `/v1/risk/decisions`: the hot path.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;

use super::within;
use crate::access::Caller;
use crate::body::read_json;
use crate::problem::Problem;
use crate::request::parse_decide_risk;
use crate::response::{DecisionView, json};
use crate::state::Shared;

/// `POST /v1/risk/decisions`: 200 with the decision. Nothing is charged.
pub(crate) async fn create(shared: Arc<Shared>, request: Request) -> Result<Response, Problem> {
    let caller = Caller::of(&request)?;
    let body = read_json(&shared, request).await?;
    let _permit = shared.admission.admit()?;
    let command = parse_decide_risk(&body)?;
    caller.acts_for(&command.details.merchant_id)?;
    drop(body);
    let decided = shared.state.decide_risk.execute(command);
    let made = within(shared.request_timeout, decided).await??;
    json(StatusCode::OK, &DecisionView::new(&made))
}
