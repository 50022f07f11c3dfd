//! What a payment catalog owes.

use std::collections::BTreeSet;

use application::ports::{IdempotencyKey, KeyEntry, KeyWrite, PageCursor, PaymentQuery, RequestDigest};
use domain::payment::{OperationResult, PaymentStatus};
use domain::risk::Outcome;
use domain::{Payment, PaymentId, Timestamp};

use super::store::{Store, found, save, succeeded};
use crate::builders::{NOW, after, merchant_id, operation_id, payment, payment_details, payment_id};

/// How many payments are paged through.
const MANY: usize = 257;

fn names(payments: &[Payment]) -> Vec<&str> {
    payments.iter().map(|payment| payment.id().as_str()).collect()
}

fn texts(names: &[PaymentId]) -> Vec<&str> {
    names.iter().map(PaymentId::as_str).collect()
}

fn behind(payment: &Payment) -> PageCursor {
    PageCursor {
        created_at: payment.record().created_at,
        id: payment.id().clone(),
    }
}

async fn list(store: &Store, query: &PaymentQuery) -> Vec<Payment> {
    let page = store.list(query, None, 1_000).await.unwrap();
    assert!(!page.has_more);
    page.items
}

/// Nothing is made up.
pub async fn an_empty_store_lists_nothing(store: Store) {
    assert_eq!(list(&store, &PaymentQuery::default()).await, []);
    assert_eq!(store.due_for_inquiry(Timestamp::MAX, 10).await.unwrap(), []);
    assert_eq!(store.overdue(Timestamp::MAX, 10).await.unwrap(), []);
    let left = store.left_to_humans(None, 10).await.unwrap();
    assert_eq!((left.items, left.has_more), (vec![], false));
    assert_eq!(store.forget_keys(Timestamp::MAX, 10).await.unwrap(), 0);
}

/// By the time when they were created, then by name: byte by byte, whatever the language of the database.
pub async fn the_newest_payment_comes_first(store: Store) {
    for (id, seconds) in [("b", 1), ("a", 2), ("B", 1), ("_", 1), ("a.1", 0), ("a-1", 0)] {
        save(&store, payment().id(id).created_at(after(seconds)).build()).await;
    }
    let listed = list(&store, &PaymentQuery::default()).await;
    assert_eq!(names(&listed), ["a", "b", "_", "B", "a.1", "a-1"]);
}

/// Each condition alone, and all together.
pub async fn a_query_tells_what_it_asks_for_alone(store: Store) {
    let details = |merchant| payment_details().complete().merchant(merchant).build();
    for (id, merchant, outcome, seconds) in [
        ("one", "m_1", Outcome::Review, 1),
        ("two", "m_1", Outcome::Decline, 2),
        ("three", "m_2", Outcome::Review, 2),
        ("four", "m_1", Outcome::Review, 3),
        ("five", "m_1", Outcome::Review, 4),
    ] {
        let builder = payment().id(id).details(details(merchant)).decided(outcome);
        save(&store, builder.created_at(after(seconds)).build()).await;
    }
    let any = PaymentQuery::default();
    let of_one = PaymentQuery {
        merchant: Some(merchant_id("m_1")),
        ..any.clone()
    };
    let in_review = PaymentQuery {
        status: Some(PaymentStatus::InReview),
        ..any.clone()
    };
    // From its beginning on, and before its end.
    let between = PaymentQuery {
        created_from: Some(after(2)),
        created_before: Some(after(4)),
        ..any.clone()
    };
    let all_at_once = PaymentQuery {
        merchant: of_one.merchant.clone(),
        status: in_review.status,
        created_from: Some(after(2)),
        created_before: Some(after(4)),
    };
    let nobodys = PaymentQuery {
        merchant: Some(merchant_id("m_3")),
        ..any.clone()
    };
    let wanted: [(&PaymentQuery, &[&str]); 6] = [
        (&any, &["five", "four", "two", "three", "one"]),
        (&of_one, &["five", "four", "two", "one"]),
        (&in_review, &["five", "four", "three", "one"]),
        (&between, &["four", "two", "three"]),
        (&all_at_once, &["four"]),
        (&nobodys, &[]),
    ];
    for (query, wanted) in wanted {
        assert_eq!(names(&list(&store, query).await), wanted, "{query:?}");
    }
}

/// Also where it ends with the last one.
pub async fn a_page_says_whether_there_is_more(store: Store) {
    for number in 0..3 {
        save(&store, payment().id(&format!("pay_{number}")).build()).await;
    }
    let any = PaymentQuery::default();
    for (limit, listed, has_more) in [(1, 1, true), (2, 2, true), (3, 3, false), (4, 3, false)] {
        let page = store.list(&any, None, limit).await.unwrap();
        assert_eq!((page.items.len(), page.has_more), (listed, has_more), "{limit}");
    }
    let last = store.list(&any, None, 3).await.unwrap().items.pop().unwrap();
    let page = store.list(&any, Some(&behind(&last)), 3).await.unwrap();
    assert_eq!((page.items, page.has_more), (vec![], false));
}

/// Seven moments for all of them, so that most have the same as many others, and pages end within them.
async fn save_many(store: &Store) -> BTreeSet<String> {
    for number in 0..MANY {
        let builder = payment().id(&format!("pay_{number}"));
        save(store, builder.created_at(after(number as u64 % 7)).build()).await;
    }
    (0..MANY).map(|number| format!("pay_{number}")).collect()
}

/// By pages of several sizes.
pub async fn paging_neither_skips_nor_repeats(store: Store) {
    let wanted = save_many(&store).await;
    let of_merchant = PaymentQuery {
        merchant: Some(payment_details().complete().build().merchant_id),
        status: Some(PaymentStatus::Authorizing),
        created_from: Some(NOW),
        ..PaymentQuery::default()
    };
    for (query, limit) in [
        (PaymentQuery::default(), 10),
        (PaymentQuery::default(), MANY),
        (of_merchant, 37),
    ] {
        let mut seen: Vec<Payment> = Vec::new();
        loop {
            let cursor = seen.last().map(behind);
            let page = store.list(&query, cursor.as_ref(), limit).await.unwrap();
            assert_eq!(page.items.len(), limit.min(MANY - seen.len()));
            seen.extend(page.items);
            if !page.has_more {
                break;
            }
        }
        assert_eq!(seen.len(), wanted.len());
        let names: BTreeSet<String> = seen.iter().map(|payment| payment.id().to_string()).collect();
        assert_eq!(names, wanted);
        let order = |payment: &Payment| (payment.record().created_at, payment.id().clone());
        assert!(seen.is_sorted_by(|one, next| order(one) > order(next)));
    }
}

/// New ones of every time, between any two pages: those that were there are each told once.
pub async fn paging_goes_on_while_payments_come(store: Store) {
    let wanted = save_many(&store).await;
    let mut seen: Vec<Payment> = Vec::new();
    let mut came = 0_u64;
    loop {
        let cursor = seen.last().map(behind);
        let any = PaymentQuery::default();
        let page = store.list(&any, cursor.as_ref(), 20).await.unwrap();
        seen.extend(page.items);
        if !page.has_more {
            break;
        }
        for seconds in 0..8 {
            came += 1;
            let builder = payment().id(&format!("new_{came}"));
            save(&store, builder.created_at(after(seconds)).build()).await;
        }
    }
    let names: Vec<String> = seen.iter().map(|payment| payment.id().to_string()).collect();
    let once: BTreeSet<String> = names.iter().cloned().collect();
    assert_eq!(names.len(), once.len(), "none is told twice");
    assert!(wanted.is_subset(&once));
}

/// With their operations, each with its own.
pub async fn listed_payments_are_whole(store: Store) {
    let mut stored = Vec::new();
    for number in 0..4 {
        let name = |operation: &str| format!("op_{number}_{operation}");
        let builder = payment().id(&format!("pay_{number}")).created_at(after(number));
        let mut whole = builder.answered(&name("a"), succeeded("ref_a"));
        for operation in ["b", "c"].into_iter().take(usize::try_from(number).unwrap() % 3) {
            let id = operation_id(&name(operation));
            let part = Some(crate::builders::money(1, "CNY"));
            whole.begin_capture(id.clone(), part, after(9)).unwrap();
            whole.finish_operation(&id, succeeded("ref"), after(9)).unwrap();
        }
        stored.insert(0, save(&store, whole).await);
    }
    let waiting = payment()
        .id("waiting")
        .decided(Outcome::Review)
        .created_at(after(9));
    stored.insert(0, save(&store, waiting.build()).await);
    assert_eq!(list(&store, &PaymentQuery::default()).await, stored);
}

/// A payment with an open operation that is to be asked about at a time.
fn to_inquire(id: &str, at: Timestamp) -> Payment {
    let operation = format!("op_{id}");
    let mut payment = payment().id(id).sent(&operation);
    payment.inquire_at(&operation_id(&operation), at);
    payment
}

/// The longest due first, and no more than are asked for.
pub async fn due_are_those_whose_time_has_come(store: Store) {
    for (id, seconds) in [("late", 1), ("latest", 0), ("now", 5), ("later", 6)] {
        save(&store, to_inquire(id, after(seconds))).await;
    }
    let due = store.due_for_inquiry(after(5), 10).await.unwrap();
    assert_eq!(texts(&due), ["latest", "late", "now"]);
    let due = store.due_for_inquiry(after(5), 2).await.unwrap();
    assert_eq!(texts(&due), ["latest", "late"]);
    assert_eq!(
        store.due_for_inquiry(NOW, 10).await.unwrap(),
        [payment_id("latest")]
    );
}

/// Nor what is left to humans, nor what was never sent.
pub async fn what_has_ended_is_not_due(store: Store) {
    let mut ended = save(&store, to_inquire("ended", NOW)).await;
    let mut given_up = save(&store, to_inquire("given_up", NOW)).await;
    let mut again = save(&store, to_inquire("again", NOW)).await;
    save(&store, payment().id("unsent").decided(Outcome::Review).build()).await;
    assert_eq!(store.due_for_inquiry(NOW, 10).await.unwrap().len(), 3);
    let operation = |id: &str| operation_id(&format!("op_{id}"));
    ended
        .finish_operation(&operation("ended"), OperationResult::NotSent, after(1))
        .unwrap();
    given_up
        .asked_in_vain(&operation("given_up"), None, after(1))
        .unwrap();
    again
        .asked_in_vain(&operation("again"), Some(after(60)), after(1))
        .unwrap();
    for mut changed in [ended, given_up, again] {
        store.save(&mut changed).await.unwrap();
    }
    assert_eq!(store.due_for_inquiry(after(59), 10).await.unwrap(), []);
    let due = store.due_for_inquiry(after(60), 10).await.unwrap();
    assert_eq!(texts(&due), ["again"]);
}

/// The longest overdue first; not those that are at the acquirer, nor those that came to rest.
pub async fn overdue_are_those_that_nobody_acted_on(store: Store) {
    for (id, seconds) in [("late", 1), ("latest", 0), ("now", 5), ("later", 6)] {
        let mut waiting = payment().id(id).decided(Outcome::Review).build();
        waiting.expire_at(after(seconds));
        save(&store, waiting).await;
    }
    let mut at_the_acquirer = payment().id("sent").answered("op_1", succeeded("ref_1"));
    at_the_acquirer.expire_at(NOW);
    let mut at_the_acquirer = save(&store, at_the_acquirer).await;
    let due = store.overdue(NOW, 10).await.unwrap();
    assert_eq!(texts(&due), ["latest", "sent"]);
    at_the_acquirer.begin_void(operation_id("op_2"), NOW).unwrap();
    store.save(&mut at_the_acquirer).await.unwrap();
    let mut latest = store.find(&payment_id("latest")).await.unwrap().unwrap();
    latest.expire(after(1)).unwrap();
    store.save(&mut latest).await.unwrap();
    let due = store.overdue(after(5), 10).await.unwrap();
    assert_eq!(texts(&due), ["late", "now"]);
    assert_eq!(store.overdue(after(5), 1).await.unwrap(), [payment_id("late")]);
}

/// Behind a name, page by page, whole.
pub async fn left_to_humans_is_paged_by_name(store: Store) {
    for id in ["c", "a", "B", "d"] {
        let mut left = to_inquire(id, NOW);
        let operation = operation_id(&format!("op_{id}"));
        left.asked_in_vain(&operation, None, after(1)).unwrap();
        save(&store, left).await;
    }
    save(&store, to_inquire("asked", NOW)).await;
    save(&store, payment().id("ended").answered("op_e", succeeded("ref"))).await;
    let first = store.left_to_humans(None, 3).await.unwrap();
    assert_eq!((names(&first.items), first.has_more), (vec!["B", "a", "c"], true));
    assert_eq!(found(&store, &first.items[0]).await, first.items[0]);
    let rest = store.left_to_humans(Some(&payment_id("c")), 3).await.unwrap();
    assert_eq!((names(&rest.items), rest.has_more), (vec!["d"], false));
}

/// No more than are asked for; the payments stay.
pub async fn old_keys_are_forgotten_the_oldest_first(store: Store) {
    let merchant = payment_details().complete().build().merchant_id;
    let mut payments = Vec::new();
    for seconds in [3_u64, 0, 2, 1] {
        let mut stored = payment().id(&format!("pay_{seconds}")).build();
        let entry = KeyEntry {
            tenant: merchant.clone(),
            key: IdempotencyKey::parse(&format!("key {seconds}")).unwrap(),
            digest: RequestDigest([0; 32]),
            payment_id: stored.id().clone(),
            operation_id: None,
            claimed_until: after(9),
            answer: None,
            created_at: after(seconds),
        };
        let claim = Some(KeyWrite::Claim(&entry));
        store.save_with_key(&mut stored, claim).await.unwrap();
        payments.push(stored);
    }
    let is_there = async |seconds: u64| {
        let key = IdempotencyKey::parse(&format!("key {seconds}")).unwrap();
        store.find_key(&merchant, &key).await.unwrap().is_some()
    };
    assert_eq!(store.forget_keys(NOW, 10).await.unwrap(), 0, "before, and not at");
    assert_eq!(store.forget_keys(after(3), 2).await.unwrap(), 2);
    assert!(!is_there(0).await && !is_there(1).await && is_there(2).await && is_there(3).await);
    assert_eq!(store.forget_keys(after(3), 2).await.unwrap(), 1);
    assert!(!is_there(2).await && is_there(3).await);
    for payment in payments {
        assert_eq!(found(&store, &payment).await, payment);
    }
}
