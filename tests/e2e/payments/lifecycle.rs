//! A payment from its authorization to its last refund, over a restart.

use portcullis_tests::{Answer, Gateway, Payment, eventually};
use serde_json::{Value, json};

use super::{acquirer, approving};

/// The simulator charges this card and loses the answer.
const NO_ANSWER: &str = "4000000000000507";

fn id(answer: &Answer) -> String {
    answer.body["id"].as_str().expect("an id").to_owned()
}

fn act(gateway: &Gateway, id: &str, action: &str, body: &Value) -> Answer {
    gateway.post(&format!("/v1/payments/{id}/{action}"), body)
}

fn cny(minor_units: i64) -> Value {
    json!({"amount": {"minor_units": minor_units, "currency": "CNY"}})
}

#[test]
fn what_was_captured_before_a_restart_is_refunded_after_it_and_never_more() {
    // In the gateway's own simulator the money is gone with the process.
    let folder = tempfile::tempdir().expect("a folder");
    let (_acquirer, address) = acquirer(&folder, &[]);
    let url = format!("acquirer.http.url={address}");
    let (_folder, mut gateway) = approving(&["acquirer.kind=http", &url]);
    let paid = gateway.pay_once(&Payment::ordinary(), "order-1");
    assert_eq!(paid.status, 201, "{}", paid.text);
    let id = id(&paid);
    let captured = act(&gateway, &id, "capture", &cny(10_000));
    assert_eq!(captured.body["amounts"]["capturable"], 2_900, "{}", captured.text);
    gateway.kill();
    gateway.start_again();
    gateway.wait_until_ready();
    let again = gateway.pay_once(&Payment::ordinary(), "order-1");
    assert_eq!(again.text, paid.text, "the same answer, also after a crash");
    let refunded = act(&gateway, &id, "refunds", &cny(6_000));
    assert_eq!(refunded.status, 201, "{}", refunded.text);
    let refused = act(&gateway, &id, "refunds", &cny(6_000));
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (422, &json!("amount_exceeds_remainder")),
        "{}",
        refused.text
    );
    let voided = act(&gateway, &id, "void", &json!({}));
    assert_eq!(voided.body["amounts"]["capturable"], 0, "{}", voided.text);
    let listed = gateway.get("/v1/payments?status=captured").body;
    assert_eq!(listed["data"][0]["id"], id.as_str());
    let events = gateway.get("/v1/events").body;
    let types: Vec<&str> = events["data"]
        .as_array()
        .expect("events")
        .iter()
        .filter_map(|event| event["type"].as_str())
        .collect();
    assert_eq!(
        types,
        [
            "payment.authorized",
            "payment.captured",
            "payment.refunded",
            "payment.voided"
        ]
    );
}

#[test]
fn an_answer_that_did_not_come_is_asked_for_until_it_is_known() {
    let (_folder, gateway) = approving(&[
        "acquirer.simulated.timeout_ms=100",
        "payments.inquiry_seconds=[0,1,1]",
        "payments.upkeep_interval_ms=50",
    ]);
    let unknown = gateway.pay_once(&Payment::ordinary().with_card(NO_ANSWER), "order-1");
    assert_eq!(
        (unknown.status, &unknown.body["status"]),
        (202, &json!("authorizing")),
        "{}",
        unknown.text
    );
    let path = format!("/v1/payments/{}", id(&unknown));
    eventually("the payment to be authorized", || {
        (gateway.get(&path).body["status"] == "authorized").then_some(())
    });
    let again = gateway.pay_once(&Payment::ordinary().with_card(NO_ANSWER), "order-1");
    assert_eq!((again.status, &again.body["status"]), (201, &json!("authorized")));
    assert_eq!(
        gateway.get("/v1/events").body["data"].as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn an_authorization_that_nobody_captures_is_let_go_of() {
    let (_folder, gateway) = approving(&[
        "payments.authorization_seconds=0",
        "payments.upkeep_interval_ms=50",
    ]);
    let paid = gateway.pay(&Payment::ordinary());
    let path = format!("/v1/payments/{}", id(&paid));
    let expired = eventually("the payment to expire", || {
        let payment = gateway.get(&path).body;
        (payment["status"] == "expired").then_some(payment)
    });
    assert_eq!(expired["operations"][1]["kind"], "void");
    assert_eq!(act(&gateway, &id(&paid), "capture", &json!({})).status, 409);
}
