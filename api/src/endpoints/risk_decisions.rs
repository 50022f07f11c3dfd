//! `/v1/risk/decisions`: deciding, which is the hot path, and what was decided.

use std::sync::Arc;

use axum::RequestExt;
use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::Response;
use domain::DecisionId;

use super::within;
use crate::access::Caller;
use crate::body::read_json;
use crate::problem::{Problem, decision_not_found};
use crate::request::{DecisionListing, decision_cursor, parse_decide_risk};
use crate::response::{DecisionView, PageView, RecordedDecisionView, json, json_of};
use crate::state::Shared;

/// `POST /v1/risk/decisions`: 200 with the decision. Nothing is charged.
pub(crate) async fn create(shared: Arc<Shared>, request: Request) -> Result<Response, Problem> {
    let caller = Caller::of(&request)?;
    let body = read_json(&shared, request).await?;
    let _permit = shared.admission.admit()?;
    let command = parse_decide_risk(&body)?;
    caller.acts_for(&command.details.merchant_id)?;
    drop(body);
    let decided = shared.state.decisions.decide.execute(command);
    let made = within(shared.request_timeout, decided).await??;
    json_of(
        DecisionView::usual_bytes(&made),
        StatusCode::OK,
        &DecisionView::new(&made),
    )
}

/// `GET /v1/risk/decisions/{decision}`: 200 with the decision and what it was about.
pub(crate) async fn show(shared: Arc<Shared>, mut request: Request) -> Result<Response, Problem> {
    let caller = Caller::of(&request)?;
    let Ok(Path(name)) = request.extract_parts::<Path<String>>().await else {
        return Err(decision_not_found());
    };
    let id = DecisionId::parse(&name).map_err(|_| decision_not_found())?;
    let _permit = shared.admission.admit()?;
    let found = shared.state.decisions.get.execute(&id);
    let recorded = within(shared.request_timeout, found).await??;
    if !caller.sees(&recorded.merchant_id) {
        return Err(decision_not_found());
    }
    json(StatusCode::OK, &RecordedDecisionView::new(&recorded))
}

/// `GET /v1/risk/decisions`: the newest first, page by page.
pub(crate) async fn list(shared: Arc<Shared>, request: Request) -> Result<Response, Problem> {
    let caller = Caller::of(&request)?;
    let DecisionListing {
        mut query,
        after,
        limit,
    } = DecisionListing::of(request.uri())?;
    query.merchant = caller.narrow(query.merchant)?;
    let _permit = shared.admission.admit()?;
    let listed = shared.state.decisions.list.execute(&query, after.as_ref(), limit);
    let page = within(shared.request_timeout, listed).await??;
    let next = page.items.last().filter(|_| page.has_more).map(decision_cursor);
    json(
        StatusCode::OK,
        &PageView::new(&page.items, RecordedDecisionView::new, next),
    )
}
