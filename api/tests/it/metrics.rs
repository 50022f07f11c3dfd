//! `/metrics`.

use crate::caller::{get, post_text};
use crate::fakes::World;

#[tokio::test]
async fn requests_are_counted_by_route_method_and_status_class() {
    let api = World::new().api();
    get(&api, "/v1/payments/pay_1").await;
    get(&api, "/v1/payments/pay_2").await;
    post_text(&api, "/v1/risk/decisions", "{").await;
    get(&api, "/nowhere/4242424242424242").await;
    let answer = get(&api, "/metrics").await;
    assert!(
        answer
            .header("content-type")
            .starts_with("application/openmetrics-text")
    );
    for line in [
        r#"http_requests_total{route="/v1/payments/{id}",method="GET",status="4xx"} 2"#,
        r#"http_requests_total{route="/v1/risk/decisions",method="POST",status="4xx"} 1"#,
        r#"http_requests_total{route="unmatched",method="GET",status="4xx"} 1"#,
        r#"http_request_duration_seconds_count{route="/v1/payments/{id}"} 2"#,
        "http_requests_in_flight 1",
    ] {
        assert!(
            answer.text.lines().any(|found| found == line),
            "{line}\n{}",
            answer.text
        );
    }
    assert!(!answer.text.contains("42424242"), "paths are no labels");
}
