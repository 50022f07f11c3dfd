//! How long a payment lives: longer than its client's patience.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use portcullis_api::Config;
use tower::ServiceExt;

use super::PATH;
use crate::caller::{get, post, small_decision, small_payment};
use crate::fakes::World;

fn payment_request() -> Request<Body> {
    Request::post(PATH)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(small_payment().to_string()))
        .unwrap()
}

#[tokio::test]
async fn a_payment_goes_on_when_its_client_goes_away() {
    let world = World::new();
    let api = world.api();
    world.acquirer.hold();
    let request = tokio::spawn(api.router().oneshot(payment_request()));
    world.acquirer.called(1).await;
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    assert_eq!(api.payments_running(), 1);
    world.acquirer.release();
    api.payments_ended().await;
    assert_eq!(world.repository.statuses(), ["authorized"]);
    assert!(
        get(&api, "/metrics")
            .await
            .text
            .contains(r#"{route="/v1/payments",method="POST",status="aborted"} 1"#)
    );
}

#[tokio::test(start_paused = true)]
async fn a_payment_goes_on_when_the_request_times_out() {
    let world = World::new();
    let api = world.api_with(&Config {
        request_timeout_ms: 50,
        ..Config::for_tests()
    });
    world.acquirer.hold();
    let answer = post(&api, PATH, &small_payment()).await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.problem().0, "payment_outcome_unknown");
    world.acquirer.release();
    api.payments_ended().await;
    assert_eq!(world.repository.statuses(), ["authorized"]);
}

#[tokio::test(start_paused = true)]
async fn a_payment_holds_its_place_after_its_client_has_gone() {
    let world = World::new();
    let api = world.api_with(&Config {
        max_in_flight: 1,
        request_timeout_ms: 50,
        ..Config::for_tests()
    });
    world.acquirer.hold();
    assert_eq!(post(&api, PATH, &small_payment()).await.status, 500);
    let refused = post(&api, "/v1/risk/decisions", &small_decision()).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.problem().0, "too_many_requests");
    assert_eq!(
        get(&api, "/healthz").await.status,
        200,
        "a full node is not a dead one"
    );
    world.acquirer.release();
    api.payments_ended().await;
    assert_eq!(
        post(&api, "/v1/risk/decisions", &small_decision()).await.status,
        200
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let world = World::new();
    let api = world.api_with(&Config {
        body_read_timeout_ms: 50,
        ..Config::for_tests()
    });
    let request = Request::post(PATH)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::new(NeverEnding))
        .unwrap();
    let started = tokio::time::Instant::now();
    let answer = crate::caller::send(&api, request).await;
    assert_eq!(answer.status, 408);
    assert_eq!(answer.problem().0, "body_incomplete");
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn a_payment_whose_task_panics_may_have_moved_money() {
    let world = World::new();
    let api = world.api();
    world.acquirer.panic_next();
    let answer = post(&api, PATH, &small_payment()).await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.problem().0, "payment_outcome_unknown");
    assert_eq!(world.repository.statuses(), ["authorizing"], "left to recovery");
}

/// A client that sends nothing and stays.
struct NeverEnding;

impl axum::body::HttpBody for NeverEnding {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        std::task::Poll::Pending
    }
}
