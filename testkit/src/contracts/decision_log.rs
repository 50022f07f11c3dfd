//! What a decision log owes.

use std::sync::Arc;

use application::ports::{DecisionCursor, DecisionLog, DecisionQuery, Page, RecordedDecision};
use domain::risk::{FaultKind, Outcome, PolicyEvaluation, RiskDecision};
use domain::{CountryCode, Timestamp};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use tokio::task::JoinSet;

use crate::builders::{
    NOW, after, cny, decision_id, evaluation, fault, merchant_id, money, payment_details, payment_id,
};
use crate::strategies;

type Log = Arc<dyn DecisionLog>;

/// How many decisions of a strategy are tried: enough for each shape to come up some times.
const EXAMPLES: usize = 64;

/// How many come at the same time, where many do.
const CROWD: usize = 8;

/// How many each of them brings: with the others' less than any queue holds.
const EACH: usize = 50;

fn joined(id: &str, evaluations: Vec<PolicyEvaluation>, at: Timestamp) -> RiskDecision {
    RiskDecision::join(decision_id(id), evaluations, 7, at)
}

/// Of the merchant `m_1` about `order-1`.
fn recorded(id: &str, outcome: Outcome, at: Timestamp) -> RecordedDecision {
    RecordedDecision {
        payment_id: payment_id("order-1"),
        merchant_id: merchant_id("m_1"),
        amount: cny(12_900),
        card: None,
        decision: joined(id, vec![evaluation("amount-ceiling", outcome)], at),
        created_at: at,
    }
}

fn record(log: &Log, decision: &RecordedDecision) {
    log.record(Arc::new(decision.clone()));
}

async fn found(log: &Log, id: &str) -> Option<RecordedDecision> {
    log.find(&decision_id(id)).await.unwrap()
}

async fn page(
    log: &Log,
    query: &DecisionQuery,
    after: Option<&DecisionCursor>,
    limit: usize,
) -> Page<RecordedDecision> {
    log.list(query, after, limit).await.unwrap()
}

fn names(page: &Page<RecordedDecision>) -> Vec<&str> {
    page.items.iter().map(|item| item.decision.id.as_str()).collect()
}

fn cursor(page: &Page<RecordedDecision>) -> DecisionCursor {
    let last = page.items.last().unwrap();
    DecisionCursor {
        created_at: last.created_at,
        id: last.decision.id.clone(),
    }
}

/// Also where there are others.
pub async fn a_decision_that_was_never_recorded_is_not_found(log: Log) {
    assert_eq!(found(&log, "dec_1").await, None);
    record(&log, &recorded("dec_10", Outcome::Approve, NOW));
    assert_eq!(found(&log, "dec_1").await, None);
}

/// With and without a card, with a fault, decided later than it was asked for.
pub async fn a_recorded_decision_is_found_as_it_was_made(log: Log) {
    let bare = recorded("dec_1", Outcome::Approve, NOW);
    let mut card = payment_details().card("fp_1").build().card.unwrap();
    card.issuer_country = CountryCode::parse("CN");
    let full = RecordedDecision {
        payment_id: payment_id("order-2"),
        merchant_id: merchant_id("m_2"),
        amount: money(7, "JPY"),
        card: Some(card),
        decision: joined(
            "dec_2",
            vec![
                evaluation("amount-ceiling", Outcome::Challenge),
                fault("geo-mismatch", FaultKind::Deadline, Outcome::Review),
            ],
            after(3),
        ),
        created_at: after(2),
    };
    for decision in [&bare, &full] {
        record(&log, decision);
    }
    assert_eq!(found(&log, "dec_1").await, Some(bare));
    assert_eq!(found(&log, "dec_2").await, Some(full));
}

/// Whatever guests say, and however many policies there are.
pub async fn whatever_policies_say_comes_back(log: Log) {
    let mut runner = TestRunner::deterministic();
    for number in 0..EXAMPLES {
        let evaluations = strategies::evaluations().new_tree(&mut runner).unwrap().current();
        let id = format!("dec_{number}");
        let decision = RecordedDecision {
            decision: joined(&id, evaluations, NOW),
            ..recorded(&id, Outcome::Approve, NOW)
        };
        record(&log, &decision);
        assert_eq!(found(&log, &id).await, Some(decision));
    }
}

/// The first stays as it was.
pub async fn a_second_decision_of_a_name_changes_nothing(log: Log) {
    let first = recorded("dec_1", Outcome::Approve, NOW);
    let neighbour = recorded("dec_2", Outcome::Review, after(2));
    record(&log, &first);
    assert_eq!(found(&log, "dec_1").await.as_ref(), Some(&first));
    record(&log, &recorded("dec_1", Outcome::Decline, after(1)));
    record(&log, &neighbour);
    assert_eq!(found(&log, "dec_1").await, Some(first));
    assert_eq!(
        found(&log, "dec_2").await,
        Some(neighbour),
        "it takes no other with it"
    );
}

/// By when they were asked for.
pub async fn decisions_are_listed_newest_first_and_of_one_time_by_name(log: Log) {
    for (id, seconds) in [
        ("dec_b", 1),
        ("dec_z", 0),
        ("dec_c", 1),
        ("dec_A", 1),
        ("dec_m", 2),
    ] {
        record(&log, &recorded(id, Outcome::Approve, after(seconds)));
    }
    let all = page(&log, &DecisionQuery::default(), None, 10).await;
    assert_eq!(names(&all), ["dec_m", "dec_c", "dec_b", "dec_A", "dec_z"]);
    assert!(!all.has_more);
    let first = page(&log, &DecisionQuery::default(), None, 5).await;
    assert!(!first.has_more, "just as many as there is room for");
}

/// Each alone, and together.
pub async fn a_listing_is_narrowed_by_all_that_is_asked_for(log: Log) {
    let about = |id: &str, merchant: &str, payment: &str, outcome, seconds| RecordedDecision {
        merchant_id: merchant_id(merchant),
        payment_id: payment_id(payment),
        ..recorded(id, outcome, after(seconds))
    };
    for decision in [
        about("dec_1", "m_1", "order-1", Outcome::Approve, 1),
        about("dec_2", "m_1", "order-2", Outcome::Decline, 2),
        about("dec_3", "m_2", "order-1", Outcome::Decline, 3),
        about("dec_4", "m_1", "order-1", Outcome::Decline, 4),
    ] {
        record(&log, &decision);
    }
    let any = DecisionQuery::default;
    let (merchant, payment) = (Some(merchant_id("m_1")), Some(payment_id("order-1")));
    let (outcome, from, before) = (Some(Outcome::Decline), Some(after(2)), Some(after(4)));
    for (query, expected) in [
        (
            DecisionQuery {
                merchant: merchant.clone(),
                ..any()
            },
            vec!["dec_4", "dec_2", "dec_1"],
        ),
        (
            DecisionQuery {
                payment: payment.clone(),
                ..any()
            },
            vec!["dec_4", "dec_3", "dec_1"],
        ),
        (
            DecisionQuery { outcome, ..any() },
            vec!["dec_4", "dec_3", "dec_2"],
        ),
        (
            DecisionQuery {
                created_from: from,
                ..any()
            },
            vec!["dec_4", "dec_3", "dec_2"],
        ),
        (
            DecisionQuery {
                created_before: before,
                ..any()
            },
            vec!["dec_3", "dec_2", "dec_1"],
        ),
        (
            DecisionQuery {
                merchant: merchant.clone(),
                outcome,
                created_before: before,
                ..any()
            },
            vec!["dec_2"],
        ),
        (
            DecisionQuery {
                merchant,
                payment,
                outcome,
                created_from: from,
                created_before: Some(after(5)),
            },
            vec!["dec_4"],
        ),
        (
            DecisionQuery {
                merchant: Some(merchant_id("m_3")),
                ..any()
            },
            vec![],
        ),
    ] {
        let page = page(&log, &query, None, 10).await;
        assert_eq!(names(&page), expected, "{query:?}");
    }
}

/// Behind cursors, also between those of one time.
pub async fn pages_of_decisions_hold_each_once(log: Log) {
    for number in 0..23 {
        record(
            &log,
            &recorded(&format!("dec_{number:02}"), Outcome::Approve, after(number / 4)),
        );
    }
    let (mut read, mut behind) = (Vec::new(), None);
    loop {
        let page = page(&log, &DecisionQuery::default(), behind.as_ref(), 3).await;
        read.extend(names(&page).into_iter().map(str::to_owned));
        if !page.has_more {
            break;
        }
        assert_eq!(page.items.len(), 3);
        behind = Some(cursor(&page));
    }
    let expected: Vec<String> = (0..23).rev().map(|number| format!("dec_{number:02}")).collect();
    assert_eq!(read, expected);
}

/// By whoever asks where they were taken in, at once.
pub async fn what_was_taken_in_before_is_read(log: Log) {
    let mut crowd = JoinSet::new();
    for caller in 0..CROWD {
        let log = Arc::clone(&log);
        crowd.spawn(async move {
            for number in 0..EACH {
                let decision = recorded(&format!("dec_{caller}_{number}"), Outcome::Approve, NOW);
                record(&log, &decision);
                if number % 10 == 0 {
                    let id = decision.decision.id.as_str().to_owned();
                    assert_eq!(found(&log, &id).await, Some(decision));
                }
            }
        });
    }
    crowd.join_all().await;
    let all = page(&log, &DecisionQuery::default(), None, 2 * CROWD * EACH).await;
    assert_eq!(all.items.len(), CROWD * EACH);
}

/// What is newer is on no later page.
pub async fn decisions_that_come_while_somebody_pages_move_nothing(log: Log) {
    for number in 0..4 {
        record(
            &log,
            &recorded(&format!("dec_{number}"), Outcome::Approve, after(number)),
        );
    }
    let first = page(&log, &DecisionQuery::default(), None, 2).await;
    assert_eq!(names(&first), ["dec_3", "dec_2"]);
    record(&log, &recorded("dec_9", Outcome::Approve, after(9)));
    assert!(found(&log, "dec_9").await.is_some());
    let second = page(&log, &DecisionQuery::default(), Some(&cursor(&first)), 2).await;
    assert_eq!((names(&second), second.has_more), (vec!["dec_1", "dec_0"], false));
}
