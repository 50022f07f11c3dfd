//! `/v1/webhook-endpoints`: where a merchant's events are sent.

use std::sync::Arc;

use application::use_cases::{DEFAULT_SECRET_OVERLAP_SECONDS, WebhookEndpointOf};
use axum::RequestExt;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::Response;
use domain::WebhookEndpointId;

use super::within;
use crate::access::Caller;
use crate::body::{read_json, read_optional_json};
use crate::problem::{Problem, webhook_endpoint_not_found};
use crate::request::{DeliveryListing, EndpointListing, parse_new_endpoint, parse_rotation, parse_update};
use crate::response::{DeliveryView, EndpointView, PageView, json};
use crate::state::Shared;

/// `POST /v1/webhook-endpoints`: 201 with the endpoint and its secret.
pub(crate) async fn create(shared: Arc<Shared>, request: Request) -> Result<Response, Problem> {
    let caller = Caller::of(&request)?;
    let body = read_json(&shared, request).await?;
    let _permit = shared.admission.admit()?;
    let command = parse_new_endpoint(&body)?;
    caller.acts_for(&command.merchant_id)?;
    let created = shared.state.webhooks.create.execute(command);
    let endpoint = within(shared.request_timeout, created).await??;
    json(StatusCode::CREATED, &EndpointView::with_secret(&endpoint))
}

/// `GET /v1/webhook-endpoints`: in the order of their names, page by page.
pub(crate) async fn list(shared: Arc<Shared>, request: Request) -> Result<Response, Problem> {
    let EndpointListing {
        merchant,
        after,
        limit,
    } = EndpointListing::of(request.uri())?;
    let merchant = Caller::of(&request)?.narrow(merchant)?;
    let _permit = shared.admission.admit()?;
    let listed = shared
        .state
        .webhooks
        .list
        .execute(merchant.as_ref(), after.as_ref(), limit);
    let page = within(shared.request_timeout, listed).await??;
    let next = page
        .items
        .last()
        .filter(|_| page.has_more)
        .map(|last| last.id.to_string());
    json(
        StatusCode::OK,
        &PageView::new(&page.items, EndpointView::new, next),
    )
}

/// `GET /v1/webhook-endpoints/{id}`.
pub(crate) async fn show(shared: Arc<Shared>, mut request: Request) -> Result<Response, Problem> {
    let of = endpoint_of_path(&mut request).await?;
    let _permit = shared.admission.admit()?;
    let endpoint = within(shared.request_timeout, shared.state.webhooks.get.execute(&of)).await??;
    json(StatusCode::OK, &EndpointView::new(&endpoint))
}

/// `PATCH /v1/webhook-endpoints/{id}`: 200 with the endpoint as it is then.
pub(crate) async fn update(shared: Arc<Shared>, mut request: Request) -> Result<Response, Problem> {
    let of = endpoint_of_path(&mut request).await?;
    let body = read_json(&shared, request).await?;
    let _permit = shared.admission.admit()?;
    let command = parse_update(&body, of)?;
    let updated = shared.state.webhooks.update.execute(command);
    let endpoint = within(shared.request_timeout, updated).await??;
    json(StatusCode::OK, &EndpointView::new(&endpoint))
}

/// `DELETE /v1/webhook-endpoints/{id}`: 204.
pub(crate) async fn delete(shared: Arc<Shared>, mut request: Request) -> Result<Response, Problem> {
    let of = endpoint_of_path(&mut request).await?;
    let _permit = shared.admission.admit()?;
    within(shared.request_timeout, shared.state.webhooks.delete.execute(of)).await??;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// `POST /v1/webhook-endpoints/{id}/rotate-secret`: 200 with the endpoint and its new secret.
pub(crate) async fn rotate_secret(shared: Arc<Shared>, mut request: Request) -> Result<Response, Problem> {
    let of = endpoint_of_path(&mut request).await?;
    let body = read_optional_json(&shared, request).await?;
    let _permit = shared.admission.admit()?;
    let overlap_seconds = if parse_rotation(&body)? {
        DEFAULT_SECRET_OVERLAP_SECONDS
    } else {
        0
    };
    let rotated = shared.state.webhooks.rotate_secret.execute(of, overlap_seconds);
    let endpoint = within(shared.request_timeout, rotated).await??;
    json(StatusCode::OK, &EndpointView::with_secret(&endpoint))
}

/// `GET /v1/webhook-endpoints/{id}/deliveries`: the newest first, page by page.
pub(crate) async fn deliveries(shared: Arc<Shared>, mut request: Request) -> Result<Response, Problem> {
    let of = endpoint_of_path(&mut request).await?;
    let DeliveryListing { state, after, limit } = DeliveryListing::of(request.uri())?;
    let _permit = shared.admission.admit()?;
    let listed = shared
        .state
        .webhooks
        .list_deliveries
        .execute(of, state, after, limit);
    let page = within(shared.request_timeout, listed).await??;
    let next = page
        .items
        .last()
        .filter(|_| page.has_more)
        .map(|last| last.position.to_string());
    json(
        StatusCode::OK,
        &PageView::new(&page.items, DeliveryView::new, next),
    )
}

/// Which endpoint the path names, and whose it has to be for the caller to see it.
async fn endpoint_of_path(request: &mut Request) -> Result<WebhookEndpointOf, Problem> {
    let Ok(Path(id)) = request.extract_parts::<Path<String>>().await else {
        return Err(webhook_endpoint_not_found());
    };
    let id = WebhookEndpointId::parse(&id).map_err(|_| webhook_endpoint_not_found())?;
    let merchant = Caller::of(request)?.merchant().cloned();
    Ok(WebhookEndpointOf { id, merchant })
}
