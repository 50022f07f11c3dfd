//! A database that an older gateway wrote, opened by this one.

use application::ports::{
    self, EventLog, IdempotencyKey, KeyEntry, KeyWrite, ListStore, PaymentCatalog, PaymentRepository,
    RequestDigest,
};
use domain::MerchantId;
use domain::payment::OperationResult;
use domain::risk::Outcome;
use portcullis_storage::PostgresPaymentRepository;
use testkit::builders::{after, operation_id, payment};
use testkit::postgres::shared;

use super::{config, open};

/// What the first gateway made, and its version.
const FIRST_SCHEMA: &str = concat!(
    "CREATE TABLE portcullis_schema (
        only_row BOOLEAN NOT NULL DEFAULT TRUE PRIMARY KEY CHECK (only_row),
        version  BIGINT  NOT NULL CHECK (version >= 0)
    );
    INSERT INTO portcullis_schema (version) VALUES (1);",
    include_str!("../../../migrations/postgres/0001_payments.sql")
);

/// The tables of the first schema, those first that others name.
const FIRST_TABLES: [&str; 5] = [
    "payments",
    "operations",
    "idempotency_keys",
    "events",
    "event_positions",
];

/// Puts the rows of one database into another, by the columns that it has there.
fn copy_rows(from: &str, to: &str) {
    let server = shared();
    for table in FIRST_TABLES {
        let rows = server.sql(
            from,
            &format!("SELECT coalesce(json_agg(t), '[]') FROM {table} t"),
        );
        server.sql(
            to,
            &format!(
                "DELETE FROM {table}; INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, $json${rows}$json$)"
            ),
        );
    }
    // As a dump does: the next arrival is behind those that are there.
    let next = "SELECT setval(pg_get_serial_sequence('events', 'arrival'), max(arrival)) FROM events";
    server.sql(to, next);
}

async fn page_of_events(store: &PostgresPaymentRepository) -> Vec<ports::StoredEvent> {
    store.events_after(0, None, 100).await.unwrap().items
}

#[tokio::test]
async fn what_the_first_gateway_stored_is_there_and_is_gone_on_from() {
    let server = shared();
    let newest = server.fresh_database();
    let written = open(&config(server, &newest)).await;
    let mut open_payment = payment().id("pay_1").sent("op_1");
    let tenant = MerchantId::parse("shop-1").unwrap();
    let idempotency_key = IdempotencyKey::parse("order-1").unwrap();
    let entry = KeyEntry {
        tenant: tenant.clone(),
        key: idempotency_key.clone(),
        digest: RequestDigest([7; 32]),
        payment_id: open_payment.id().clone(),
        operation_id: Some(operation_id("op_1")),
        claimed_until: after(60),
        answer: None,
        created_at: after(0),
    };
    written
        .save_with_key(&mut open_payment, Some(KeyWrite::Claim(&entry)))
        .await
        .unwrap();
    let mut ended = payment().id("pay_2").answered("op_2", OperationResult::Unknown);
    written.save(&mut ended).await.unwrap();
    let mut held = payment().id("pay_3").decided(Outcome::Review).build();
    written.save(&mut held).await.unwrap();
    let events = page_of_events(&written).await;
    assert!(!events.is_empty());
    // Its event has no position yet, since nobody has read the log behind it.
    let mut unread = payment().id("pay_4").decided(Outcome::Review).build();
    written.save(&mut unread).await.unwrap();

    let database = server.fresh_database();
    server.sql(&database, FIRST_SCHEMA);
    copy_rows(&newest, &database);
    let store = open(&config(server, &database)).await;
    for known in [&open_payment, &ended, &held, &unread] {
        assert_eq!(store.find(known.id()).await.unwrap().as_ref(), Some(known));
    }
    let key = store.find_key(&tenant, &idempotency_key).await.unwrap();
    assert_eq!(key, Some(entry));
    // Nobody can have wanted the events that were there before there were webhooks.
    let handed_out = ports::WebhookDeliveryStore::position(&store).await.unwrap();
    assert_eq!(handed_out, events.len() as u64);
    let kept = page_of_events(&store).await;
    assert_eq!(kept[..events.len()], events);
    assert_eq!(kept.len(), events.len() + 1);
    let listed = store.list(&Default::default(), None, 10).await.unwrap();
    assert_eq!(listed.items.len(), 4);

    // And what is new is there too, and what is stored next goes on from what was.
    assert_eq!(ports::ApiKeyStore::revision(&store).await.unwrap(), 0);
    assert!(store.changes_after(0, 10).await.unwrap().lists.is_empty());
    open_payment
        .finish_operation(&operation_id("op_1"), OperationResult::NotSent, after(1))
        .unwrap();
    store.save(&mut open_payment).await.unwrap();
    let later = page_of_events(&store).await;
    assert_eq!(later[..kept.len()], kept);
    assert!(later.len() > kept.len());
    let version = "SELECT version FROM portcullis_schema";
    assert_eq!(server.sql(&database, version), server.sql(&newest, version));
}
