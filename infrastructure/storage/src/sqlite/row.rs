//! Payments as rows: how they are written, and how they are read back and held against each other.

use application::ports::{KeyEntry, KeyWrite, RepositoryError};
use domain::payment::{AcquirerReference, DeclineCode, Operation, PaymentStatus};
use domain::{MerchantId, Money, Payment, PaymentId, Timestamp};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, named_params, params};

use super::{events, keys};
use crate::record::{self, Damage, EventColumns, OperationColumns, PaymentColumns};

/// A payment ready to be written, with all that goes with it. Made by whoever saves, so that the one thread that writes has the
/// least to do.
#[derive(Debug)]
pub(super) struct PaymentRow {
    id: PaymentId,
    merchant_id: MerchantId,
    status: PaymentStatus,
    amount: Money,
    expires_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// The version that it was read in; 0 where it is new.
    version: u64,
    operations: Vec<Operation>,
    document: String,
    events: Vec<EventColumns>,
    key: Option<KeyRow>,
}

/// What is to be written of an idempotency key.
#[derive(Debug)]
pub(super) struct KeyRow {
    pub(super) entry: KeyEntry,
    /// It must not be there yet; else it must be, and without an answer.
    pub(super) is_new: bool,
}

/// Whether the row is there, in the version that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Yes,
    /// It is not, and nothing was changed.
    No,
    /// The idempotency key is not as it was expected, and nothing was changed.
    KeyTaken,
}

// Values are bound in the order in which their names stand here: to look a name up takes longer than to bind its value.
const INSERT_PAYMENT: &str = "
    INSERT INTO payments (id, merchant_id, status, currency, amount_minor_units, expires_at_ms, created_at_ms,
        updated_at_ms, version, record)
    VALUES (:id, :merchant_id, :status, :currency, :amount_minor_units, :expires_at_ms, :created_at_ms, :updated_at_ms, 1,
        :record)
    ON CONFLICT (id) DO NOTHING";

const UPDATE_PAYMENT: &str = "
    UPDATE payments SET status = :status, expires_at_ms = :expires_at_ms, updated_at_ms = :updated_at_ms,
        version = version + 1, record = :record
    WHERE id = :id AND version = :version";

/// An operation keeps its place and its name; only how it stands changes.
const PUT_OPERATION: &str = "
    INSERT INTO operations (payment_id, position, id, kind, status, currency, amount_minor_units,
        acquirer_reference, decline_code, inquiries, inquire_at_ms, created_at_ms, updated_at_ms)
    VALUES (:payment_id, :position, :id, :kind, :status, :currency, :amount_minor_units, :acquirer_reference,
        :decline_code, :inquiries, :inquire_at_ms, :created_at_ms, :updated_at_ms)
    ON CONFLICT (payment_id, position) DO UPDATE
    SET status = excluded.status, acquirer_reference = excluded.acquirer_reference,
        decline_code = excluded.decline_code, inquiries = excluded.inquiries,
        inquire_at_ms = excluded.inquire_at_ms, updated_at_ms = excluded.updated_at_ms
    WHERE updated_at_ms <> excluded.updated_at_ms OR status <> excluded.status OR inquiries <> excluded.inquiries
        OR inquire_at_ms IS NOT excluded.inquire_at_ms";

const FIND_PAYMENT: &str = "
    SELECT merchant_id, status, currency, amount_minor_units, expires_at_ms, created_at_ms, updated_at_ms, version,
        record
    FROM payments WHERE id = :id";

const FIND_OPERATIONS: &str = "
    SELECT id, kind, status, currency, amount_minor_units, acquirer_reference, decline_code, inquiries, inquire_at_ms,
        created_at_ms, updated_at_ms
    FROM operations WHERE payment_id = :payment_id ORDER BY position";

impl PaymentRow {
    pub(super) fn of(payment: &Payment, key: Option<KeyWrite<'_>>) -> Result<Self, Damage> {
        let record = payment.record();
        Ok(Self {
            id: record.id.clone(),
            merchant_id: record.details.merchant_id.clone(),
            status: record.status,
            amount: record.details.amount,
            expires_at: record.expires_at,
            created_at: record.created_at,
            updated_at: record.updated_at,
            version: record.version,
            operations: record.operations.clone(),
            document: record::encode(record)?,
            events: EventColumns::of(payment),
            key: key.map(|write| KeyRow {
                is_new: matches!(write, KeyWrite::Claim(_)),
                entry: write.entry().clone(),
            }),
        })
    }

    /// Writes a payment, new or over the version that it was read in, and all that goes with it, or nothing.
    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<Written> {
        // Asked before anything is written: others share the transaction, and would be undone with this one.
        let key = match &self.key {
            None => None,
            Some(key) => match keys::place(connection, key)? {
                Some(place) => Some((key, place)),
                None => return Ok(Written::KeyTaken),
            },
        };
        let changed = match self.version {
            0 => self.insert(connection)?,
            version => self.update(connection, version)?,
        };
        if changed == 0 {
            return Ok(Written::No);
        }
        for (position, operation) in self.operations.iter().enumerate() {
            put_operation(connection, &self.id, position, operation)?;
        }
        events::append(connection, &self.events)?;
        if let Some((key, place)) = key {
            keys::put(connection, key, place)?;
        }
        Ok(Written::Yes)
    }

    fn insert(&self, connection: &Connection) -> rusqlite::Result<usize> {
        connection.prepare_cached(INSERT_PAYMENT)?.execute(params![
            self.id.as_str(),
            self.merchant_id.as_str(),
            self.status.as_str(),
            self.amount.currency().code(),
            self.amount.minor_units(),
            self.expires_at.map(Timestamp::unix_millis),
            self.created_at.unix_millis(),
            self.updated_at.unix_millis(),
            self.document,
        ])
    }

    fn update(&self, connection: &Connection, expected: u64) -> rusqlite::Result<usize> {
        connection.prepare_cached(UPDATE_PAYMENT)?.execute(params![
            self.status.as_str(),
            self.expires_at.map(Timestamp::unix_millis),
            self.updated_at.unix_millis(),
            self.document,
            self.id.as_str(),
            expected,
        ])
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
        decline_code,
        inquiries,
        inquire_at,
        created_at,
        updated_at,
    } = operation;
    connection.prepare_cached(PUT_OPERATION)?.execute(params![
        payment_id.as_str(),
        position,
        id.as_str(),
        kind.as_str(),
        status.as_str(),
        amount.currency().code(),
        amount.minor_units(),
        acquirer_reference.as_ref().map(AcquirerReference::as_str),
        decline_code.map(DeclineCode::as_str),
        inquiries,
        inquire_at.map(Timestamp::unix_millis),
        created_at.unix_millis(),
        updated_at.unix_millis(),
    ])?;
    Ok(())
}

/// The payment of a name, as it was at one moment.
pub(super) fn find(connection: &Connection, id: &PaymentId) -> Result<Option<Payment>, RepositoryError> {
    let snapshot = snapshot(connection)?;
    find_in(&snapshot, id)
}

/// What is read through it was so at one moment.
pub(super) fn snapshot(connection: &Connection) -> Result<rusqlite::Transaction<'_>, RepositoryError> {
    connection
        .unchecked_transaction()
        .map_err(|error| unavailable(&error))
}

/// The payment of a name. Its rows have to be read through one snapshot, so that no save comes between them.
pub(super) fn find_in(connection: &Connection, id: &PaymentId) -> Result<Option<Payment>, RepositoryError> {
    let corrupt = |reason: String| RepositoryError::Corrupt {
        id: id.clone(),
        reason,
    };
    let stored = match read(connection, id) {
        Ok(stored) => stored,
        Err(error) if is_damage(&error) => return Err(corrupt(error.to_string())),
        Err(error) => return Err(unavailable(&error)),
    };
    let Some((payment, operations)) = stored else {
        return Ok(None);
    };
    let payment = payment.restore(id, operations);
    payment.map(Some).map_err(|damage| corrupt(damage.to_string()))
}

pub(super) fn unavailable(error: &rusqlite::Error) -> RepositoryError {
    RepositoryError::Unavailable {
        reason: error.to_string(),
    }
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

fn read(connection: &Connection, id: &PaymentId) -> rusqlite::Result<Option<StoredPayment>> {
    let payment = connection
        .prepare_cached(FIND_PAYMENT)?
        .query_row(named_params! { ":id": id.as_str() }, payment_columns)
        .optional()?;
    let Some(payment) = payment else {
        return Ok(None);
    };
    let operations = connection
        .prepare_cached(FIND_OPERATIONS)?
        .query_map(named_params! { ":payment_id": id.as_str() }, operation_columns)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(Some((payment, operations)))
}

fn payment_columns(row: &Row<'_>) -> rusqlite::Result<PaymentColumns> {
    Ok(PaymentColumns {
        merchant_id: row.get(0)?,
        status: row.get(1)?,
        currency: row.get(2)?,
        amount_minor_units: row.get(3)?,
        expires_at_ms: row.get(4)?,
        created_at_ms: row.get(5)?,
        updated_at_ms: row.get(6)?,
        version: row.get(7)?,
        record: row.get(8)?,
    })
}

fn operation_columns(row: &Row<'_>) -> rusqlite::Result<OperationColumns> {
    Ok(OperationColumns {
        id: row.get(0)?,
        kind: row.get(1)?,
        status: row.get(2)?,
        currency: row.get(3)?,
        amount_minor_units: row.get(4)?,
        acquirer_reference: row.get(5)?,
        decline_code: row.get(6)?,
        inquiries: row.get(7)?,
        inquire_at_ms: row.get(8)?,
        created_at_ms: row.get(9)?,
        updated_at_ms: row.get(10)?,
    })
}
