//! What an endpoint is sent, and that another implementation of Standard Webhooks believes it.

use application::ports::{
    DeliveryState, EndpointChange, Replayed, WebhookDeliveryStore, WebhookEndpointStore, WebhookSecret,
};
use standardwebhooks::Webhook;
use testkit::builders::NOW;

use crate::receiver::{Received, Receiver};
use crate::scene::{Scene, later};

/// `whsec_` and the base64 of 32 times 7, and of 32 times 9.
const SECRET: &str = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
const NEXT_SECRET: &str = "whsec_CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=";

/// Whether the other implementation takes it.
fn is_signed_with(received: &Received, secret: &str) -> bool {
    let theirs = Webhook::new(secret).unwrap();
    let seconds = received.header("webhook-timestamp").parse().unwrap();
    let expected = theirs
        .sign(received.header("webhook-id"), seconds, &received.body)
        .unwrap();
    received
        .header("webhook-signature")
        .split(' ')
        .any(|signature| signature == expected)
}

#[tokio::test]
async fn an_event_is_sent_signed_to_an_endpoint_that_wants_it() {
    let scene = Scene::new();
    let mut receiver = Receiver::start().await;
    let endpoint = scene.endpoint("we_1", &receiver.url()).await;
    let running = scene.start();
    scene.declined("pay_1").await;
    let received = receiver.next().await;
    assert_eq!(received.path, "/in");
    assert_eq!(received.header("webhook-id"), "evt_pay_1_1_0");
    assert_eq!(received.header("content-type"), "application/json");
    assert_eq!(received.header("host"), receiver.address.to_string());
    assert_eq!(
        received.header("webhook-timestamp"),
        (NOW.unix_millis() / 1_000).to_string()
    );
    assert_eq!(
        received.body,
        br#"{"id":"evt_pay_1_1_0","type":"payment.declined"}"#
    );
    assert!(is_signed_with(&received, SECRET), "{received:?}");
    assert!(!is_signed_with(&received, NEXT_SECRET));
    let sent = scene.all(&endpoint, 1, DeliveryState::Succeeded).await;
    assert_eq!(sent[0].attempts[0].status, Some(204));
    running.stop().await;
    assert!(receiver.rest().is_empty());
}

#[tokio::test]
async fn what_happened_before_an_endpoint_was_there_is_not_sent_to_it() {
    let scene = Scene::new();
    let mut receiver = Receiver::start().await;
    scene.declined("pay_1").await;
    let endpoint = scene.endpoint("we_1", &receiver.url()).await;
    scene.declined("pay_2").await;
    let running = scene.start();
    assert_eq!(receiver.next().await.header("webhook-id"), "evt_pay_2_1_0");
    scene.all(&endpoint, 1, DeliveryState::Succeeded).await;
    running.stop().await;
    assert!(receiver.rest().is_empty());
}

#[tokio::test]
async fn while_a_secret_is_rotated_both_sign() {
    let scene = Scene::new();
    let mut receiver = Receiver::start().await;
    let endpoint = scene.endpoint("we_1", &receiver.url()).await;
    let change = EndpointChange {
        secret: Some((WebhookSecret::new([9; 32]), later(NOW, 3_600_000))),
        ..EndpointChange::default()
    };
    scene.store.change(&endpoint, &change).await.unwrap().unwrap();
    let running = scene.start();
    scene.declined("pay_1").await;
    let during = receiver.next().await;
    assert!(
        is_signed_with(&during, SECRET) && is_signed_with(&during, NEXT_SECRET),
        "{during:?}"
    );
    scene.hours_pass(1);
    scene.declined("pay_2").await;
    let afterwards = receiver.next().await;
    assert!(!is_signed_with(&afterwards, SECRET), "{afterwards:?}");
    assert!(is_signed_with(&afterwards, NEXT_SECRET));
    running.stop().await;
}

#[tokio::test]
async fn a_delivery_that_was_taken_is_sent_again_by_hand() {
    let scene = Scene::new();
    let mut receiver = Receiver::start().await;
    let endpoint = scene.endpoint("we_1", &receiver.url()).await;
    let running = scene.start();
    scene.declined("pay_1").await;
    let first = receiver.next().await;
    let sent = scene.all(&endpoint, 1, DeliveryState::Succeeded).await;
    assert_eq!(scene.store.replay(&sent[0].id, NOW).await.unwrap(), Replayed::Yes);
    let second = receiver.next().await;
    assert_eq!(
        (first.body, &first.headers["webhook-id"]),
        (second.body, &second.headers["webhook-id"])
    );
    scene.tried(&endpoint, 2).await;
    running.stop().await;
}
