//! The embedded default: a folder as the policy store.

use portcullis_tests::policies::publish;
use portcullis_tests::{Gateway, Payment, Policy, eventually};

#[test]
fn the_sample_policies_approve_an_ordinary_payment_and_reload_from_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = format!("dir:{}", folder.path().display());
    let names = [
        "velocity-limit",
        "amount-ceiling",
        "geo-mismatch",
        "list-guard",
        "fraud-score",
    ];
    let policies = names.map(Policy::built);
    publish(&store, &policies.iter().collect::<Vec<_>>());
    let gateway = Gateway::start_with(
        &store,
        &[
            "features.lists.blocked.email=[\"mallory@example.com\"]",
            "features.lists.allowed.email=[]",
        ],
    );
    gateway.wait_until_ready();
    for name in names {
        gateway.wait_for(name, 1);
    }
    let answer = gateway.pay(&Payment::ordinary());
    assert_eq!(
        (answer.status, &answer.body["status"]),
        (201, &"authorized".into()),
        "{}",
        answer.text
    );
    assert_eq!(
        answer.body["risk"]["policies"].as_array().map(Vec::len),
        Some(names.len())
    );

    // list-guard: the blocked e-mail address, whatever its case.
    let mut blocked = Payment::ordinary();
    blocked.0["customer"] = serde_json::json!({"email": "Mallory@Example.com"});
    let answer = gateway.pay(&blocked);
    assert_eq!(answer.body["status"], "declined", "{}", answer.text);

    // velocity-limit: the same card too often within the hour.
    let last = eventually("the card's velocity to be too high", || {
        let answer = gateway.pay(&Payment::ordinary());
        (answer.body["status"] != "authorized").then_some(answer)
    });
    assert_eq!(last.body["status"], "declined", "{}", last.text);
    assert!(last.text.contains("velocity.card.count"), "{}", last.text);

    let [velocity, ..] = policies;
    publish(
        &store,
        &[&velocity
            .with("1.0.0", "1.1.0")
            .with("max_count = 5", "max_count = 1000000")],
    );
    gateway.wait_for("velocity-limit", 2);
    assert_eq!(gateway.pay(&Payment::ordinary()).body["status"], "authorized");
}

#[test]
fn a_required_policy_is_waited_for_and_stays_in_force_when_it_vanishes_or_is_to_be_retired() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = format!("dir:{}", folder.path().display());
    let gateway = Gateway::start_with(&store, &["policies.required=[\"amount-ceiling\"]"]);
    let undecided = gateway.pay(&Payment::ordinary());
    assert_eq!(
        (undecided.status, &undecided.body["code"]),
        (503, &"risk_unavailable".into()),
        "{}",
        undecided.text
    );
    assert_eq!(gateway.get("/readyz").status, 503);

    let policy = Policy::built("amount-ceiling").with("\"CNY=2000000\"", "\"CNY=10000\"");
    publish(&store, &[&policy]);
    gateway.wait_for("amount-ceiling", 1);
    gateway.wait_until_ready();
    assert_eq!(gateway.pay(&Payment::ordinary()).body["status"], "declined");

    std::fs::remove_file(folder.path().join("policies/amount-ceiling")).expect("the document is there");
    let message = gateway.wait_for_refusal("amount-ceiling", "document_gone");
    assert!(message.contains("stays in force"), "{message}");
    assert_eq!(
        gateway.pay(&Payment::ordinary()).body["status"],
        "declined",
        "it still decides"
    );

    let retired = portcullis_tests::raw::retirement("amount-ceiling", 2);
    let retired = portcullis_tests::raw::envelope(&retired).to_string();
    std::fs::write(folder.path().join("policies/amount-ceiling"), retired).expect("a document");
    let message = gateway.wait_for_refusal("amount-ceiling", "required_policy_retired");
    assert!(message.contains("policies.required"), "{message}");
    assert_eq!(gateway.pay(&Payment::ordinary()).body["status"], "declined");
}
