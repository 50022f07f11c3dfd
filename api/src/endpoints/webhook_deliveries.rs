//! `/v1/webhook-deliveries`: sending one again.

use std::sync::Arc;

use axum::RequestExt;
use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::Response;
use domain::WebhookDeliveryId;

use super::within;
use crate::access::Caller;
use crate::body::read_optional_json;
use crate::problem::{Problem, webhook_delivery_not_found};
use crate::request::parse_nothing;
use crate::response::{DeliveryView, json};
use crate::state::Shared;

/// `POST /v1/webhook-deliveries/{id}/replay`: 202 with the delivery, due now.
pub(crate) async fn replay(shared: Arc<Shared>, mut request: Request) -> Result<Response, Problem> {
    let Ok(Path(id)) = request.extract_parts::<Path<String>>().await else {
        return Err(webhook_delivery_not_found());
    };
    let id = WebhookDeliveryId::parse(&id).map_err(|_| webhook_delivery_not_found())?;
    let merchant = Caller::of(&request)?.merchant().cloned();
    let body = read_optional_json(&shared, request).await?;
    let _permit = shared.admission.admit()?;
    parse_nothing(&body)?;
    let replayed = shared.state.webhooks.replay.execute(&id, merchant);
    let delivery = within(shared.request_timeout, replayed).await??;
    json(StatusCode::ACCEPTED, &DeliveryView::new(&delivery))
}
