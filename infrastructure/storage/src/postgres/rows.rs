//! Payments as they are read: a row for each operation, with the payment's own columns beside it.

use application::ports::RepositoryError;
use domain::{Payment, PaymentId};
use tokio_postgres::Row;

use super::failure::{unavailable, unavailable_because};
use crate::record::{Damage, OperationColumns, PaymentColumns};

/// Reads payments with their operations in one statement, so that no save comes between the two. The document comes with the first
/// operation alone.
macro_rules! select_payments {
    ($from:expr, $order:expr) => {
        concat!(
            "SELECT p.id, p.merchant_id, p.status, p.currency, p.amount_minor_units, p.expires_at_ms, p.created_at_ms,
                p.updated_at_ms, p.version, CASE WHEN o.position > 0 THEN NULL ELSE p.record END,
                o.id, o.kind, o.status, o.currency, o.amount_minor_units, o.acquirer_reference, o.decline_code,
                o.inquiries, o.inquire_at_ms, o.created_at_ms, o.updated_at_ms
            FROM ",
            $from,
            " p LEFT JOIN operations o ON o.payment_id = p.id ORDER BY ",
            $order,
            ", o.position"
        )
    };
}
pub(super) use select_payments;

pub(super) const FIND: &str = select_payments!("(SELECT * FROM payments WHERE id = $1)", "p.id");

/// The payments of rows that are ordered by payment.
pub(super) fn payments(rows: &[Row]) -> Result<Vec<Payment>, RepositoryError> {
    let mut payments = Vec::new();
    for of_one in rows.chunk_by(|one, next| name(one).is_ok_and(|id| name(next).is_ok_and(|next| id == next)))
    {
        payments.extend(payment(of_one)?);
    }
    Ok(payments)
}

fn name(row: &Row) -> Result<&str, tokio_postgres::Error> {
    row.try_get(0)
}

/// The payment of its rows; none of no row.
pub(super) fn payment(rows: &[Row]) -> Result<Option<Payment>, RepositoryError> {
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let id = PaymentId::parse(name(first).map_err(|error| unavailable(&error))?).map_err(|error| {
        unavailable_because(format!("a payment is stored under a name that none has: {error}"))
    })?;
    let restored = restore(first, rows, &id);
    restored.map(Some).map_err(|damage| RepositoryError::Corrupt {
        id,
        reason: damage.to_string(),
    })
}

fn restore(first: &Row, rows: &[Row], id: &PaymentId) -> Result<Payment, Damage> {
    let columns = payment_columns(first)?;
    let operations = rows.iter().filter_map(|row| operation_columns(row).transpose());
    columns.restore(id, operations.collect::<Result<_, _>>()?)
}

fn payment_columns(row: &Row) -> Result<PaymentColumns, Damage> {
    let expires_at_ms: Option<i64> = get(row, 5, "expires_at_ms")?;
    Ok(PaymentColumns {
        merchant_id: get(row, 1, "merchant_id")?,
        status: get(row, 2, "status")?,
        currency: get(row, 3, "currency")?,
        amount_minor_units: get(row, 4, "amount_minor_units")?,
        expires_at_ms: expires_at_ms
            .map(|at| unsigned(at, "expires_at_ms"))
            .transpose()?,
        created_at_ms: unsigned(get(row, 6, "created_at_ms")?, "created_at_ms")?,
        updated_at_ms: unsigned(get(row, 7, "updated_at_ms")?, "updated_at_ms")?,
        version: unsigned(get(row, 8, "version")?, "version")?,
        record: get::<Option<String>>(row, 9, "record")?
            .ok_or_else(|| Damage::of("operations", "the first is missing"))?,
    })
}

fn operation_columns(row: &Row) -> Result<Option<OperationColumns>, Damage> {
    let Some(id) = get(row, 10, "operations.id")? else {
        return Ok(None);
    };
    let inquire_at_ms: Option<i64> = get(row, 18, "operations.inquire_at_ms")?;
    Ok(Some(OperationColumns {
        id,
        kind: get(row, 11, "operations.kind")?,
        status: get(row, 12, "operations.status")?,
        currency: get(row, 13, "operations.currency")?,
        amount_minor_units: get(row, 14, "operations.amount_minor_units")?,
        acquirer_reference: get(row, 15, "operations.acquirer_reference")?,
        decline_code: get(row, 16, "operations.decline_code")?,
        inquiries: unsigned(get(row, 17, "operations.inquiries")?, "operations.inquiries")?,
        inquire_at_ms: inquire_at_ms
            .map(|at| unsigned(at, "operations.inquire_at_ms"))
            .transpose()?,
        created_at_ms: unsigned(
            get(row, 19, "operations.created_at_ms")?,
            "operations.created_at_ms",
        )?,
        updated_at_ms: unsigned(
            get(row, 20, "operations.updated_at_ms")?,
            "operations.updated_at_ms",
        )?,
    }))
}

/// The value of a column. It has another type only where somebody changed the schema.
pub(super) fn get<'a, T: tokio_postgres::types::FromSql<'a>>(
    row: &'a Row,
    column: usize,
    field: &'static str,
) -> Result<T, Damage> {
    row.try_get(column).map_err(|error| Damage::of(field, error))
}

/// A number that is never below zero.
pub(super) fn unsigned<T: TryFrom<i64>>(number: i64, field: &'static str) -> Result<T, Damage> {
    T::try_from(number).map_err(|_| Damage::of(field, format_args!("{number} is out of range")))
}
