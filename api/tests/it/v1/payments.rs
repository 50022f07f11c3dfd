//! `/v1/payments`: what comes of a payment that can be read. Bodies that cannot are in `bodies`.

mod bodies;
mod idempotency;
mod lifecycle;
mod lifetime;
mod misplaced_cards;

use application::ports::{AcquirerAnswer, AcquirerError, RepositoryError};
use domain::PaymentId;
use domain::payment::DeclineCode;
use domain::risk::Outcome;
use serde_json::{Value, json};

use crate::caller::{CARD_NUMBER, full_payment, get, post, small_payment, with};
use crate::fakes::engine::fault;
use crate::fakes::{World, unavailable, verdict};

const PATH: &str = "/v1/payments";

/// What `full_payment` becomes.
fn authorized_payment() -> Value {
    let amount = json!({"minor_units": 12900, "currency": "CNY", "decimal": "129.00"});
    let now = "2026-03-01T08:30:00.250Z";
    json!({
        "id": "pay_1",
        "status": "authorized",
        "decline_code": null,
        "merchant_id": "shop-1",
        "merchant_category": "5411",
        "amount": amount,
        "amounts": {"authorized": 12900, "captured": 0, "refunded": 0, "capturable": 12900, "refundable": 0},
        "card": {
            "bin": "42424242",
            "last4": "4242",
            "brand": "visa",
            "fingerprint": "fp-of-4242",
            "issuer_country": "US",
        },
        "customer": {
            "id": "c-9",
            "email": "a@example.com",
            "billing_country": "CN",
            "shipping_country": "DE",
        },
        "device": {
            "id": "d-3",
            "ip": "203.0.113.7",
            "ip_country": "CN",
            "user_agent": "Mozilla/5.0",
        },
        "metadata": {"order": "2026-17", "channel": "app"},
        "risk": {
            "decision_id": "dec_2",
            "outcome": "approve",
            "score": 120,
            "reasons": [{
                "policy": "velocity-limit",
                "code": "velocity.card.count",
                "message": "6 payments in an hour, 5 allowed",
            }],
            "policies": [{
                "name": "velocity-limit",
                "version": "1.4.0",
                "sequence": 7,
                "digest": format!("sha256:{}", "ab".repeat(32)),
                "outcome": "approve",
                "score": 120,
                "signals": [{"code": "seen", "detail": "6"}],
                "fuel_used": 48211,
                "elapsed_us": 37,
            }],
            "policy_revision": 41,
            "decided_at": now,
        },
        "review": null,
        "expires_at": "2026-03-08T08:30:00.250Z",
        "operations": [{
            "id": "op_3",
            "kind": "authorize",
            "status": "succeeded",
            "amount": amount,
            "acquirer_reference": "acq-op_3",
            "decline_code": null,
            "created_at": now,
            "updated_at": now,
        }],
        "created_at": now,
        "updated_at": now,
    })
}

#[tokio::test]
async fn an_authorized_payment_is_shown_whole() {
    let world = World::new();
    let api = world.api();
    let answer = post(&api, PATH, &full_payment()).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.header("location"), "/v1/payments/pay_1");
    assert_eq!(answer.json(), authorized_payment());
    assert!(!answer.text.contains(CARD_NUMBER));
    let shown = get(&api, "/v1/payments/pay_1").await;
    assert_eq!(shown.status, 200);
    assert_eq!(shown.text, answer.text, "GET shows what POST answered");
}

#[tokio::test]
async fn what_was_left_out_is_null() {
    let answer = post(&World::new().api(), PATH, &small_payment()).await.json();
    for absent in ["merchant_category", "customer", "device", "decline_code"] {
        assert_eq!(answer[absent], json!(null), "{absent}");
    }
    assert_eq!(answer["metadata"], json!({}));
    assert_eq!(answer["card"]["issuer_country"], json!(null));
}

#[tokio::test]
async fn a_decline_is_an_outcome() {
    for (evaluation, status, decline_code) in [
        (
            verdict("p", Outcome::Decline, 990),
            "declined",
            json!("risk_policy"),
        ),
        (verdict("p", Outcome::Review, 600), "in_review", json!(null)),
        (
            verdict("p", Outcome::Challenge, 400),
            "requires_action",
            json!(null),
        ),
        (fault("p"), "in_review", json!(null)),
    ] {
        let world = World::new();
        world.engine.put(vec![evaluation]);
        let answer = post(&world.api(), PATH, &small_payment()).await;
        assert_eq!(answer.status, 201);
        assert_eq!(answer.json()["status"], status);
        assert_eq!(answer.json()["decline_code"], decline_code);
        assert_eq!(
            answer.json()["operations"],
            json!([]),
            "the acquirer was not asked"
        );
    }
}

#[tokio::test]
async fn a_decline_of_the_acquirer_is_an_outcome_too() {
    let not_sent = AcquirerError::NotSent {
        reason: "connection refused".to_owned(),
    };
    for (said, decline_code, operation) in [
        (
            Ok(AcquirerAnswer::Declined {
                code: DeclineCode::InsufficientFunds,
            }),
            "insufficient_funds",
            "declined",
        ),
        (Err(not_sent), "acquirer_unavailable", "not_sent"),
    ] {
        let world = World::new();
        world.acquirer.then(said);
        let answer = post(&world.api(), PATH, &small_payment()).await;
        assert_eq!(answer.status, 201);
        let body = answer.json();
        assert_eq!(body["status"], "declined");
        assert_eq!(body["decline_code"], decline_code);
        assert_eq!(body["operations"][0]["status"], operation);
    }
}

#[tokio::test]
async fn an_unknown_outcome_is_accepted_and_not_created() {
    let world = World::new();
    world.acquirer.then(Err(AcquirerError::OutcomeUnknown {
        reason: "read timed out".to_owned(),
    }));
    let answer = post(&world.api(), PATH, &small_payment()).await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.header("location"), "/v1/payments/pay_1");
    assert_eq!(answer.json()["status"], "authorizing");
    assert_eq!(answer.json()["operations"][0]["status"], "unknown");
}

#[tokio::test]
async fn an_expired_card_is_refused() {
    let body = with(small_payment(), "card.expiry_year", json!(2026));
    let body = with(body, "card.expiry_month", json!(1));
    let answer = post(&World::new().api(), PATH, &body).await;
    assert_eq!(answer.status, 400);
    let error = ("card.expiry_month".to_owned(), "card_expired".to_owned());
    assert_eq!(answer.problem(), ("card_expired".to_owned(), vec![error]));
}

#[tokio::test]
async fn without_policies_no_payment_is_taken() {
    let world = World::new();
    world.engine.unload();
    let answer = post(&world.api(), PATH, &small_payment()).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("retry-after"), "5");
    assert_eq!(answer.problem().0, "risk_unavailable");
}

#[tokio::test]
async fn a_payment_that_was_not_stored_may_be_sent_again() {
    let world = World::new();
    world.repository.then(Some(unavailable()));
    let answer = post(&world.api(), PATH, &small_payment()).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("retry-after"), "5");
    assert_eq!(answer.problem().0, "storage_unavailable");
    assert!(
        !answer.text.contains("secret-path"),
        "the operator's text stays inside"
    );
}

#[tokio::test]
async fn a_payment_whose_answer_was_not_stored_must_not_be_sent_again() {
    let world = World::new();
    world.repository.then(None);
    for _try in 0..7 {
        world.repository.then(Some(unavailable()));
    }
    let answer = post(&world.api(), PATH, &small_payment()).await;
    assert_eq!(answer.status, 500, "no client repeats a 500 by itself");
    assert_eq!(answer.header("retry-after"), "");
    assert_eq!(answer.problem().0, "payment_outcome_unknown");
    assert!(!answer.text.contains("secret-path"));
}

#[tokio::test]
async fn a_payment_that_nobody_has_is_not_found() {
    let api = World::new().api();
    for id in ["pay_404", "a%20b", "%ff", &"x".repeat(65)] {
        let answer = get(&api, &format!("/v1/payments/{id}")).await;
        assert_eq!(answer.status, 404, "{id}");
        assert_eq!(answer.problem().0, "payment_not_found");
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_told_from_one_that_is_damaged() {
    let world = World::new();
    let api = world.api();
    let id = PaymentId::parse("pay_1").unwrap();
    world.repository.then(Some(unavailable()));
    let away = get(&api, "/v1/payments/pay_1").await;
    assert_eq!((away.status.as_u16(), away.header("retry-after")), (503, "5"));
    assert_eq!(away.problem().0, "storage_unavailable");
    world.repository.then(Some(RepositoryError::Corrupt {
        id,
        reason: "row 7 of secret-path".to_owned(),
    }));
    let damaged = get(&api, "/v1/payments/pay_1").await;
    assert_eq!(damaged.status, 500);
    assert_eq!(damaged.problem().0, "internal");
    for answer in [away, damaged] {
        assert!(!answer.text.contains("secret-path"), "{answer:?}");
    }
}
