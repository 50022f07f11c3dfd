//! Rows that no gateway wrote: told as damage, never read as a payment.

use application::ports::{PaymentRepository, RepositoryError};
use domain::payment::{AcquirerReference, OperationResult};
use testkit::builders::payment;

use crate::{back_door, fresh};

/// What the store says about an authorized payment after somebody has been at its rows.
async fn after(sql: &str) -> Result<(), RepositoryError> {
    let (_folder, config, repository) = fresh();
    let reference = AcquirerReference::parse("ref_1").unwrap();
    let mut stored = payment().answered("op_1", OperationResult::Succeeded(reference));
    repository.save(&mut stored).await.unwrap();
    let connection = back_door(&config);
    connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    connection.execute_batch(sql).unwrap();
    repository.find(stored.id()).await.map(|found| {
        assert_eq!(found, Some(stored));
    })
}

async fn reason(sql: &str) -> String {
    match after(sql).await {
        Err(RepositoryError::Corrupt { id, reason }) => {
            assert_eq!(id.as_str(), "pay_1");
            reason
        }
        other => unreachable!("{sql}: {other:?}"),
    }
}

#[tokio::test]
async fn rows_that_nobody_touched_are_read() {
    after("SELECT 1").await.unwrap();
}

#[tokio::test]
async fn a_column_that_does_not_say_what_the_record_says_is_damage() {
    for (column, value) in [
        ("merchant_id", "'m_2'"),
        ("status", "'declined'"),
        ("currency", "'EUR'"),
        ("amount_minor_units", "1"),
        ("created_at_ms", "1"),
        ("updated_at_ms", "9999999999999"),
    ] {
        let reason = reason(&format!("UPDATE payments SET {column} = {value}")).await;
        assert_eq!(reason, format!("{column}: is not what the record says"));
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_damage() {
    for (sql, told) in [
        ("UPDATE payments SET record = ''", "record"),
        (
            "UPDATE payments SET record = substr(record, 1, length(record) - 1)",
            "record",
        ),
        (
            "UPDATE payments SET record = json_set(record, '$.format', 2)",
            "record.format",
        ),
        (
            "UPDATE payments SET record = json_set(record, '$.id', 'pay_2')",
            "id: is not the one that it is stored under",
        ),
        (
            "UPDATE payments SET record = json_set(record, '$.decision.outcome', 'allow')",
            "decision.outcome",
        ),
        (
            "UPDATE payments SET record = json_remove(record, '$.decision')",
            "record",
        ),
        (
            "UPDATE payments SET record = json_set(record, '$.extra', 1)",
            "record",
        ),
        ("UPDATE operations SET status = 'lost'", "operations.status"),
        ("UPDATE operations SET id = 'a b'", "operations.id"),
    ] {
        let reason = reason(sql).await;
        assert!(reason.starts_with(told), "{sql}: {reason}");
    }
}

#[tokio::test]
async fn a_payment_that_breaks_an_invariant_is_damage() {
    for sql in [
        "DELETE FROM operations",
        "UPDATE operations SET status = 'sent'",
        "UPDATE operations SET currency = 'EUR'",
        "UPDATE operations SET amount_minor_units = 1",
        "UPDATE operations SET acquirer_reference = NULL",
        "UPDATE payments SET record = json_set(record, '$.decision.outcome', 'decline')",
        "UPDATE payments SET status = 'declined', record = json_set(record, '$.status', 'declined')",
    ] {
        assert!(reason(sql).await.contains("breaks an invariant"), "{sql}");
    }
}
