//! Payments as rows: how they are written, and how they are read back and held against each other.

use application::ports::RepositoryError;
use domain::payment::{AcquirerReference, Operation, OperationKind, OperationStatus, PaymentRecord};
use domain::{OperationId, Payment, PaymentId};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, named_params};

use crate::record::{self, Damage, known, moment, money, parsed};

/// A payment ready to be written. Made by whoever saves, so that the one thread that writes has the least to do.
#[derive(Debug)]
pub(super) struct PaymentRow {
    record: PaymentRecord,
    document: String,
}

/// Whether the row is there, in the version that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Yes,
    /// Nothing was changed.
    No,
}

const INSERT_PAYMENT: &str = "
    INSERT INTO payments (id, merchant_id, status, currency, amount_minor_units, created_at_ms, updated_at_ms,
        version, record)
    VALUES (:id, :merchant_id, :status, :currency, :amount_minor_units, :created_at_ms, :updated_at_ms, 1, :record)
    ON CONFLICT (id) DO NOTHING";

const UPDATE_PAYMENT: &str = "
    UPDATE payments SET status = :status, updated_at_ms = :updated_at_ms, version = version + 1, record = :record
    WHERE id = :id AND version = :version";

/// An operation keeps its place and its name; only how it stands changes.
const PUT_OPERATION: &str = "
    INSERT INTO operations (payment_id, position, id, kind, status, currency, amount_minor_units,
        acquirer_reference, created_at_ms, updated_at_ms)
    VALUES (:payment_id, :position, :id, :kind, :status, :currency, :amount_minor_units, :acquirer_reference,
        :created_at_ms, :updated_at_ms)
    ON CONFLICT (payment_id, position) DO UPDATE
    SET status = excluded.status, acquirer_reference = excluded.acquirer_reference,
        updated_at_ms = excluded.updated_at_ms
    WHERE updated_at_ms <> excluded.updated_at_ms OR status <> excluded.status";

const FIND_PAYMENT: &str = "
    SELECT merchant_id, status, currency, amount_minor_units, created_at_ms, updated_at_ms, version, record
    FROM payments WHERE id = :id";

const FIND_OPERATIONS: &str = "
    SELECT id, kind, status, currency, amount_minor_units, acquirer_reference, created_at_ms, updated_at_ms
    FROM operations WHERE payment_id = :payment_id ORDER BY position";

impl PaymentRow {
    pub(super) fn of(record: &PaymentRecord) -> Result<Self, Damage> {
        Ok(Self {
            document: record::encode(record)?,
            record: record.clone(),
        })
    }

    /// Writes a payment that is new.
    pub(super) fn insert(&self, connection: &Connection) -> rusqlite::Result<Written> {
        let record = &self.record;
        let amount = record.details.amount;
        let changed = connection
            .prepare_cached(INSERT_PAYMENT)?
            .execute(named_params! {
                ":id": record.id.as_str(),
                ":merchant_id": record.details.merchant_id.as_str(),
                ":status": record.status.as_str(),
                ":currency": amount.currency().code(),
                ":amount_minor_units": amount.minor_units(),
                ":created_at_ms": record.created_at.unix_millis(),
                ":updated_at_ms": record.updated_at.unix_millis(),
                ":record": self.document,
            })?;
        self.finish(connection, changed)
    }

    /// Writes a payment over the version that it was read in.
    pub(super) fn update(&self, connection: &Connection, expected: u64) -> rusqlite::Result<Written> {
        let record = &self.record;
        let changed = connection
            .prepare_cached(UPDATE_PAYMENT)?
            .execute(named_params! {
                ":id": record.id.as_str(),
                ":version": expected,
                ":status": record.status.as_str(),
                ":updated_at_ms": record.updated_at.unix_millis(),
                ":record": self.document,
            })?;
        self.finish(connection, changed)
    }

    fn finish(&self, connection: &Connection, changed: usize) -> rusqlite::Result<Written> {
        if changed == 0 {
            return Ok(Written::No);
        }
        for (position, operation) in self.record.operations.iter().enumerate() {
            put_operation(connection, &self.record.id, position, operation)?;
        }
        Ok(Written::Yes)
    }
}

fn put_operation(
    connection: &Connection,
    payment_id: &PaymentId,
    position: usize,
    operation: &Operation,
) -> rusqlite::Result<()> {
    let Operation {
        id,
        kind,
        status,
        amount,
        acquirer_reference,
        created_at,
        updated_at,
    } = operation;
    connection.prepare_cached(PUT_OPERATION)?.execute(named_params! {
        ":payment_id": payment_id.as_str(),
        ":position": position,
        ":id": id.as_str(),
        ":kind": kind.as_str(),
        ":status": status.as_str(),
        ":currency": amount.currency().code(),
        ":amount_minor_units": amount.minor_units(),
        ":acquirer_reference": acquirer_reference.as_ref().map(AcquirerReference::as_str),
        ":created_at_ms": created_at.unix_millis(),
        ":updated_at_ms": updated_at.unix_millis(),
    })?;
    Ok(())
}

/// The payment of a name, as it was at one moment.
pub(super) fn find(connection: &Connection, id: &PaymentId) -> Result<Option<Payment>, RepositoryError> {
    let corrupt = |reason: String| RepositoryError::Corrupt {
        id: id.clone(),
        reason,
    };
    let stored = match read(connection, id) {
        Ok(stored) => stored,
        Err(error) if is_damage(&error) => return Err(corrupt(error.to_string())),
        Err(error) => {
            return Err(RepositoryError::Unavailable {
                reason: error.to_string(),
            });
        }
    };
    let Some((payment, operations)) = stored else {
        return Ok(None);
    };
    let record = payment
        .restore(id, operations)
        .map_err(|damage| corrupt(damage.to_string()))?;
    let payment = Payment::restore(record).map_err(|broken| corrupt(broken.to_string()))?;
    Ok(Some(payment))
}

/// Whether SQLite found its file or a value in it damaged, rather than out of reach.
fn is_damage(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::Utf8Error(..) => true,
        error => error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt),
    }
}

type StoredPayment = (PaymentColumns, Vec<OperationColumns>);

/// Both queries in one transaction, so that no save comes between them.
fn read(connection: &Connection, id: &PaymentId) -> rusqlite::Result<Option<StoredPayment>> {
    let snapshot = connection.unchecked_transaction()?;
    let payment = snapshot
        .prepare_cached(FIND_PAYMENT)?
        .query_row(named_params! { ":id": id.as_str() }, PaymentColumns::of)
        .optional()?;
    let Some(payment) = payment else {
        return Ok(None);
    };
    let operations = snapshot
        .prepare_cached(FIND_OPERATIONS)?
        .query_map(named_params! { ":payment_id": id.as_str() }, OperationColumns::of)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(Some((payment, operations)))
}

struct PaymentColumns {
    merchant_id: String,
    status: String,
    currency: String,
    amount_minor_units: i64,
    created_at_ms: u64,
    updated_at_ms: u64,
    version: u64,
    record: String,
}

impl PaymentColumns {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            merchant_id: row.get(0)?,
            status: row.get(1)?,
            currency: row.get(2)?,
            amount_minor_units: row.get(3)?,
            created_at_ms: row.get(4)?,
            updated_at_ms: row.get(5)?,
            version: row.get(6)?,
            record: row.get(7)?,
        })
    }

    fn restore(self, id: &PaymentId, operations: Vec<OperationColumns>) -> Result<PaymentRecord, Damage> {
        let operations = operations.into_iter().map(OperationColumns::restore);
        let operations = operations.collect::<Result<Vec<_>, _>>()?;
        let record = record::decode(&self.record, id, operations, self.version)?;
        // Searches go by the columns, so a column that says something else would show the payment as what it is not.
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
            None => Ok(record),
        }
    }
}

struct OperationColumns {
    id: String,
    kind: String,
    status: String,
    currency: String,
    amount_minor_units: i64,
    acquirer_reference: Option<String>,
    created_at_ms: u64,
    updated_at_ms: u64,
}

impl OperationColumns {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            kind: row.get(1)?,
            status: row.get(2)?,
            currency: row.get(3)?,
            amount_minor_units: row.get(4)?,
            acquirer_reference: row.get(5)?,
            created_at_ms: row.get(6)?,
            updated_at_ms: row.get(7)?,
        })
    }

    fn restore(self) -> Result<Operation, Damage> {
        Ok(Operation {
            id: parsed("operations.id", &self.id, OperationId::parse)?,
            kind: known("operations.kind", &self.kind, OperationKind::parse)?,
            status: known("operations.status", &self.status, OperationStatus::parse)?,
            amount: money("operations.amount", self.amount_minor_units, &self.currency)?,
            acquirer_reference: self
                .acquirer_reference
                .map(|reference| {
                    parsed(
                        "operations.acquirer_reference",
                        &reference,
                        AcquirerReference::parse,
                    )
                })
                .transpose()?,
            created_at: moment("operations.created_at_ms", self.created_at_ms)?,
            updated_at: moment("operations.updated_at_ms", self.updated_at_ms)?,
        })
    }
}
