//! `/v1/risk/decisions`.

use domain::risk::Outcome;
use serde_json::{Value, json};

use crate::caller::{CARD_NUMBER, get, post, small_decision, small_payment, with};
use crate::fakes::engine::fault;
use crate::fakes::{World, verdict};

const PATH: &str = "/v1/risk/decisions";

#[tokio::test]
async fn a_decision_is_answered_with_all_that_led_to_it() {
    let world = World::new();
    world.engine.put(vec![
        verdict("velocity-limit", Outcome::Decline, 810),
        fault("geo-mismatch"),
    ]);
    let body = with(small_decision(), "payment_id", json!("order-17"));
    let answer = post(&world.api(), PATH, &body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    let digest = format!("sha256:{}", "ab".repeat(32));
    assert_eq!(
        answer.json(),
        json!({
            "payment_id": "order-17",
            "risk": {
                "decision_id": "dec_1",
                "outcome": "decline",
                "score": 810,
                "reasons": [
                    {
                        "policy": "velocity-limit",
                        "code": "velocity.card.count",
                        "message": "6 payments in an hour, 5 allowed",
                    },
                    {
                        "policy": "geo-mismatch",
                        "code": "fault.trap",
                        "message": "the policy gave no answer; its failure mode is review",
                    },
                ],
                "policies": [
                    {
                        "name": "velocity-limit",
                        "version": "1.4.0",
                        "sequence": 7,
                        "digest": digest,
                        "outcome": "decline",
                        "score": 810,
                        "signals": [{"code": "seen", "detail": "6"}],
                        "fuel_used": 48211,
                        "elapsed_us": 37,
                    },
                    {
                        "name": "geo-mismatch",
                        "version": "1.4.0",
                        "sequence": 7,
                        "digest": digest,
                        "outcome": "review",
                        "fault": {"kind": "trap"},
                        "signals": [],
                        "fuel_used": 1000,
                        "elapsed_us": 2,
                    },
                ],
                "policy_revision": 41,
                "decided_at": "2026-03-01T08:30:00.250Z",
            },
        })
    );
    assert!(
        !answer.text.contains("backtrace"),
        "a trap is for the policy's author"
    );
}

#[tokio::test]
async fn reasons_are_the_same_with_and_without_a_fault_beside_them() {
    let world = World::new();
    let api = world.api();
    let seen = verdict("velocity-limit", Outcome::Review, 500);
    world.engine.put(vec![seen.clone()]);
    let alone = post(&api, PATH, &small_decision()).await.json();
    world.engine.put(vec![seen, fault("other")]);
    let beside = post(&api, PATH, &small_decision()).await.json();
    assert_eq!(alone["risk"]["reasons"][0], beside["risk"]["reasons"][0]);
}

#[tokio::test]
async fn a_decision_is_read_again_with_what_it_was_about() {
    let world = World::new();
    world.engine.put(vec![
        verdict("velocity-limit", Outcome::Review, 810),
        fault("geo-mismatch"),
    ]);
    let api = world.api();
    let body = with(small_decision(), "payment_id", json!("order-17"));
    let body = with(
        body,
        "card",
        json!({"number": CARD_NUMBER, "issuer_country": "CN"}),
    );
    let made = post(&api, PATH, &body).await.json();
    let id = made["risk"]["decision_id"].as_str().unwrap();
    let shown = get(&api, &format!("{PATH}/{id}")).await;
    assert_eq!(shown.status, 200, "{shown:?}");
    assert_eq!(
        shown.json(),
        json!({
            "id": id,
            "payment_id": "order-17",
            "merchant_id": "shop-1",
            "amount": {"minor_units": 12900, "currency": "CNY", "decimal": "129.00"},
            "card": {
                "bin": "42424242",
                "last4": "4242",
                "brand": "visa",
                "fingerprint": "fp-of-4242",
                "issuer_country": "CN",
            },
            "risk": made["risk"],
            "created_at": "2026-03-01T08:30:00.250Z",
        })
    );
    assert!(!shown.text.contains(CARD_NUMBER) && !shown.text.contains("backtrace"));
    let bare = post(&api, PATH, &small_decision()).await.json();
    let listed = get(&api, PATH).await.json();
    assert_eq!(listed["data"][1], shown.json());
    assert_eq!(listed["data"][0]["risk"], bare["risk"]);
    assert_eq!(listed["data"][0]["card"], json!(null));
}

#[tokio::test]
async fn decisions_are_listed_page_by_page_and_narrowed() {
    let world = World::new();
    let api = world.api();
    for (payment, merchant, outcome) in [
        ("order-1", "shop-1", Outcome::Approve),
        ("order-2", "shop-2", Outcome::Decline),
        ("order-3", "shop-1", Outcome::Decline),
    ] {
        world.engine.put(vec![verdict("p", outcome, 10)]);
        let body = with(small_decision(), "payment_id", json!(payment));
        let made = post(&api, PATH, &with(body, "merchant_id", json!(merchant))).await;
        assert_eq!(made.status, 200);
    }
    let payments = |page: &Value| -> Vec<String> {
        let items = page["data"].as_array().unwrap().iter();
        items
            .map(|item| item["payment_id"].as_str().unwrap().to_owned())
            .collect()
    };
    for (query, expected) in [
        ("", vec!["order-3", "order-2", "order-1"]),
        ("?merchant_id=shop-1", vec!["order-3", "order-1"]),
        ("?outcome=decline", vec!["order-3", "order-2"]),
        ("?outcome=decline&merchant_id=shop-2", vec!["order-2"]),
        ("?payment_id=order-1", vec!["order-1"]),
        (
            "?created_from=1772353800250",
            vec!["order-3", "order-2", "order-1"],
        ),
        ("?created_before=1772353800250", vec![]),
    ] {
        let page = get(&api, &format!("{PATH}{query}")).await.json();
        assert_eq!(payments(&page), expected, "{query}");
        assert_eq!(page["has_more"], json!(false));
    }
    let first = get(&api, &format!("{PATH}?limit=2")).await.json();
    assert_eq!(
        (payments(&first), &first["has_more"]),
        (vec!["order-3".to_owned(), "order-2".to_owned()], &json!(true))
    );
    let next = first["next_cursor"].as_str().unwrap();
    let second = get(&api, &format!("{PATH}?limit=2&cursor={next}")).await.json();
    assert_eq!(
        (payments(&second), &second["next_cursor"]),
        (vec!["order-1".to_owned()], &json!(null))
    );
    for query in [
        "?outcome=maybe",
        "?payment_id=a%20b",
        "?cursor=x",
        "?status=declined",
        "?limit=101",
    ] {
        let answer = get(&api, &format!("{PATH}{query}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.problem().0.as_str()),
            (400, "invalid_query"),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_decision_that_is_not_kept_is_not_found() {
    let world = World::new();
    let api = world.api();
    for name in ["dec_none", "a%20b", "a%2Fb"] {
        let answer = get(&api, &format!("{PATH}/{name}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.problem().0.as_str()),
            (404, "decision_not_found"),
            "{name}"
        );
    }
    let paid = post(&api, "/v1/payments", &small_payment()).await.json();
    let of_payment = paid["risk"]["decision_id"].as_str().unwrap();
    assert_eq!(
        get(&api, &format!("{PATH}/{of_payment}")).await.status,
        404,
        "it is in its payment"
    );
}

#[tokio::test]
async fn a_log_that_is_away_hinders_no_decision() {
    let world = World::new();
    let api = world.api();
    world.decisions.set_available(false);
    assert_eq!(post(&api, PATH, &small_decision()).await.status, 200);
    for path in [PATH.to_owned(), format!("{PATH}/dec_1")] {
        let answer = get(&api, &path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.problem().0.as_str()),
            (503, "storage_unavailable")
        );
        assert!(!answer.text.contains("the test says so"), "{answer:?}");
    }
}

#[tokio::test]
async fn nothing_is_charged_and_no_payment_is_kept() {
    let world = World::new();
    let api = world.api();
    let answer = post(&api, PATH, &small_decision()).await;
    assert_eq!(answer.json()["payment_id"], "pay_1", "a name is made");
    assert_eq!(get(&api, "/v1/payments/pay_1").await.status, 404);
    assert!(world.repository.statuses().is_empty());
}

#[tokio::test]
async fn a_card_has_no_expiry_here() {
    let body = with(small_decision(), "card", json!({"number": CARD_NUMBER}));
    let api = World::new().api();
    assert_eq!(post(&api, PATH, &body).await.status, 200);
    let answer = post(&api, PATH, &with(body, "card.expiry_month", json!(12))).await;
    let unknown = ("card.expiry_month".to_owned(), "unknown_field".to_owned());
    assert_eq!(answer.problem(), ("unknown_field".to_owned(), vec![unknown]));
}

#[tokio::test]
async fn without_policies_nothing_is_decided() {
    let world = World::new();
    world.engine.unload();
    let answer = post(&world.api(), PATH, &small_decision()).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("retry-after"), "5");
    assert_eq!(answer.problem().0, "risk_unavailable");
}

#[tokio::test]
async fn an_odd_payment_id_is_refused() {
    for odd in ["", "a b", &"x".repeat(65)] {
        let body = with(small_decision(), "payment_id", json!(odd));
        let answer = post(&World::new().api(), PATH, &body).await;
        let error = ("payment_id".to_owned(), "invalid_identifier".to_owned());
        assert_eq!(answer.problem(), ("invalid_identifier".to_owned(), vec![error]));
    }
}
