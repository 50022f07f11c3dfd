//! `/v1/events`: what happened to payments, in order.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;

use super::within;
use crate::access::Caller;
use crate::problem::Problem;
use crate::request::EventListing;
use crate::response::{EventView, PageView, json};
use crate::state::Shared;

/// `GET /v1/events`: the oldest first, behind a cursor.
pub(crate) async fn list(shared: Arc<Shared>, request: Request) -> Result<Response, Problem> {
    let caller = Caller::of(&request)?;
    let EventListing {
        merchant,
        after,
        limit,
    } = EventListing::of(request.uri())?;
    let merchant = caller.narrow(merchant)?;
    let _permit = shared.admission.admit()?;
    let listed = shared.state.list_events.execute(after, merchant.as_ref(), limit);
    let page = within(shared.request_timeout, listed).await?;
    let page = page.map_err(|error| Problem::of_repository(&error))?;
    // Also behind the last one that there is: events that are to come are behind it.
    let next = page.items.last().map(|last| last.position.to_string());
    let view = PageView::new(&page.items, EventView::new, next);
    json(StatusCode::OK, &view.with_more(page.has_more))
}
