//! What happens to payments is told to the merchant: signed, once it is due, and also after a crash.

use portcullis_tests::webhook_receiver::Received;
use portcullis_tests::{Database, Gateway, Payment, WebhookReceiver, eventually};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tempfile::TempDir;

use super::{approving, approving_on};

const ENDPOINTS: &str = "/v1/webhook-endpoints";

/// A gateway that sends to the loopback, and tries again soon.
fn telling(database: Database) -> (TempDir, Gateway) {
    approving_on(
        database,
        &[
            "webhooks.allow_http=true",
            r#"webhooks.allowed_networks=["127.0.0.0/8"]"#,
            "webhooks.retry_seconds=[0,0,1]",
            "webhooks.poll_interval_ms=50",
        ],
    )
}

fn endpoint(gateway: &Gateway, receiver: &WebhookReceiver) -> Value {
    let made = gateway.post(
        ENDPOINTS,
        &json!({"merchant_id": "m_demo", "url": receiver.url()}),
    );
    assert_eq!(made.status, 201, "{}", made.text);
    made.body
}

fn verified(endpoint: &Value, received: &Received) {
    let secret = endpoint["secret"].as_str().expect("a secret");
    let theirs = Webhook::new(secret).expect("a secret of the standard");
    theirs
        .verify(&received.body, &received.headers)
        .expect("it is genuine");
}

#[test]
fn a_merchant_is_told_what_happened_once_he_can_take_it() {
    for database in Database::ALL {
        let receiver = WebhookReceiver::start();
        let (_store, gateway) = telling(database);
        let endpoint = endpoint(&gateway, &receiver);
        receiver.answer_next_with(&[500, 302]);
        let paid = gateway.pay(&Payment::ordinary());
        let id = paid.body["id"].as_str().expect("an id");
        let received = eventually("the event to be taken", || {
            let received = receiver.received();
            (received.last()?.answered == 204).then_some(received)
        });
        assert_eq!(
            received.iter().map(|one| one.answered).collect::<Vec<_>>(),
            [500, 302, 204],
            "{database:?}"
        );
        let listed = gateway.get("/v1/events").body["data"][0].clone();
        for one in &received {
            verified(&endpoint, one);
            assert_eq!(one.event(), listed, "{database:?}: the same event each time");
            assert_eq!(one.header("webhook-id"), listed["id"]);
        }
        assert_eq!(listed["data"]["payment_id"], id);
        let deliveries = format!(
            "{ENDPOINTS}/{}/deliveries",
            endpoint["id"].as_str().expect("an id")
        );
        let delivery = eventually("the delivery to have succeeded", || {
            let delivery = gateway.get(&deliveries).body["data"][0].clone();
            (delivery["state"] == "succeeded").then_some(delivery)
        });
        assert_eq!(delivery["attempts_made"], 3, "{delivery}");
        let replay = format!(
            "/v1/webhook-deliveries/{}/replay",
            delivery["id"].as_str().expect("an id")
        );
        assert_eq!(gateway.post(&replay, &json!({})).status, 202);
        eventually("it to be sent again", || {
            (receiver.received().len() == 4).then_some(())
        });
    }
}

#[test]
fn what_happened_before_a_crash_is_told_after_it() {
    for database in Database::ALL {
        let receiver = WebhookReceiver::start();
        let (_store, mut gateway) = telling(database);
        let endpoint = endpoint(&gateway, &receiver);
        let mut paid: Vec<String> = Vec::new();
        for round in 0..5 {
            for number in 0..4 {
                let payment = gateway.pay_once(&Payment::ordinary(), &format!("{round}-{number}"));
                paid.push(payment.body["id"].as_str().expect("an id").to_owned());
            }
            // In the middle of telling: what was being sent is claimed, and comes again when the claim has lapsed.
            gateway.kill();
            gateway.start_again();
            gateway.wait_until_ready();
        }
        let told = |receiver: &WebhookReceiver| -> Vec<String> {
            let received = receiver.received();
            let payment = |one: &Received| one.event()["data"]["payment_id"].as_str().map(str::to_owned);
            received.iter().filter_map(payment).collect()
        };
        portcullis_tests::eventually_within(
            std::time::Duration::from_secs(180),
            "every event to be told",
            || {
                let told = told(&receiver);
                paid.iter().all(|id| told.contains(id)).then_some(())
            },
        );
        for one in &receiver.received() {
            verified(&endpoint, one);
        }
    }
}

#[test]
fn nothing_is_sent_into_the_operators_own_network() {
    let (_store, gateway) = approving(&[]);
    for url in [
        "http://shop.example/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://shop.example:22/",
    ] {
        let refused = gateway.post(ENDPOINTS, &json!({"merchant_id": "m_demo", "url": url}));
        assert_eq!(
            (refused.status, &refused.body["code"]),
            (400, &json!("invalid_webhook_url")),
            "{url}: {}",
            refused.text
        );
    }
    // A name may lead anywhere: that is looked at when something is sent.
    let made = gateway.post(
        ENDPOINTS,
        &json!({"merchant_id": "m_demo", "url": "https://localhost/webhooks"}),
    );
    assert_eq!(made.status, 201, "{}", made.text);
    let paid = gateway.pay(&Payment::ordinary());
    assert_eq!(paid.status, 201, "{}", paid.text);
    let deliveries = format!(
        "{ENDPOINTS}/{}/deliveries",
        made.body["id"].as_str().expect("an id")
    );
    let attempt = eventually("an attempt to be made", || {
        let attempt = gateway.get(&deliveries).body["data"][0]["attempts"][0].clone();
        attempt.is_object().then_some(attempt)
    });
    assert_eq!(attempt["status"], Value::Null);
    let error = attempt["error"].as_str().expect("a reason");
    assert!(error.contains("not public"), "{error}");
    assert!(!error.contains("127.0.0.1"), "{error}");
}
