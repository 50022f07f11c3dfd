//! Two gateways whose stores, of both kinds, got the same policies in either order.

use portcullis_tests::policies::publish;
use portcullis_tests::{Etcd, Gateway, Payment, Policy};
use serde_json::{Value, json};

use super::SAMPLES;

/// A policy of one priority with all others, so that nothing but its name orders it.
fn ordinary(name: &str) -> Policy {
    let policy = Policy::built(name);
    let manifest = std::fs::read_to_string(policy.manifest()).expect("a manifest");
    let priority = manifest.lines().find(|line| line.starts_with("priority"));
    let priority = priority.expect("a priority").to_owned();
    policy.with(&priority, "priority = 7")
}

/// Requests that between them get every outcome, each with an id of its own.
fn requests() -> Vec<Value> {
    let with = |payment: Payment, part: &str, value: Value| {
        let mut request = payment.for_decision();
        request[part] = value;
        request
    };
    let mut requests = vec![
        Payment::ordinary().for_decision(),
        Payment::of(5_000_000, "CNY").for_decision(),
        Payment::of(1_000, "EUR").for_decision(),
        with(
            Payment::ordinary(),
            "customer",
            json!({"email": "mallory@example.com", "billing_country": "CN"}),
        ),
        with(
            Payment::ordinary().with_card("5555555555554444"),
            "device",
            json!({"id": "d-3", "ip": "203.0.113.7", "ip_country": "NG", "user_agent": "Mozilla/5.0"}),
        ),
        with(
            Payment::of(250_000, "USD").with_card("5555555555554444"),
            "customer",
            json!({"id": "c-9", "email": "a@example.com", "billing_country": "CN", "shipping_country": "BR"}),
        ),
    ];
    // More than velocity-limit lets pass.
    requests.extend((0..8).map(|_| {
        Payment::of(700, "CNY")
            .with_card("4000056655665556")
            .for_decision()
    }));
    for (index, request) in requests.iter_mut().enumerate() {
        request["payment_id"] = json!(format!("order-{index}"));
    }
    requests
}

/// A decision and the hour that it was made in. What names this one run of it is left out.
fn decided(gateway: &Gateway, request: &Value) -> (String, String) {
    let answer = gateway.post("/v1/risk/decisions", request);
    assert_eq!(answer.status, 200, "{}", answer.text);
    let mut body = answer.body;
    let risk = body["risk"].as_object_mut().expect("a decision");
    for field in ["decision_id", "policy_revision"] {
        assert!(risk.remove(field).is_some(), "{field}");
    }
    let decided_at = risk.remove("decided_at").expect("a time").to_string();
    let policies = risk["policies"].as_array_mut().expect("policies");
    for policy in policies {
        let elapsed = policy.as_object_mut().expect("a policy").remove("elapsed_us");
        assert!(elapsed.is_some());
        assert!(policy["fuel_used"].as_u64() > Some(0), "{policy}");
    }
    let (hour, _) = decided_at.split_once(':').expect("hours and minutes");
    (body.to_string(), hour.to_owned())
}

#[test]
fn policies_published_in_either_order_to_either_store_decide_the_same_byte_for_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let etcd = Etcd::start();
    let stores = [
        format!("dir:{}", folder.path().join("store").display()),
        etcd.location(),
    ];
    // The fingerprint of a card goes into the request, so its key is a part of it.
    let key = folder.path().join("card.key");
    let settings = [
        format!("platform.fingerprint_key_path={}", key.display()),
        "features.lists.blocked.email=[\"mallory@example.com\"]".to_owned(),
    ];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let policies = SAMPLES.map(ordinary);
    let mut in_order: Vec<(&str, &Policy)> = SAMPLES.into_iter().zip(&policies).collect();
    let gateways = stores.each_ref().map(|store| {
        let gateway = Gateway::start_with(store, &settings);
        // One after another, and each in force before the next is there.
        for (name, policy) in &in_order {
            publish(store, &[policy]);
            gateway.wait_for(name, 1);
        }
        in_order.reverse();
        gateway
    });

    let mut outcomes = std::collections::BTreeSet::new();
    for request in requests() {
        // fraud-score looks at the hour, which may turn between two gateways: both are asked again then.
        let decisions = loop {
            let [first, second] = gateways.each_ref().map(|gateway| decided(gateway, &request));
            if first.1 == second.1 {
                break (first.0, second.0);
            }
        };
        assert_eq!(decisions.0, decisions.1);
        let decision: Value = serde_json::from_str(&decisions.0).expect("JSON");
        let policies = decision["risk"]["policies"].as_array().expect("policies");
        let names: Vec<&str> = policies
            .iter()
            .filter_map(|policy| policy["name"].as_str())
            .collect();
        assert_eq!(names, SAMPLES, "by name, since they have one priority");
        outcomes.insert(decision["risk"]["outcome"].to_string());
    }
    assert!(
        outcomes.len() > 1,
        "requests that are all decided alike show little: {outcomes:?}"
    );
}
