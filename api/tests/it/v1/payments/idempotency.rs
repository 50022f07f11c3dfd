//! `Idempotency-Key`: what is asked for twice is done once, and answered twice with the same.

use application::ports::{AcquirerAnswer, AcquirerError, InquiryAnswer, RepositoryError};
use axum::body::Body;
use axum::http::Request;
use domain::payment::{AcquirerReference, DeclineCode};
use portcullis_api::Api;
use serde_json::Value;

use super::PATH;
use crate::caller::{Answer, send, small_decision, small_payment, with};
use crate::fakes::{World, unavailable};

async fn with_key(api: &Api, path: &str, key: &str, body: &Value) -> Answer {
    let request = Request::post(path)
        .header("content-type", "application/json")
        .header("Idempotency-Key", key)
        .body(Body::from(body.to_string()))
        .unwrap();
    send(api, request).await
}

fn replayed(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == "true"
}

#[tokio::test]
async fn a_payment_that_is_sent_twice_is_taken_once_and_answered_twice_with_the_same() {
    let world = World::new();
    let api = world.api();
    let first = with_key(&api, PATH, "order-17", &small_payment()).await;
    assert_eq!(
        (first.status.as_u16(), replayed(&first)),
        (201, false),
        "{first:?}"
    );
    for key in ["order-17", "\"order-17\""] {
        let again = with_key(&api, PATH, key, &small_payment()).await;
        assert_eq!(
            (again.status.as_u16(), replayed(&again)),
            (201, true),
            "{again:?}"
        );
        assert_eq!(again.text, first.text);
        assert_eq!(again.header("location"), first.header("location"));
    }
    assert_eq!(world.repository.statuses(), ["authorized"]);
    world.acquirer.called(1).await;
    assert_eq!(world.acquirer.calls(), 1);
}

#[tokio::test]
async fn a_decline_is_answered_again_too() {
    let world = World::new();
    let api = world.api();
    world.acquirer.then(Ok(AcquirerAnswer::Declined {
        code: DeclineCode::CardDeclined,
    }));
    let first = with_key(&api, PATH, "order-17", &small_payment()).await;
    let again = with_key(&api, PATH, "order-17", &small_payment()).await;
    assert_eq!(first.json()["status"], "declined");
    assert_eq!(again.text, first.text);
    assert_eq!(world.acquirer.calls(), 1);
}

#[tokio::test]
async fn another_body_or_path_under_the_same_key_is_refused() {
    let world = World::new();
    let api = world.api();
    with_key(&api, PATH, "order-17", &small_payment()).await;
    let other = with(small_payment(), "amount.minor_units", 1.into());
    let refused = with_key(&api, PATH, "order-17", &other).await;
    assert_eq!(refused.status, 422);
    assert_eq!(refused.problem().0, "idempotency_key_reused");
    let capture = with_key(
        &api,
        "/v1/payments/pay_1/capture",
        "order-17",
        &serde_json::json!({}),
    )
    .await;
    assert_eq!(capture.problem().0, "idempotency_key_reused");
    assert_eq!(world.repository.statuses(), ["authorized"]);
}

#[tokio::test]
async fn two_merchants_may_use_the_same_key() {
    let world = World::new();
    let api = world.api();
    with_key(&api, PATH, "1", &small_payment()).await;
    let other = with_key(
        &api,
        PATH,
        "1",
        &with(small_payment(), "merchant_id", "shop-2".into()),
    )
    .await;
    assert_eq!((other.status.as_u16(), replayed(&other)), (201, false));
}

#[tokio::test]
async fn while_the_first_is_under_way_a_second_is_told_so() {
    let world = World::new();
    let api = world.api();
    world.acquirer.hold();
    let first = tokio::spawn({
        let api = api.clone();
        async move { with_key(&api, PATH, "order-17", &small_payment()).await }
    });
    world.acquirer.called(1).await;
    let second = with_key(&api, PATH, "order-17", &small_payment()).await;
    assert_eq!(second.status, 409);
    assert_eq!(second.problem().0, "idempotency_key_in_use");
    assert_eq!(second.header("retry-after"), "1");
    world.acquirer.release();
    assert_eq!(first.await.unwrap().status, 201);
    let third = with_key(&api, PATH, "order-17", &small_payment()).await;
    assert!(replayed(&third), "{third:?}");
}

#[tokio::test]
async fn an_unknown_outcome_is_not_kept_and_a_repeated_request_asks_the_acquirer_again() {
    let world = World::new();
    let api = world.api();
    world.acquirer.then(Err(AcquirerError::OutcomeUnknown {
        reason: "lost".to_owned(),
    }));
    let first = with_key(&api, PATH, "order-17", &small_payment()).await;
    assert_eq!(first.status, 202, "{first:?}");
    world.acquirer.then_inquiry(Ok(InquiryAnswer::UnderWay));
    let second = with_key(&api, PATH, "order-17", &small_payment()).await;
    assert_eq!(
        (second.status.as_u16(), replayed(&second)),
        (202, false),
        "{second:?}"
    );
    world
        .acquirer
        .then_inquiry(Ok(InquiryAnswer::Answered(AcquirerAnswer::Approved {
            reference: AcquirerReference::parse("acq-late").unwrap(),
        })));
    let third = with_key(&api, PATH, "order-17", &small_payment()).await;
    assert_eq!(
        (third.status.as_u16(), replayed(&third)),
        (201, false),
        "{third:?}"
    );
    assert_eq!(third.json()["status"], "authorized");
    let fourth = with_key(&api, PATH, "order-17", &small_payment()).await;
    assert_eq!((replayed(&fourth), &fourth.text), (true, &third.text));
    assert_eq!(world.acquirer.calls(), 1, "charged once");
}

#[tokio::test]
async fn what_was_not_stored_is_not_remembered() {
    let world = World::new();
    let api = world.api();
    // The look for the key goes through; the first save does not.
    for failure in [None, Some(unavailable())] {
        world.repository.then(failure);
    }
    let first = with_key(&api, PATH, "order-17", &small_payment()).await;
    assert_eq!(first.status, 503, "{first:?}");
    let second = with_key(&api, PATH, "order-17", &small_payment()).await;
    assert_eq!((second.status.as_u16(), replayed(&second)), (201, false));
}

#[tokio::test]
async fn a_key_that_another_node_took_in_this_very_moment_is_in_use() {
    let world = World::new();
    for failure in [None, Some(RepositoryError::KeyTaken)] {
        world.repository.then(failure);
    }
    let answer = with_key(&world.api(), PATH, "order-17", &small_payment()).await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.problem().0, "idempotency_key_in_use");
    assert_eq!(world.acquirer.calls(), 0);
}

#[tokio::test]
async fn what_is_no_key_is_refused_before_anything_is_done() {
    let world = World::new();
    let answer = with_key(&world.api(), PATH, "\"never closed", &small_payment()).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.problem().0, "invalid_idempotency_key");
    assert!(!answer.text.contains("never"), "{answer:?}");
    assert!(world.repository.statuses().is_empty());
}

#[tokio::test]
async fn a_bare_decision_ignores_the_key() {
    let api = World::new().api();
    let answer = with_key(&api, "/v1/risk/decisions", "order-17", &small_decision()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}
