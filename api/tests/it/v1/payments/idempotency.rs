//! `Idempotency-Key`, which is refused until it is kept.

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use super::PATH;
use crate::caller::{Answer, send, small_decision, small_payment};
use crate::fakes::World;

async fn with_key(world: &World, path: &str, body: &Value) -> Answer {
    let request = Request::post(path)
        .header("content-type", "application/json")
        .header("Idempotency-Key", "order-17")
        .body(Body::from(body.to_string()))
        .unwrap();
    send(&world.api(), request).await
}

#[tokio::test]
async fn a_payment_that_relies_on_a_key_is_refused_and_nothing_is_done() {
    let world = World::new();
    let answer = with_key(&world, PATH, &small_payment()).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.problem().0, "idempotency_key_unsupported");
    assert!(!answer.text.contains("order-17"), "{answer:?}");
    assert!(world.repository.statuses().is_empty());
}

#[tokio::test]
async fn a_bare_decision_ignores_the_key() {
    let answer = with_key(&World::new(), "/v1/risk/decisions", &small_decision()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}
