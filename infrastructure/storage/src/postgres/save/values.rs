//! What a save writes, in the types of the database.

use application::ports::{KeyEntry, KeyWrite, StoredAnswer};
use domain::payment::{AcquirerReference, DeclineCode, Operation};
use domain::{OperationId, Payment, Timestamp};
use tokio_postgres::types::ToSql;

use super::KeyAction;
use crate::record::{self, Damage, EventColumns};

/// The values of one save.
pub(in crate::postgres) struct SaveValues {
    pub(super) is_new: bool,
    id: String,
    merchant_id: String,
    status: &'static str,
    currency: &'static str,
    amount_minor_units: i64,
    expires_at_ms: Option<i64>,
    updated_at_ms: i64,
    document: String,
    /// Of a payment that is new when it was created, else the version that was read.
    created_at_ms_or_version: i64,
    operations: OperationValues,
    events: EventValues,
    captured_minor_units: i64,
    refunded_minor_units: i64,
    key: Option<KeyValues>,
}

/// A list for each column.
#[derive(Default)]
struct OperationValues {
    position: Vec<i64>,
    id: Vec<String>,
    kind: Vec<&'static str>,
    status: Vec<&'static str>,
    currency: Vec<&'static str>,
    amount_minor_units: Vec<i64>,
    acquirer_reference: Vec<Option<String>>,
    decline_code: Vec<Option<&'static str>>,
    inquiries: Vec<i64>,
    inquire_at_ms: Vec<Option<i64>>,
    created_at_ms: Vec<i64>,
    updated_at_ms: Vec<i64>,
}

/// A list for each column that is not the payment's.
#[derive(Default)]
struct EventValues {
    id: Vec<String>,
    kind: Vec<String>,
    operation_id: Vec<Option<String>>,
    occurred_at_ms: Vec<i64>,
}

struct KeyValues {
    action: KeyAction,
    tenant: String,
    key: String,
    operation_id: Option<String>,
    claimed_until_ms: i64,
    answer_status: Option<i64>,
    answer_body: Option<Vec<u8>>,
    digest: Vec<u8>,
    payment_id: String,
    created_at_ms: i64,
}

impl SaveValues {
    pub(in crate::postgres) fn of(payment: &Payment, key: Option<KeyWrite<'_>>) -> Result<Self, Damage> {
        let record = payment.record();
        let amount = record.details.amount;
        let amounts = payment.amounts();
        let is_new = record.version == 0;
        Ok(Self {
            is_new,
            id: record.id.to_string(),
            merchant_id: record.details.merchant_id.to_string(),
            status: record.status.as_str(),
            currency: amount.currency().code(),
            amount_minor_units: amount.minor_units(),
            expires_at_ms: record.expires_at.map(millis),
            updated_at_ms: millis(record.updated_at),
            document: record::encode(record)?,
            created_at_ms_or_version: if is_new {
                millis(record.created_at)
            } else {
                i64::try_from(record.version).map_err(|_| Damage::of("version", "is out of range"))?
            },
            operations: OperationValues::of(&record.operations),
            events: EventValues::of(EventColumns::of(payment)),
            captured_minor_units: amounts.captured,
            refunded_minor_units: amounts.refunded,
            key: key.map(KeyValues::of),
        })
    }

    pub(super) fn key_action(&self) -> KeyAction {
        self.key.as_ref().map_or(KeyAction::None, |key| key.action)
    }

    /// In the order of the statement's numbers.
    pub(super) fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        let (operations, events) = (&self.operations, &self.events);
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![
            &self.id,
            &self.merchant_id,
            &self.status,
            &self.currency,
            &self.amount_minor_units,
            &self.expires_at_ms,
            &self.updated_at_ms,
            &self.document,
            &self.created_at_ms_or_version,
            &operations.position,
            &operations.id,
            &operations.kind,
            &operations.status,
            &operations.currency,
            &operations.amount_minor_units,
            &operations.acquirer_reference,
            &operations.decline_code,
            &operations.inquiries,
            &operations.inquire_at_ms,
            &operations.created_at_ms,
            &operations.updated_at_ms,
            &events.id,
            &events.kind,
            &events.operation_id,
            &events.occurred_at_ms,
            &self.captured_minor_units,
            &self.refunded_minor_units,
        ];
        if let Some(key) = &self.key {
            let for_both: [&(dyn ToSql + Sync); 6] = [
                &key.tenant,
                &key.key,
                &key.operation_id,
                &key.claimed_until_ms,
                &key.answer_status,
                &key.answer_body,
            ];
            parameters.extend(for_both);
            if key.action == KeyAction::Claim {
                let for_new: [&(dyn ToSql + Sync); 3] = [&key.digest, &key.payment_id, &key.created_at_ms];
                parameters.extend(for_new);
            }
        }
        parameters
    }
}

impl OperationValues {
    fn of(operations: &[Operation]) -> Self {
        let mut values = Self::default();
        for (position, operation) in (0..).zip(operations) {
            let Operation {
                id,
                kind,
                status,
                amount,
                acquirer_reference,
                decline_code,
                inquiries,
                inquire_at,
                created_at,
                updated_at,
            } = operation;
            values.position.push(position);
            values.id.push(id.to_string());
            values.kind.push(kind.as_str());
            values.status.push(status.as_str());
            values.currency.push(amount.currency().code());
            values.amount_minor_units.push(amount.minor_units());
            let reference = acquirer_reference.as_ref().map(AcquirerReference::as_str);
            values.acquirer_reference.push(reference.map(str::to_owned));
            values.decline_code.push(decline_code.map(DeclineCode::as_str));
            values.inquiries.push(i64::from(*inquiries));
            values.inquire_at_ms.push(inquire_at.map(millis));
            values.created_at_ms.push(millis(*created_at));
            values.updated_at_ms.push(millis(*updated_at));
        }
        values
    }
}

impl EventValues {
    fn of(events: Vec<EventColumns>) -> Self {
        let mut values = Self::default();
        for event in events {
            values.id.push(event.id);
            values.kind.push(event.kind);
            values.operation_id.push(event.operation_id);
            values.occurred_at_ms.push(event.occurred_at_ms.cast_signed());
        }
        values
    }
}

impl KeyValues {
    fn of(write: KeyWrite<'_>) -> Self {
        let KeyEntry {
            tenant,
            key,
            digest,
            payment_id,
            operation_id,
            claimed_until,
            answer,
            created_at,
        } = write.entry();
        Self {
            action: match write {
                KeyWrite::Claim(_) => KeyAction::Claim,
                KeyWrite::Update(_) => KeyAction::Update,
            },
            tenant: tenant.to_string(),
            key: key.as_str().to_owned(),
            operation_id: operation_id.as_ref().map(OperationId::to_string),
            claimed_until_ms: millis(*claimed_until),
            answer_status: answer.as_ref().map(|answer| i64::from(answer.status)),
            answer_body: answer.as_ref().map(|StoredAnswer { body, .. }| body.clone()),
            digest: digest.0.to_vec(),
            payment_id: payment_id.to_string(),
            created_at_ms: millis(*created_at),
        }
    }
}

/// No moment is after the year 9999.
pub(in crate::postgres) fn millis(moment: Timestamp) -> i64 {
    moment.unix_millis().cast_signed()
}
