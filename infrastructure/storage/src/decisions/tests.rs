//! The queue and its task over a table that does as it is told. Time is that of the test and passes by itself.

use std::collections::VecDeque;
use std::sync::Mutex;

use domain::risk::Outcome;
use testkit::builders::{NOW, cny, decision, decision_id, merchant_id, payment_id};
use testkit::fakes::{CountingTelemetry, SettableClock};
use tokio::sync::watch;
use tokio::time::Instant;

use super::*;

const DAY_MS: u64 = 86_400_000;

/// Remembers names, and what it was asked to forget.
struct Table {
    rows: Mutex<Vec<String>>,
    /// How often it refuses before it takes rows again.
    refusals: Mutex<usize>,
    /// Whether it answers at all.
    answers: watch::Sender<bool>,
    forgets: Mutex<Vec<(Timestamp, usize)>>,
    /// How many each of the next ones finds.
    old: Mutex<VecDeque<usize>>,
}

#[async_trait]
impl DecisionTable for Table {
    async fn insert(&self, rows: Arc<[DecisionColumns]>) -> Result<(), DecisionLogError> {
        let mut answers = self.answers.subscribe();
        answers.wait_for(|answers| *answers).await.unwrap();
        let mut refusals = self.refusals.lock().unwrap();
        if *refusals > 0 {
            *refusals -= 1;
            return Err(DecisionLogError::Unavailable {
                reason: "the test says so".to_owned(),
            });
        }
        let mut kept = self.rows.lock().unwrap();
        kept.extend(rows.iter().map(|row| row.id.clone()));
        Ok(())
    }

    async fn find(&self, _id: &DecisionId) -> Result<Option<RecordedDecision>, DecisionLogError> {
        Ok(None)
    }

    async fn page(
        &self,
        _query: &DecisionQuery,
        _after: Option<&DecisionCursor>,
        _limit: usize,
    ) -> Result<Page<RecordedDecision>, DecisionLogError> {
        Ok(Page {
            items: vec![],
            has_more: false,
        })
    }

    async fn forget(&self, created_before: Timestamp, limit: usize) -> Result<usize, DecisionLogError> {
        self.forgets.lock().unwrap().push((created_before, limit));
        Ok(self.old.lock().unwrap().pop_front().unwrap_or(0))
    }
}

struct Scene {
    table: Arc<Table>,
    telemetry: Arc<CountingTelemetry>,
    log: QueuedDecisionLog,
}

impl Scene {
    fn new(config: &DecisionsConfig) -> Self {
        Self::with_old(config, [])
    }

    fn with_old<const N: usize>(config: &DecisionsConfig, old: [usize; N]) -> Self {
        let table = Arc::new(Table {
            rows: Mutex::default(),
            refusals: Mutex::default(),
            answers: watch::Sender::new(true),
            forgets: Mutex::default(),
            old: Mutex::new(old.into()),
        });
        let telemetry = Arc::new(CountingTelemetry::default());
        let log = QueuedDecisionLog::start(
            Arc::clone(&table) as _,
            config,
            Arc::new(SettableClock::default()),
            Arc::clone(&telemetry) as _,
        );
        Self {
            table,
            telemetry,
            log,
        }
    }

    fn record(&self, numbers: std::ops::Range<usize>) {
        for number in numbers {
            let mut decision = decision(Outcome::Approve);
            decision.id = decision_id(&format!("dec_{number}"));
            self.log.record(Arc::new(RecordedDecision {
                payment_id: payment_id("order-1"),
                merchant_id: merchant_id("m_1"),
                amount: cny(100),
                card: None,
                decision,
                created_at: NOW,
            }));
        }
    }

    async fn read(&self) {
        self.log.find(&decision_id("dec_0")).await.unwrap();
    }

    fn written(&self) -> usize {
        self.table.rows.lock().unwrap().len()
    }

    fn lost(&self) -> u64 {
        self.telemetry.counts().decisions_not_recorded
    }
}

fn patient() -> DecisionsConfig {
    DecisionsConfig {
        read_wait_ms: 3_600_000,
        ..DecisionsConfig::default()
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_is_dropped_and_counted_and_the_rest_is_written_in_order() {
    let scene = Scene::new(&patient());
    scene.record(0..QUEUE_DECISIONS + 100);
    assert_eq!(scene.lost(), 100);
    scene.read().await;
    let expected: Vec<String> = (0..QUEUE_DECISIONS)
        .map(|number| format!("dec_{number}"))
        .collect();
    assert_eq!(*scene.table.rows.lock().unwrap(), expected);
    scene.record(0..1);
    scene.read().await;
    assert_eq!((scene.written(), scene.lost()), (QUEUE_DECISIONS + 1, 100));
}

#[tokio::test(start_paused = true)]
async fn more_than_a_second_s_worth_is_written_at_its_pace() {
    let scene = Scene::new(&DecisionsConfig {
        max_per_second: 500,
        ..patient()
    });
    let began = Instant::now();
    scene.record(0..500);
    scene.read().await;
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "what is usual is written at once"
    );
    scene.record(500..2_500);
    scene.read().await;
    assert_eq!(scene.written(), 2_500);
    assert!(began.elapsed() >= Duration::from_secs(3), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_while_others_are_written_finds_what_came_before_him() {
    let scene = Scene::new(&DecisionsConfig {
        max_per_second: 100,
        ..patient()
    });
    scene.record(0..300);
    let second = async {
        // By then the first reader waits for the pace.
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(scene.written() < 300);
        scene.record(300..310);
        scene.read().await;
        assert_eq!(scene.written(), 310);
    };
    tokio::join!(scene.read(), second);
}

#[tokio::test(start_paused = true)]
async fn decisions_are_written_also_when_nobody_reads() {
    let scene = Scene::new(&patient());
    scene.record(0..200);
    while scene.written() < 200 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_away_for_a_moment_costs_nothing() {
    let scene = Scene::new(&patient());
    *scene.table.refusals.lock().unwrap() = 2;
    scene.record(0..10);
    scene.read().await;
    assert_eq!((scene.written(), scene.lost()), (10, 0));
}

#[tokio::test(start_paused = true)]
async fn a_table_that_stays_away_costs_what_was_tried_and_no_more() {
    let scene = Scene::new(&patient());
    *scene.table.refusals.lock().unwrap() = 3;
    scene.record(0..10);
    scene.read().await;
    assert_eq!((scene.written(), scene.lost()), (0, 10));
    scene.record(10..20);
    scene.read().await;
    assert_eq!((scene.written(), scene.lost()), (10, 10));
}

#[tokio::test(start_paused = true)]
async fn a_reader_is_not_kept_waiting_by_a_table_that_does_not_answer() {
    let scene = Scene::new(&DecisionsConfig::default());
    scene.table.answers.send_replace(false);
    scene.record(0..10);
    scene.read().await;
    assert_eq!(scene.written(), 0);
    scene.table.answers.send_replace(true);
    scene.read().await;
    assert_eq!((scene.written(), scene.lost()), (10, 0));
}

#[tokio::test(start_paused = true)]
async fn closing_writes_what_was_taken_in_at_once_and_refuses_the_rest() {
    let scene = Scene::new(&DecisionsConfig {
        max_per_second: 1,
        ..patient()
    });
    scene.record(0..1_000);
    let began = Instant::now();
    scene.log.close().await;
    assert_eq!((scene.written(), scene.lost()), (1_000, 0));
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "the pace is for those who decide"
    );
    scene.record(1_000..1_003);
    assert_eq!((scene.written(), scene.lost()), (1_000, 3));
    scene.read().await;
    scene.log.close().await;
}

#[tokio::test(start_paused = true)]
async fn closing_waits_for_one_refusal_and_not_for_each() {
    let scene = Scene::new(&patient());
    *scene.table.refusals.lock().unwrap() = usize::MAX;
    scene.record(0..1_000);
    scene.log.close().await;
    assert_eq!((scene.written(), scene.lost()), (0, 1_000));
    let refused = usize::MAX - *scene.table.refusals.lock().unwrap();
    assert_eq!(refused, 1);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_dropped_still_writes_what_it_took_in() {
    let scene = Scene::new(&patient());
    scene.record(0..100);
    let Scene { table, log, .. } = scene;
    drop(log);
    while table.rows.lock().unwrap().len() < 100 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn old_decisions_are_forgotten_bit_by_bit_and_looked_for_again() {
    let scene = Scene::with_old(&patient(), [250, 250, 7]);
    while scene.table.forgets.lock().unwrap().len() < 4 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let before = Timestamp::from_unix_millis(NOW.unix_millis() - 90 * DAY_MS);
    assert_eq!(*scene.table.forgets.lock().unwrap(), [(before, 250); 4]);
}

#[tokio::test(start_paused = true)]
async fn where_none_are_kept_none_are_written_and_those_there_are_go() {
    let scene = Scene::new(&DecisionsConfig {
        keep_days: 0,
        ..patient()
    });
    scene.record(0..10);
    scene.read().await;
    while scene.table.forgets.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!((scene.written(), scene.lost()), (0, 0));
    assert_eq!(scene.table.forgets.lock().unwrap()[0].0, NOW);
    scene.log.close().await;
}
