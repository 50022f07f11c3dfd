//! Endpoints that do not take what they are sent.

use application::ports::{DeliveryState, DisabledReason, EndpointStatus};
use testkit::builders::NOW;

use crate::receiver::{Behaviour, Receiver, status};
use crate::scene::{Scene, later};

#[tokio::test]
async fn what_fails_in_whatever_way_is_sent_again_with_the_same_bytes() {
    let mut scene = Scene::new();
    scene.config.request_timeout_ms = 500;
    let mut receiver = Receiver::start().await;
    let endless_head = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(100_000));
    let ways = [
        (
            status("500 Internal Server Error"),
            Some(500),
            "answered with 500",
        ),
        (Behaviour::Hang, None, "no answer within 500 ms"),
        (
            Behaviour::Close,
            None,
            "the connection was closed before an answer came",
        ),
        (
            Behaviour::Answer("well, hello\r\n\r\n".to_owned()),
            None,
            "the answer is no HTTP, or its head is too large",
        ),
        (
            Behaviour::Answer(endless_head),
            None,
            "the answer is no HTTP, or its head is too large",
        ),
    ];
    receiver.then(ways.iter().map(|(behaviour, _, _)| behaviour.clone()));
    let endpoint = scene.endpoint("we_1", &receiver.url()).await;
    let running = scene.start();
    scene.declined("pay_1").await;
    let first = receiver.next().await;
    for times in 1..=ways.len() as u64 {
        scene.tried(&endpoint, times).await;
        scene.hours_pass(24);
        let again = receiver.next().await;
        assert_eq!(
            (&again.body, again.header("webhook-id")),
            (&first.body, first.header("webhook-id"))
        );
        assert_ne!(
            again.header("webhook-timestamp"),
            first.header("webhook-timestamp")
        );
    }
    let sent = scene.all(&endpoint, 1, DeliveryState::Succeeded).await.remove(0);
    let told: Vec<_> = sent
        .attempts
        .iter()
        .map(|one| (one.status, one.error.as_deref()))
        .collect();
    let mut expected: Vec<_> = ways
        .iter()
        .map(|(_, status, error)| (*status, Some(*error)))
        .collect();
    expected.push((Some(204), None));
    assert_eq!(told, expected);
    assert_eq!(scene.found(&endpoint).await.failing_since, None);
    running.stop().await;
}

#[tokio::test]
async fn the_pauses_are_those_of_the_schedule_and_then_it_has_failed() {
    let mut scene = Scene::new();
    scene.config.retry_seconds = vec![5, 300];
    let mut receiver = Receiver::start().await;
    receiver.then(vec![status("503 Service Unavailable"); 3]);
    let endpoint = scene.endpoint("we_1", &receiver.url()).await;
    let running = scene.start();
    scene.declined("pay_1").await;
    let mut now = NOW;
    for (times, pause_ms) in [(1, 5_000), (2, 300_000)] {
        receiver.next().await;
        let waits = scene.tried(&endpoint, times).await;
        let pause = waits.next_attempt_at.unwrap().unix_millis() - now.unix_millis();
        let tenth = pause_ms / 10;
        assert!((pause_ms - tenth..=pause_ms + tenth).contains(&pause), "{pause}");
        scene.clock.advance_ms(pause);
        now = later(now, pause);
    }
    receiver.next().await;
    let failed = scene.all(&endpoint, 1, DeliveryState::Failed).await;
    assert_eq!(failed[0].attempts_made, 3);
    assert_eq!(scene.found(&endpoint).await.status, EndpointStatus::Enabled);
    running.stop().await;
    assert!(receiver.rest().is_empty());
}

#[tokio::test]
async fn an_endpoint_is_asked_again_when_it_says() {
    let scene = Scene::new();
    let mut receiver = Receiver::start().await;
    let busy = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7200\r\ncontent-length: 0\r\n\r\n";
    receiver.then([Behaviour::Answer(busy.to_owned())]);
    let endpoint = scene.endpoint("we_1", &receiver.url()).await;
    let running = scene.start();
    scene.declined("pay_1").await;
    receiver.next().await;
    let waits = scene.tried(&endpoint, 1).await;
    assert_eq!(waits.next_attempt_at, Some(later(NOW, 7_200_000)));
    running.stop().await;
}

#[tokio::test]
async fn an_endpoint_that_says_it_is_gone_is_sent_nothing_more() {
    let scene = Scene::new();
    let mut receiver = Receiver::start().await;
    receiver.then([status("410 Gone")]);
    let endpoint = scene.endpoint("we_1", &receiver.url()).await;
    let running = scene.start();
    scene.declined("pay_1").await;
    receiver.next().await;
    scene.all(&endpoint, 1, DeliveryState::Failed).await;
    assert_eq!(
        scene.found(&endpoint).await.status,
        EndpointStatus::Disabled(DisabledReason::Gone)
    );
    scene.declined("pay_2").await;
    // Behind this one, to another endpoint, the event is known to have been handed out.
    let mut other = Receiver::start().await;
    let reached = scene.endpoint("we_2", &other.url()).await;
    scene.declined("pay_3").await;
    other.next().await;
    scene.all(&reached, 1, DeliveryState::Succeeded).await;
    running.stop().await;
    assert_eq!(scene.deliveries(&endpoint).await.len(), 1);
    assert!(receiver.rest().is_empty());
}

#[tokio::test]
async fn an_endpoint_that_nothing_reaches_for_five_days_is_disabled() {
    let scene = Scene::new();
    let mut receiver = Receiver::start().await;
    receiver.then([Behaviour::Close, Behaviour::Close]);
    let endpoint = scene.endpoint("we_1", &receiver.url()).await;
    let running = scene.start();
    scene.declined("pay_1").await;
    receiver.next().await;
    scene.tried(&endpoint, 1).await;
    assert_eq!(scene.found(&endpoint).await.failing_since, Some(NOW));
    scene.hours_pass(5 * 24);
    receiver.next().await;
    scene.tried(&endpoint, 2).await;
    assert_eq!(
        scene.found(&endpoint).await.status,
        EndpointStatus::Disabled(DisabledReason::Failing)
    );
    running.stop().await;
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let scene = Scene::new();
    let mut receiver = Receiver::start().await;
    let body = "z".repeat(4 * 1024 * 1024);
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n{body}");
    receiver.then([Behaviour::Answer(answer)]);
    let endpoint = scene.endpoint("we_1", &receiver.url()).await;
    let running = scene.start();
    scene.declined("pay_1").await;
    receiver.next().await;
    scene.all(&endpoint, 1, DeliveryState::Succeeded).await;
    running.stop().await;
}
