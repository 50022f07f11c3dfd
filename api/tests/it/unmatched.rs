//! Paths and methods that nothing serves, and what every answer has.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use portcullis_api::{Api, Config};
use serde_json::json;

use crate::caller::{get, send};
use crate::fakes::World;

#[tokio::test]
async fn an_unknown_path_is_a_problem() {
    let request = Request::get("/v1/nothing")
        .header("x-request-id", "order-17")
        .body(Body::empty())
        .unwrap();
    let answer = send(&World::new().api(), request).await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("x-request-id"), "order-17");
    assert_eq!(
        answer.json(),
        json!({
            "type": "/docs/errors/not_found",
            "title": "Not found",
            "status": 404,
            "detail": "There is nothing under this path.",
            "instance": "order-17",
            "code": "not_found",
        })
    );
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let api = World::new().api();
    for (method, path, allowed) in [
        ("DELETE", "/v1/payments", "POST,GET,HEAD"),
        ("GET", "/v1/payments/pay_1/capture", "POST"),
        ("POST", "/v1/payments/pay_1", "GET,HEAD"),
        ("OPTIONS", "/healthz", "GET,HEAD"),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::empty())
            .unwrap();
        let answer = send(&api, request).await;
        assert_eq!(answer.status, 405, "{method} {path}");
        assert_eq!(answer.header("allow"), allowed, "{method} {path}");
        assert_eq!(answer.problem().0, "method_not_allowed");
    }
}

#[tokio::test]
async fn a_request_without_an_id_is_given_one() {
    let api = World::new().api();
    let first = get(&api, "/healthz").await;
    assert!(first.header("x-request-id").starts_with("req_"), "{first:?}");
    let problem = get(&api, "/nowhere").await;
    assert_eq!(problem.json()["instance"], problem.header("x-request-id"));
    assert_ne!(first.header("x-request-id"), problem.header("x-request-id"));
}

#[tokio::test]
async fn an_insane_request_id_is_replaced() {
    let request = Request::get("/healthz")
        .header("x-request-id", "a b\tc")
        .body(Body::empty())
        .unwrap();
    let answer = send(&World::new().api(), request).await;
    assert!(answer.header("x-request-id").starts_with("req_"));
}

#[tokio::test]
async fn a_long_uri_is_refused() {
    let answer = get(&World::new().api(), &format!("/healthz?{}", "x".repeat(2_048))).await;
    assert_eq!(answer.status, 414);
    assert_eq!(answer.problem().0, "uri_too_long");
}

#[tokio::test]
async fn a_panic_becomes_a_problem_without_its_text() {
    let mut state = World::new().state();
    state.render_metrics = Arc::new(|| panic!("secret of the renderer"));
    let api = Api::new(&Config::for_tests(), state);
    let answer = get(&api, "/metrics").await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.problem().0, "internal");
    assert!(!answer.text.contains("secret"));
    assert_eq!(get(&api, "/healthz").await.status, 200);
}
