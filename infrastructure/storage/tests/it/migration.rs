//! A database that an older gateway wrote, opened by this one.

use application::ports::{
    IdempotencyKey, KeyEntry, KeyWrite, PaymentCatalog, PaymentRepository, RequestDigest, StoredAnswer,
};
use domain::payment::{AcquirerReference, DeclineCode, OperationResult, OperationStatus, PaymentStatus};
use domain::{OperationId, Payment, Timestamp};
use portcullis_storage::SqliteConfig;
use rusqlite::{Connection, named_params};
use testkit::builders::{NOW, after, payment};

use crate::{back_door, config, fresh, open};

const FIRST_SCHEMA: &str = include_str!("../../migrations/sqlite/0001_payments.sql");

/// From the first schema to the last one in which an answer lay with its key.
const ANSWERS_WITH_KEYS: [&str; 5] = [
    include_str!("../../migrations/sqlite/0002_lifecycle.sql"),
    include_str!("../../migrations/sqlite/0003_lists.sql"),
    include_str!("../../migrations/sqlite/0004_api_keys.sql"),
    include_str!("../../migrations/sqlite/0005_webhooks.sql"),
    include_str!("../../migrations/sqlite/0006_decisions.sql"),
];

/// A database of the first schema.
fn first(config: &SqliteConfig) -> Connection {
    let connection = back_door(config);
    connection.execute_batch(FIRST_SCHEMA).unwrap();
    connection
        .pragma_update(None, "application_id", 0x5043_554c)
        .unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    connection
}

/// The document of a payment, as this gateway writes it. The first one wrote the same: a test beside the documents holds it.
async fn document(payment: &Payment) -> String {
    let (_folder, config, repository) = fresh();
    repository.save(&mut payment.clone()).await.unwrap();
    let read = |row: &rusqlite::Row<'_>| row.get(0);
    back_door(&config)
        .query_row("SELECT record FROM payments", [], read)
        .unwrap()
}

/// Puts a payment in as the first gateway did: one operation at most, whose reason stood with the payment alone.
async fn put(connection: &Connection, payment: &Payment) {
    let record = payment.record();
    let amount = record.details.amount;
    let sql = "INSERT INTO payments VALUES (:id, :merchant, :status, :currency, :amount, :created, :updated, 1, :record)";
    connection
        .execute(
            sql,
            named_params! {
                ":id": record.id.as_str(),
                ":merchant": record.details.merchant_id.as_str(),
                ":status": record.status.as_str(),
                ":currency": amount.currency().code(),
                ":amount": amount.minor_units(),
                ":created": record.created_at.unix_millis(),
                ":updated": record.updated_at.unix_millis(),
                ":record": document(payment).await,
            },
        )
        .unwrap();
    for operation in &record.operations {
        let sql = "INSERT INTO operations
            VALUES (:payment, 0, :id, :kind, :status, :currency, :amount, :reference, :created, :updated)";
        connection
            .execute(
                sql,
                named_params! {
                    ":payment": record.id.as_str(),
                    ":id": operation.id.as_str(),
                    ":kind": operation.kind.as_str(),
                    ":status": operation.status.as_str(),
                    ":currency": operation.amount.currency().code(),
                    ":amount": operation.amount.minor_units(),
                    ":reference": operation.acquirer_reference.as_ref().map(AcquirerReference::as_str),
                    ":created": operation.created_at.unix_millis(),
                    ":updated": operation.updated_at.unix_millis(),
                },
            )
            .unwrap();
    }
}

#[tokio::test]
async fn payments_of_the_first_schema_come_back_and_what_is_open_is_asked_about() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let connection = first(&config);
    let reference = AcquirerReference::parse("ref_1").unwrap();
    let declined = OperationResult::Declined(DeclineCode::InsufficientFunds);
    let mut payments = vec![
        payment()
            .id("authorized")
            .answered("op_1", OperationResult::Succeeded(reference)),
        payment().id("declined").answered("op_2", declined),
        payment().id("sent").created_at(after(1)).sent("op_3"),
        payment().id("unknown").answered("op_4", OperationResult::Unknown),
        payment()
            .id("risky")
            .decided(domain::risk::Outcome::Decline)
            .build(),
    ];
    for payment in &payments {
        put(&connection, payment).await;
    }
    drop(connection);

    let repository = open(&config);
    for payment in &mut payments {
        payment.stored_as(1);
        let found = repository.find(payment.id()).await.unwrap().unwrap();
        // What is open is to be asked about now; else nothing has changed.
        let mut record = found.record().clone();
        for operation in &mut record.operations {
            let is_open = matches!(operation.status, OperationStatus::Sent | OperationStatus::Unknown);
            assert_eq!(operation.inquire_at, is_open.then_some(operation.updated_at));
            operation.inquire_at = None;
        }
        assert_eq!(record, *payment.record());
    }
    let due = repository.due_for_inquiry(NOW, 10).await.unwrap();
    let names: Vec<&str> = due.iter().map(domain::PaymentId::as_str).collect();
    assert_eq!(names, ["unknown"]);
    let due = repository.due_for_inquiry(Timestamp::MAX, 10).await.unwrap();
    assert_eq!(due.len(), 2);
    let left = repository.left_to_humans(None, 10).await.unwrap();
    assert_eq!(left.items, []);

    // And what it has is gone on from.
    let mut sent = repository.find(payments[2].id()).await.unwrap().unwrap();
    let id = sent.open_operation().unwrap().id.clone();
    sent.finish_operation(&id, OperationResult::NotSent, after(2))
        .unwrap();
    repository.save(&mut sent).await.unwrap();
    assert_eq!(sent.status(), PaymentStatus::Declined);
    repository.close().await.unwrap();
    let again = open(&config);
    assert_eq!(again.find(sent.id()).await.unwrap(), Some(sent));
}

/// Puts a key in as it was when its answer lay in its row.
fn put_key(connection: &Connection, entry: &KeyEntry) {
    let sql = "INSERT INTO idempotency_keys VALUES (:tenant, :key, :digest, :payment, :operation, :claimed, :status,
        :body, :created)";
    connection
        .execute(
            sql,
            named_params! {
                ":tenant": entry.tenant.as_str(),
                ":key": entry.key.as_str(),
                ":digest": entry.digest.0.as_slice(),
                ":payment": entry.payment_id.as_str(),
                ":operation": entry.operation_id.as_ref().map(OperationId::as_str),
                ":claimed": entry.claimed_until.unix_millis(),
                ":status": entry.answer.as_ref().map(|answer| answer.status),
                ":body": entry.answer.as_ref().map(|answer| answer.body.as_slice()),
                ":created": entry.created_at.unix_millis(),
            },
        )
        .unwrap();
}

#[tokio::test]
async fn keys_come_back_with_the_answers_that_lay_in_their_rows() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let connection = first(&config);
    let reference = AcquirerReference::parse("ref_1").unwrap();
    let payments = [
        payment().id("sent").sent("op_1"),
        payment()
            .id("authorized")
            .answered("op_2", OperationResult::Succeeded(reference)),
    ];
    for payment in &payments {
        put(&connection, payment).await;
    }
    for step in ANSWERS_WITH_KEYS {
        connection.execute_batch(step).unwrap();
    }
    let version = 1 + ANSWERS_WITH_KEYS.len();
    connection.pragma_update(None, "user_version", version).unwrap();
    let entry = |index: usize, answer: Option<StoredAnswer>| KeyEntry {
        tenant: payments[index].record().details.merchant_id.clone(),
        key: IdempotencyKey::parse(&format!("key {index}")).unwrap(),
        digest: RequestDigest([7; 32]),
        payment_id: payments[index].id().clone(),
        operation_id: Some(payments[index].record().operations[0].id.clone()),
        claimed_until: after(25),
        answer,
        created_at: NOW,
    };
    let answer = StoredAnswer {
        status: 201,
        body: b"{\"status\":\"authorized\"}".to_vec(),
    };
    let mut entries = [entry(0, None), entry(1, Some(answer.clone()))];
    for entry in &entries {
        put_key(&connection, entry);
    }
    drop(connection);

    let repository = open(&config);
    for entry in &entries {
        let found = repository.find_key(&entry.tenant, &entry.key).await.unwrap();
        assert_eq!(found.as_ref(), Some(entry));
    }
    // The one that waits for its answer is given it.
    let mut sent = repository.find(payments[0].id()).await.unwrap().unwrap();
    let operation = sent.open_operation().unwrap().id.clone();
    sent.finish_operation(&operation, OperationResult::NotSent, after(2))
        .unwrap();
    entries[0].answer = Some(answer);
    let update = Some(KeyWrite::Update(&entries[0]));
    repository.save_with_key(&mut sent, update).await.unwrap();
    let found = repository
        .find_key(&entries[0].tenant, &entries[0].key)
        .await
        .unwrap();
    assert_eq!(found.as_ref(), Some(&entries[0]));
    // And with a key its answer is gone.
    assert_eq!(repository.forget_keys(after(60), 10).await.unwrap(), 2);
    repository.close().await.unwrap();
    let count = "SELECT (SELECT count(*) FROM idempotency_keys) + (SELECT count(*) FROM idempotency_answers)";
    let left: i64 = back_door(&config).query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}
