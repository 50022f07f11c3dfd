//! What is answered: views that borrow from domain types and are written straight into one buffer.

mod decision;
mod event;
mod list_item;
mod nodes;
mod page;
mod payment;
mod policies;
mod scalar;
mod webhooks;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::{Serialize, Serializer};

pub(crate) use decision::{DecisionView, RecordedDecisionView};
pub(crate) use event::EventView;
pub use event::JsonEventRenderer;
pub(crate) use list_item::ListItemView;
pub(crate) use nodes::NodesView;
pub(crate) use page::PageView;
pub(crate) use payment::{PaymentView, payment_answer};
pub(crate) use policies::{PoliciesView, PolicyView};
pub(crate) use webhooks::{DeliveryView, EndpointView};

use crate::problem::Problem;

/// The buffer's first size in bytes: holds a decision of some five policies, so that most answers never grow it.
const FIRST_BUFFER_BYTES: usize = 2_048;

/// A view as the body of an answer.
pub(crate) fn json(status: StatusCode, view: &impl Serialize) -> Result<Response, Problem> {
    json_of(FIRST_BUFFER_BYTES, status, view)
}

/// The same, of some so many bytes.
pub(crate) fn json_of(bytes: usize, status: StatusCode, view: &impl Serialize) -> Result<Response, Problem> {
    let mut buffer = Vec::with_capacity(bytes);
    serde_json::to_writer(&mut buffer, view).map_err(|error| Problem::internal(error.to_string()))?;
    json_bytes(status, buffer)
}

/// A body of JSON that is written already.
pub(crate) fn json_bytes(status: StatusCode, body: Vec<u8>) -> Result<Response, Problem> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// A list whose items are viewed one by one as they are written.
struct Each<'a, T, V>(&'a [T], fn(&'a T) -> V);

impl<T, V: Serialize> Serialize for Each<'_, T, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(self.1))
    }
}
