//! Positions of events, where transactions commit in another order than they were begun in.

use application::ports::{EventLog, PaymentRepository};
use domain::risk::Outcome;
use testkit::builders::payment;
use testkit::postgres::shared;

use super::{back_door, config, open};

/// What a save writes, by a transaction that takes its time.
pub(super) const LATE: &str =
    "BEGIN; INSERT INTO events (id, payment_id, merchant_id, kind, occurred_at_ms, status, currency,
        amount_minor_units, captured_minor_units, refunded_minor_units)
    SELECT 'evt_late', payment_id, merchant_id, kind, occurred_at_ms, status, currency, amount_minor_units,
        captured_minor_units, refunded_minor_units
    FROM events WHERE payment_id = 'pay_1'";

#[tokio::test]
async fn an_event_that_was_written_first_and_committed_last_is_not_skipped() {
    let server = shared();
    let database = server.fresh_database();
    let repository = open(&config(server, &database)).await;
    let held = |id: &str| payment().id(id).decided(Outcome::Review).build();
    repository.save(&mut held("pay_1")).await.unwrap();
    let first = repository.events_after(0, None, 10).await.unwrap().items;
    let first = first.last().unwrap().position;

    let late = back_door(server, &database).await;
    late.batch_execute(LATE).await.unwrap();
    repository.save(&mut held("pay_2")).await.unwrap();
    // The one that is stored is told at once: nobody waits for a transaction that may take long.
    let told = repository.events_after(first, None, 10).await.unwrap().items;
    assert_eq!(told.len(), 1);
    let told = told.last().unwrap();
    assert_eq!(told.payment_id.as_str(), "pay_2");

    late.batch_execute("COMMIT").await.unwrap();
    let behind = repository
        .events_after(told.position, None, 10)
        .await
        .unwrap()
        .items;
    let names: Vec<&str> = behind.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(names, ["evt_late"]);
}

#[tokio::test]
async fn more_events_than_one_batch_get_their_positions() {
    const MANY: usize = 3_000;
    let server = shared();
    let database = server.fresh_database();
    let repository = open(&config(server, &database)).await;
    let mut held = payment().decided(Outcome::Review).build();
    repository.save(&mut held).await.unwrap();
    let many = format!("{LATE} CROSS JOIN generate_series(2, {MANY}); COMMIT").replace(
        "FROM events WHERE payment_id = 'pay_1' CROSS JOIN",
        "FROM (SELECT * FROM events WHERE payment_id = 'pay_1') AS one CROSS JOIN",
    );
    back_door(server, &database)
        .await
        .batch_execute(&many)
        .await
        .unwrap();
    let page = repository.events_after(0, None, 2 * MANY).await.unwrap();
    assert_eq!(page.items.len(), MANY);
    assert!(!page.has_more);
    let positions: Vec<u64> = page.items.iter().map(|event| event.position).collect();
    assert_eq!(positions, (1..=MANY as u64).collect::<Vec<_>>());
}
