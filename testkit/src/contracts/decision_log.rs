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

/// Four, of two merchants about two payments.
fn record_several(log: &Log) {
    for (id, merchant, payment, outcome, seconds) in [
        ("dec_1", "m_1", "order-1", Outcome::Approve, 1),
        ("dec_2", "m_1", "order-2", Outcome::Decline, 2),
        ("dec_3", "m_2", "order-1", Outcome::Decline, 3),
        ("dec_4", "m_1", "order-1", Outcome::Decline, 4),
    ] {
        let decision = RecordedDecision {
            merchant_id: merchant_id(merchant),
            payment_id: payment_id(payment),
            ..recorded(id, outcome, after(seconds))
        };
        record(log, &decision);
    }
}

/// By each thing alone, and by several together.
pub async fn a_listing_is_narrowed_by_all_that_is_asked_for(log: Log) {
    record_several(&log);
    let all = DecisionQuery {
        merchant: Some(merchant_id("m_1")),
        payment: Some(payment_id("order-1")),
        outcome: Some(Outcome::Decline),
        created_from: Some(after(2)),
        created_before: Some(after(4)),
    };
    let any = DecisionQuery::default;
    let mut alone = [any(), any(), any(), any(), any()];
    alone[0].merchant.clone_from(&all.merchant);
    alone[1].payment.clone_from(&all.payment);
    alone[2].outcome = all.outcome;
    alone[3].created_from = all.created_from;
    alone[4].created_before = all.created_before;
    let expected = [
        ["dec_4", "dec_2", "dec_1"],
        ["dec_4", "dec_3", "dec_1"],
        ["dec_4", "dec_3", "dec_2"],
        ["dec_4", "dec_3", "dec_2"],
        ["dec_3", "dec_2", "dec_1"],
    ];
    for (query, expected) in alone.iter().zip(expected) {
        assert_eq!(names(&page(&log, query, None, 10).await), expected, "{query:?}");
    }
    assert_eq!(names(&page(&log, &all, None, 10).await), [""; 0]);
    let later = DecisionQuery {
        created_before: Some(after(5)),
        ..all.clone()
    };
    assert_eq!(names(&page(&log, &later, None, 10).await), ["dec_4"]);
    let other = DecisionQuery { payment: None, ..all };
    assert_eq!(names(&page(&log, &other, None, 10).await), ["dec_2"]);
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
