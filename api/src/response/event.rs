//! An event, as `/v1/events` and webhooks show it.

use application::ports::{EventRenderer, StoredEvent};
use domain::OperationId;
use serde::Serialize;

use super::scalar::{AmountView, Rfc3339};

#[derive(Serialize)]
pub(crate) struct EventView<'a> {
    id: &'a str,
    r#type: &'static str,
    occurred_at: Rfc3339,
    data: DataView<'a>,
}

/// What the payment was like then.
#[derive(Serialize)]
struct DataView<'a> {
    payment_id: &'a str,
    merchant_id: &'a str,
    status: &'static str,
    operation_id: Option<&'a str>,
    amount: AmountView,
    captured_minor_units: i64,
    refunded_minor_units: i64,
}

impl<'a> EventView<'a> {
    pub(crate) fn new(stored: &'a StoredEvent) -> Self {
        Self {
            id: &stored.id,
            r#type: stored.event.kind.as_str(),
            occurred_at: Rfc3339(stored.event.occurred_at),
            data: DataView {
                payment_id: stored.payment_id.as_str(),
                merchant_id: stored.merchant_id.as_str(),
                status: stored.status.as_str(),
                operation_id: stored.event.operation.as_ref().map(OperationId::as_str),
                amount: stored.amount.into(),
                captured_minor_units: stored.captured_minor_units,
                refunded_minor_units: stored.refunded_minor_units,
            },
        }
    }
}

/// Writes events for webhooks, in the form in which `/v1/events` lists them.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonEventRenderer;

impl EventRenderer for JsonEventRenderer {
    fn render(&self, event: &StoredEvent) -> Vec<u8> {
        // Texts and numbers alone: there is nothing in it that JSON cannot hold.
        serde_json::to_vec(&EventView::new(event)).unwrap_or_default()
    }
}
