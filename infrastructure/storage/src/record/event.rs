//! Events, as columns.

use application::ports::StoredEvent;
use domain::payment::{PaymentEvent, PaymentEventKind, PaymentStatus};
use domain::{MerchantId, OperationId, Payment, PaymentId, Timestamp};

use super::{Damage, known, moment, money, parsed};

/// The row of an event; its position is the database's to say.
#[derive(Clone, Debug)]
pub(crate) struct EventColumns {
    pub(crate) id: String,
    pub(crate) payment_id: String,
    pub(crate) merchant_id: String,
    pub(crate) kind: String,
    pub(crate) operation_id: Option<String>,
    pub(crate) occurred_at_ms: u64,
    pub(crate) status: String,
    pub(crate) currency: String,
    pub(crate) amount_minor_units: i64,
    pub(crate) captured_minor_units: i64,
    pub(crate) refunded_minor_units: i64,
}

impl EventColumns {
    /// The events that a save of the payment writes. Named by the version that the save makes, so that no two have one name.
    pub(crate) fn of(payment: &Payment) -> Vec<Self> {
        let record = payment.record();
        let amounts = payment.amounts();
        let version = record.version + 1;
        let row = |(position, event): (usize, &PaymentEvent)| Self {
            id: format!("evt_{}_{version}_{position}", record.id),
            payment_id: record.id.to_string(),
            merchant_id: record.details.merchant_id.to_string(),
            kind: event.kind.as_str().to_owned(),
            operation_id: event.operation.as_ref().map(OperationId::to_string),
            occurred_at_ms: event.occurred_at.unix_millis(),
            status: record.status.as_str().to_owned(),
            currency: record.details.amount.currency().code().to_owned(),
            amount_minor_units: record.details.amount.minor_units(),
            captured_minor_units: amounts.captured,
            refunded_minor_units: amounts.refunded,
        };
        payment.events().iter().enumerate().map(row).collect()
    }

    pub(crate) fn restore(self, position: u64) -> Result<StoredEvent, Damage> {
        let occurred_at: Timestamp = moment("events.occurred_at_ms", self.occurred_at_ms)?;
        Ok(StoredEvent {
            position,
            payment_id: parsed("events.payment_id", &self.payment_id, PaymentId::parse)?,
            merchant_id: parsed("events.merchant_id", &self.merchant_id, MerchantId::parse)?,
            event: PaymentEvent {
                kind: known("events.kind", &self.kind, PaymentEventKind::parse)?,
                operation: self
                    .operation_id
                    .map(|id| parsed("events.operation_id", &id, OperationId::parse))
                    .transpose()?,
                occurred_at,
            },
            status: known("events.status", &self.status, PaymentStatus::parse)?,
            amount: money("events.amount", self.amount_minor_units, &self.currency)?,
            captured_minor_units: self.captured_minor_units,
            refunded_minor_units: self.refunded_minor_units,
            id: self.id,
        })
    }
}
