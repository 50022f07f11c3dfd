//! Bare decisions in the database: what is kept when, and what becomes of damage.

use std::sync::Arc;

use application::ports::{Clock, DecisionLog, DecisionLogError, DecisionQuery, RecordedDecision};
use domain::Timestamp;
use domain::risk::Outcome;
use portcullis_storage::{Config, DecisionsConfig, Storage, StorageKind};
use tempfile::TempDir;
use testkit::builders::{NOW, cny, decision, decision_id, merchant_id, payment, payment_id};
use testkit::fakes::{NoTelemetry, SettableClock};
use testkit::postgres::shared;

use crate::back_door;

const DAY_MS: u64 = 86_400_000;

pub(crate) fn sqlite(folder: &TempDir) -> Config {
    Config {
        kind: StorageKind::Sqlite,
        sqlite: crate::config(folder.path()),
        ..Config::default()
    }
}

pub(crate) fn postgres() -> Config {
    let server = shared();
    Config {
        kind: StorageKind::Postgres,
        postgres: crate::postgres::config(server, &server.fresh_database()),
        ..Config::default()
    }
}

/// So that a busy machine fails no test.
pub(crate) fn patient() -> DecisionsConfig {
    DecisionsConfig {
        read_wait_ms: 600_000,
        ..DecisionsConfig::default()
    }
}

/// At a time that stands still.
pub(crate) fn log(storage: &Storage, config: &DecisionsConfig) -> Arc<dyn DecisionLog> {
    log_at(storage, config, NOW)
}

fn log_at(storage: &Storage, config: &DecisionsConfig, now: Timestamp) -> Arc<dyn DecisionLog> {
    let clock = SettableClock::default();
    clock.set(now);
    let clock: Arc<dyn Clock> = Arc::new(clock);
    storage.decision_log(config, &clock, &(Arc::new(NoTelemetry) as _))
}

fn recorded(number: usize, created_at: Timestamp) -> Arc<RecordedDecision> {
    let mut decision = decision(Outcome::Review);
    decision.id = decision_id(&format!("dec_{number}"));
    Arc::new(RecordedDecision {
        payment_id: payment_id("order-1"),
        merchant_id: merchant_id("m_1"),
        amount: cny(12_900),
        card: None,
        decision,
        created_at,
    })
}

async fn count(log: &Arc<dyn DecisionLog>) -> usize {
    let page = log.list(&DecisionQuery::default(), None, 10_000).await.unwrap();
    page.items.len()
}

async fn what_was_taken_in_is_there_after_the_end(config: &Config) {
    let storage = portcullis_storage::open(config).await.unwrap();
    let first = log(&storage, &patient());
    for number in 0..500 {
        first.record(recorded(number, NOW));
    }
    storage.close().await.unwrap();
    first.record(recorded(500, NOW));
    let refused = first.find(&decision_id("dec_1")).await;
    assert!(
        matches!(refused, Err(DecisionLogError::Unavailable { .. })),
        "{refused:?}"
    );
    let again = portcullis_storage::open(config).await.unwrap();
    assert_eq!(count(&log(&again, &patient())).await, 500);
    again.close().await.unwrap();
}

async fn old_ones_are_forgotten(config: &Config) {
    const KEPT: usize = 20;
    let storage = portcullis_storage::open(config).await.unwrap();
    let first = log(&storage, &patient());
    // More than are forgotten at once.
    for number in 0..600 {
        first.record(recorded(number, NOW));
    }
    let next_day = Timestamp::from_unix_millis(NOW.unix_millis() + DAY_MS);
    for number in 600..600 + KEPT {
        first.record(recorded(number, next_day));
    }
    assert_eq!(count(&first).await, 600 + KEPT);
    storage.close().await.unwrap();
    let again = portcullis_storage::open(config).await.unwrap();
    let later = Timestamp::from_unix_millis(NOW.unix_millis() + 90 * DAY_MS + 1);
    let second = log_at(&again, &patient(), later);
    while count(&second).await > KEPT {
        tokio::task::yield_now().await;
    }
    assert!(second.find(&decision_id("dec_600")).await.unwrap().is_some());
    again.close().await.unwrap();
}

#[tokio::test]
async fn what_sqlite_was_to_write_is_there_after_the_end() {
    let folder = tempfile::tempdir().unwrap();
    what_was_taken_in_is_there_after_the_end(&sqlite(&folder)).await;
}

#[tokio::test]
async fn what_postgres_was_to_write_is_there_after_the_end() {
    what_was_taken_in_is_there_after_the_end(&postgres()).await;
}

#[tokio::test]
async fn sqlite_forgets_what_is_old() {
    let folder = tempfile::tempdir().unwrap();
    old_ones_are_forgotten(&sqlite(&folder)).await;
}

#[tokio::test]
async fn postgres_forgets_what_is_old() {
    old_ones_are_forgotten(&postgres()).await;
}

#[tokio::test]
async fn a_decision_that_no_gateway_wrote_is_told_as_damage() {
    let folder = tempfile::tempdir().unwrap();
    let config = sqlite(&folder);
    let storage = portcullis_storage::open(&config).await.unwrap();
    let log = log(&storage, &patient());
    log.record(recorded(1, NOW));
    assert_eq!(count(&log).await, 1);
    for damage in [
        "outcome = 'approve'",
        "merchant_id = 'm_2'",
        "payment_id = 'order-2'",
        "created_at_ms = created_at_ms + 1",
        "record = replace(record, '\"format\":1', '\"format\":2')",
        "record = 'x'",
    ] {
        let back_door = back_door(&config.sqlite);
        back_door
            .execute("CREATE TABLE good AS SELECT * FROM decisions", [])
            .unwrap();
        let changed = back_door
            .execute(&format!("UPDATE decisions SET {damage}"), [])
            .unwrap();
        assert_eq!(changed, 1);
        let found = log.find(&decision_id("dec_1")).await;
        assert!(
            matches!(found, Err(DecisionLogError::Corrupt { .. })),
            "{damage}: {found:?}"
        );
        let restore = "DELETE FROM decisions; INSERT INTO decisions SELECT * FROM good; DROP TABLE good";
        back_door.execute_batch(restore).unwrap();
        assert!(log.find(&decision_id("dec_1")).await.unwrap().is_some());
    }
}

/// Payments go through the same writer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payments_are_saved_while_decisions_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let storage = portcullis_storage::open(&sqlite(&folder)).await.unwrap();
    let log = log(&storage, &patient());
    for number in 0..900 {
        log.record(recorded(number, NOW));
        if number % 100 == 0 {
            let mut payment = payment().id(&format!("pay_{number}")).build();
            storage.payments.save(&mut payment).await.unwrap();
        }
    }
    assert_eq!(count(&log).await, 900);
    assert!(
        storage
            .payments
            .find(&payment_id("pay_800"))
            .await
            .unwrap()
            .is_some()
    );
    storage.close().await.unwrap();
}
