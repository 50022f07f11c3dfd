//! Wrong input over HTTP: a problem with a stable code and a path, and nothing echoed that is secret.

use portcullis_tests::{Gateway, Payment};
use serde_json::{Value, json};

fn problem(gateway: &Gateway, body: &str, status: u16, code: &str, path: Option<&str>) {
    let answer = gateway.post_text("/v1/payments", body);
    assert_eq!(
        (answer.status, answer.body["code"].as_str()),
        (status, Some(code)),
        "{body}: {}",
        answer.text
    );
    assert_eq!(answer.content_type, "application/problem+json");
    if let Some(path) = path {
        let paths: Vec<&Value> = answer.body["errors"]
            .as_array()
            .expect("errors")
            .iter()
            .map(|e| &e["path"])
            .collect();
        assert!(paths.contains(&&json!(path)), "{path}: {}", answer.text);
    }
    assert!(
        !answer.text.contains("424242424242424"),
        "no card number in an answer: {}",
        answer.text
    );
}

#[test]
fn wrong_bodies_have_stable_codes_and_paths() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = Gateway::start(&format!("dir:{}", folder.path().display()));
    let with = |change: fn(&mut Value)| {
        let mut body = Payment::ordinary().0;
        change(&mut body);
        body.to_string()
    };
    for (body, code, path) in [
        (
            with(|b| b["amount"]["currency"] = json!("ABC")),
            "unknown_currency",
            "amount.currency",
        ),
        (
            with(|b| b["amount"]["minor_units"] = json!(-5)),
            "amount_not_positive",
            "amount.minor_units",
        ),
        (
            with(|b| b["amount"] = json!({"decimal": "1.001", "currency": "CNY"})),
            "amount_too_precise",
            "amount.decimal",
        ),
        (
            with(|b| b["amount"]["minor_units"] = json!(129.5)),
            "amount_too_precise",
            "amount.minor_units",
        ),
        (
            with(|b| b["card"]["number"] = json!("4242424242424241")),
            "invalid_card_number",
            "card.number",
        ),
        (with(|b| b["amonut"] = json!(1)), "unknown_field", "amonut"),
        (with(|b| b["merchant_id"] = json!(7)), "wrong_type", "merchant_id"),
        (with(|b| b["card"] = json!(null)), "wrong_type", "card"),
    ] {
        problem(&gateway, &body, 400, code, Some(path));
    }
    problem(&gateway, "{\"merchant_id\": ", 400, "malformed_json", None);
    problem(&gateway, &"[".repeat(60_000), 400, "malformed_json", None);
    problem(
        &gateway,
        &format!("{{\"x\": \"{}\"}}", "y".repeat(70_000)),
        413,
        "body_too_large",
        None,
    );

    // None of it harmed anybody.
    assert_eq!(gateway.pay(&Payment::ordinary()).status, 201);
    let unknown = gateway.get("/v1/payments/pay_nobody");
    assert_eq!(
        (unknown.status, &unknown.body["code"]),
        (404, &json!("payment_not_found"))
    );
    assert!(
        !gateway.log().join("\n").contains("4242424242424242"),
        "no card number in the log"
    );
}

#[test]
fn the_test_cards_give_their_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = Gateway::start_with(
        &format!("dir:{}", folder.path().display()),
        &["acquirer.simulated.timeout_ms=300"],
    );
    gateway.wait_until_ready();
    for (card, http, status, code) in [
        ("4242424242424242", 201, "authorized", json!(null)),
        ("4000000000000002", 201, "declined", json!("card_declined")),
        ("4000000000009995", 201, "declined", json!("insufficient_funds")),
    ] {
        let answer = gateway.pay(&Payment::ordinary().with_card(card));
        assert_eq!(
            (answer.status, &answer.body["status"]),
            (http, &json!(status)),
            "{card}: {}",
            answer.text
        );
        assert_eq!(answer.body["decline_code"], code);
    }
}
