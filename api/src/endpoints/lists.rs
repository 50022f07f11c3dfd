//! `/v1/lists`: what analysts keep on lists, which policies ask for.

use std::sync::Arc;

use application::use_cases::{AddListItemCommand, RemoveListItemCommand};
use axum::RequestExt;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::Response;
use domain::ListName;

use super::within;
use crate::access::Caller;
use crate::body::read_json;
use crate::card_shape::holds_card_number_in_a_row;
use crate::problem::{Problem, ProblemCode, list_not_found};
use crate::request::{ListItemListing, ListItemRemoval, list_cursor, parse_list_item};
use crate::response::{ListItemView, PageView, json};
use crate::state::Shared;

/// `POST /v1/lists/{list}/items`: 200 with the item as it is on the list now, also where it was there before.
pub(crate) async fn add(shared: Arc<Shared>, mut request: Request) -> Result<Response, Problem> {
    let by_key = Caller::of(&request)?.list_author().transpose()?;
    let list = list_of_path(&mut request).await?;
    if holds_card_number_in_a_row(list.as_str()) {
        return Err(Problem::new(
            ProblemCode::CardNumberMisplaced,
            "The name of the list in the path holds a card number. Nothing was done; to list a card, add its fingerprint to a list.",
        ));
    }
    let body = read_json(&shared, request).await?;
    let _permit = shared.admission.admit()?;
    let item = parse_list_item(&body, by_key)?;
    drop(body);
    let command = AddListItemCommand {
        list,
        subject: item.subject,
        value: item.value,
        expires_at: item.expires_at,
        note: item.note,
        added_by: item.added_by,
    };
    let added = shared.state.lists.add.execute(command);
    let item = within(shared.request_timeout, added).await??;
    json(StatusCode::OK, &ListItemView::new(&item))
}

/// `GET /v1/lists/{list}/items`: by subject and value, page by page.
pub(crate) async fn list(shared: Arc<Shared>, mut request: Request) -> Result<Response, Problem> {
    let list = list_of_path(&mut request).await?;
    let ListItemListing { after, limit } = ListItemListing::of(request.uri())?;
    let _permit = shared.admission.admit()?;
    let listed = shared.state.lists.list.execute(&list, after.as_ref(), limit);
    let page = within(shared.request_timeout, listed).await??;
    let next = page.next.as_ref().map(list_cursor);
    json(
        StatusCode::OK,
        &PageView::new(&page.items, ListItemView::new, next),
    )
}

/// `DELETE /v1/lists/{list}/items?subject=…&value=…`: 204. The value stands in the query, where one with a slash, such as a
/// range of addresses, comes through every proxy.
pub(crate) async fn remove(shared: Arc<Shared>, mut request: Request) -> Result<Response, Problem> {
    let list = list_of_path(&mut request).await?;
    let ListItemRemoval { subject, value } = ListItemRemoval::of(request.uri())?;
    let _permit = shared.admission.admit()?;
    let command = RemoveListItemCommand { list, subject, value };
    let removed = shared.state.lists.remove.execute(command);
    within(shared.request_timeout, removed).await??;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// The list that the path names. The same problem for a name that no list has and for one that none can have.
async fn list_of_path(request: &mut Request) -> Result<ListName, Problem> {
    let Ok(Path(name)) = request.extract_parts::<Path<String>>().await else {
        return Err(list_not_found());
    };
    ListName::parse(&name).map_err(|_| list_not_found())
}
