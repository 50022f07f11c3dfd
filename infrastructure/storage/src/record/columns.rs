//! The columns beside the document, whatever database they come from: read back, and held against the document.

use domain::payment::{
    AcquirerReference, DeclineCode, Operation, OperationKind, OperationStatus, PaymentRecord,
};
use domain::{OperationId, Payment, PaymentId, Timestamp};

use super::{Damage, decode, known, moment, money, parsed};

/// The row of a payment.
#[derive(Debug)]
pub(crate) struct PaymentColumns {
    pub(crate) merchant_id: String,
    pub(crate) status: String,
    pub(crate) currency: String,
    pub(crate) amount_minor_units: i64,
    pub(crate) expires_at_ms: Option<u64>,
    pub(crate) created_at_ms: u64,
    pub(crate) updated_at_ms: u64,
    pub(crate) version: u64,
    pub(crate) record: String,
}

impl PaymentColumns {
    /// The payment of a name, its row and those of its operations, in their order.
    pub(crate) fn restore(
        self,
        id: &PaymentId,
        operations: Vec<OperationColumns>,
    ) -> Result<Payment, Damage> {
        let operations = operations.into_iter().map(OperationColumns::restore);
        let operations = operations.collect::<Result<Vec<_>, _>>()?;
        let record = decode(&self.record, id, operations, self.version)?;
        self.agree_with(&record)?;
        Payment::restore(record).map_err(Damage::whole)
    }

    /// Searches go by the columns, so a column that says something else would show the payment as what it is not.
    fn agree_with(&self, record: &PaymentRecord) -> Result<(), Damage> {
        let amount = record.details.amount;
        let agreements = [
            (
                "merchant_id",
                self.merchant_id == record.details.merchant_id.as_str(),
            ),
            ("status", self.status == record.status.as_str()),
            ("currency", self.currency == amount.currency().code()),
            (
                "amount_minor_units",
                self.amount_minor_units == amount.minor_units(),
            ),
            (
                "expires_at_ms",
                self.expires_at_ms == record.expires_at.map(Timestamp::unix_millis),
            ),
            (
                "created_at_ms",
                self.created_at_ms == record.created_at.unix_millis(),
            ),
            (
                "updated_at_ms",
                self.updated_at_ms == record.updated_at.unix_millis(),
            ),
        ];
        match agreements.iter().find(|(_, agrees)| !agrees) {
            Some((column, _)) => Err(Damage::of(column, "is not what the record says")),
            None => Ok(()),
        }
    }
}

/// The row of an operation.
#[derive(Debug)]
pub(crate) struct OperationColumns {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) currency: String,
    pub(crate) amount_minor_units: i64,
    pub(crate) acquirer_reference: Option<String>,
    pub(crate) decline_code: Option<String>,
    pub(crate) inquiries: u32,
    pub(crate) inquire_at_ms: Option<u64>,
    pub(crate) created_at_ms: u64,
    pub(crate) updated_at_ms: u64,
}

impl OperationColumns {
    fn restore(self) -> Result<Operation, Damage> {
        Ok(Operation {
            id: parsed("operations.id", &self.id, OperationId::parse)?,
            kind: known("operations.kind", &self.kind, OperationKind::parse)?,
            status: known("operations.status", &self.status, OperationStatus::parse)?,
            amount: money("operations.amount", self.amount_minor_units, &self.currency)?,
            acquirer_reference: self
                .acquirer_reference
                .map(|text| parsed("operations.acquirer_reference", &text, AcquirerReference::parse))
                .transpose()?,
            decline_code: self
                .decline_code
                .map(|code| known("operations.decline_code", &code, DeclineCode::parse))
                .transpose()?,
            inquiries: self.inquiries,
            inquire_at: self
                .inquire_at_ms
                .map(|millis| moment("operations.inquire_at_ms", millis))
                .transpose()?,
            created_at: moment("operations.created_at_ms", self.created_at_ms)?,
            updated_at: moment("operations.updated_at_ms", self.updated_at_ms)?,
        })
    }
}
