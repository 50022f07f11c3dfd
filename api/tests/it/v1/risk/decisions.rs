//! `/v1/risk/decisions`.

use domain::risk::Outcome;
use serde_json::json;

use crate::caller::{CARD_NUMBER, get, post, small_decision, with};
use crate::fakes::{World, fault, verdict};

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
async fn nothing_is_charged_and_nothing_is_kept() {
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
