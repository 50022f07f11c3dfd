//! A save: the payment, its operations, its events and the idempotency key, in one statement.
//!
//! One statement is one transaction and one way to the server and back, and holds its locks no longer than its commit takes. Each
//! part goes on from the payment's own row, so that nothing is written where that is not in the version that was expected. Where the
//! key is not as it was expected, the statement divides by zero, which undoes all of it.

mod values;

use application::ports::RepositoryError;
use tokio_postgres::error::SqlState;

use super::connections::{Lease, StatementError};

pub(super) use values::{SaveValues, millis};

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Saved {
    Yes,
    /// The payment is there although it is new, or is not there in the version that was read. Nothing was changed.
    OtherVersion,
    /// The key is not as it was expected. Nothing was changed.
    KeyTaken,
}

/// What is to be done with the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyAction {
    None,
    Claim,
    Update,
}

macro_rules! save {
    ($payment:expr, $key:expr, $answer:expr) => {
        concat!(
            "WITH saved AS (",
            $payment,
            " RETURNING id), stored_operations AS (
                INSERT INTO operations (payment_id, position, id, kind, status, currency, amount_minor_units,
                    acquirer_reference, decline_code, inquiries, inquire_at_ms, created_at_ms, updated_at_ms)
                SELECT saved.id, o.position, o.id, o.kind, o.status, o.currency, o.amount_minor_units,
                    o.acquirer_reference, o.decline_code, o.inquiries, o.inquire_at_ms, o.created_at_ms, o.updated_at_ms
                FROM saved, unnest($10::BIGINT[], $11::TEXT[], $12::TEXT[], $13::TEXT[], $14::TEXT[], $15::BIGINT[],
                    $16::TEXT[], $17::TEXT[], $18::BIGINT[], $19::BIGINT[], $20::BIGINT[], $21::BIGINT[])
                    AS o (position, id, kind, status, currency, amount_minor_units, acquirer_reference, decline_code,
                        inquiries, inquire_at_ms, created_at_ms, updated_at_ms)
                ON CONFLICT (payment_id, position) DO UPDATE
                SET status = excluded.status, acquirer_reference = excluded.acquirer_reference,
                    decline_code = excluded.decline_code, inquiries = excluded.inquiries,
                    inquire_at_ms = excluded.inquire_at_ms, updated_at_ms = excluded.updated_at_ms
                WHERE (operations.status, operations.inquiries, operations.updated_at_ms)
                        <> (excluded.status, excluded.inquiries, excluded.updated_at_ms)
                    OR operations.inquire_at_ms IS DISTINCT FROM excluded.inquire_at_ms
            ), stored_events AS (
                INSERT INTO events (id, payment_id, merchant_id, kind, operation_id, occurred_at_ms, status, currency,
                    amount_minor_units, captured_minor_units, refunded_minor_units)
                SELECT e.id, saved.id, $2::TEXT, e.kind, e.operation_id, e.occurred_at_ms, $3::TEXT, $4::TEXT,
                    $5::BIGINT, $26::BIGINT, $27::BIGINT
                FROM saved, unnest($22::TEXT[], $23::TEXT[], $24::TEXT[], $25::BIGINT[])
                    AS e (id, kind, operation_id, occurred_at_ms)
            )",
            $key,
            " SELECT ",
            $answer
        )
    };
}

macro_rules! new_payment {
    () => {
        "INSERT INTO payments (id, merchant_id, status, currency, amount_minor_units, expires_at_ms, updated_at_ms, record,
            created_at_ms, version)
        VALUES ($1::TEXT, $2::TEXT, $3::TEXT, $4::TEXT, $5::BIGINT, $6::BIGINT, $7::BIGINT, $8::TEXT, $9::BIGINT, 1)
        ON CONFLICT (id) DO NOTHING"
    };
}

/// `$9` is the version that was read.
macro_rules! known_payment {
    () => {
        "UPDATE payments SET status = $3::TEXT, expires_at_ms = $6::BIGINT, updated_at_ms = $7::BIGINT, record = $8::TEXT,
            version = version + 1
        WHERE id = $1::TEXT AND version = $9::BIGINT"
    };
}

macro_rules! claim_key {
    () => {
        ", stored_key AS (
            INSERT INTO idempotency_keys (tenant, key, operation_id, claimed_until_ms, answer_status, answer_body, digest,
                payment_id, created_at_ms)
            SELECT $28::TEXT, $29::TEXT, $30::TEXT, $31::BIGINT, $32::BIGINT, $33::BYTEA, $34::BYTEA, $35::TEXT,
                $36::BIGINT
            FROM saved
            ON CONFLICT (tenant, key) DO NOTHING
            RETURNING 1)"
    };
}

macro_rules! update_key {
    () => {
        ", stored_key AS (
            UPDATE idempotency_keys SET operation_id = $30::TEXT, claimed_until_ms = $31::BIGINT,
                answer_status = $32::BIGINT, answer_body = $33::BYTEA
            WHERE tenant = $28::TEXT AND key = $29::TEXT AND answer_status IS NULL AND EXISTS (SELECT 1 FROM saved)
            RETURNING 1)"
    };
}

macro_rules! without_key {
    () => {
        "(SELECT count(*) FROM saved)"
    };
}

/// Divides by zero where the payment was saved and the key was not.
macro_rules! with_key {
    () => {
        "(SELECT count(*) FROM saved)
            / (1 - (SELECT count(*) FROM saved) + (SELECT count(*) FROM stored_key))"
    };
}

const fn statement(is_new: bool, key: KeyAction) -> &'static str {
    match (is_new, key) {
        (true, KeyAction::None) => save!(new_payment!(), "", without_key!()),
        (true, KeyAction::Claim) => save!(new_payment!(), claim_key!(), with_key!()),
        (true, KeyAction::Update) => save!(new_payment!(), update_key!(), with_key!()),
        (false, KeyAction::None) => save!(known_payment!(), "", without_key!()),
        (false, KeyAction::Claim) => save!(known_payment!(), claim_key!(), with_key!()),
        (false, KeyAction::Update) => save!(known_payment!(), update_key!(), with_key!()),
    }
}

/// Writes a payment, new or over the version that it was read in, and all that goes with it, or nothing.
pub(super) async fn save(lease: &Lease, values: &SaveValues) -> Result<Saved, RepositoryError> {
    let sql = statement(values.is_new, values.key_action());
    let parameters = values.parameters();
    let written = lease.until_nobody_is_in_the_way(|| async {
        let statement = lease.prepare_cached(sql).await?;
        lease
            .query_one(&statement, &parameters)
            .await?
            .try_get::<_, i64>(0)
    });
    match written.await {
        Ok(0) => Ok(Saved::OtherVersion),
        Ok(_) => Ok(Saved::Yes),
        Err(StatementError::Refused(error)) if error.code() == Some(&SqlState::DIVISION_BY_ZERO) => {
            Ok(Saved::KeyTaken)
        }
        Err(error) => Err(error.into_unavailable()),
    }
}
