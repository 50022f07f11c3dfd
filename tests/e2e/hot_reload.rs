//! Publishing a release: it decides without a restart, and no request fails meanwhile.

use std::sync::Arc;

use portcullis_tests::policies::publish;
use portcullis_tests::{Etcd, Gateway, Payment, Policy, Traffic, eventually};

const OLD: &str = "\"CNY=2000000\"";
const STRICTER: &str = "\"CNY=10000\"";

/// No payment failed; each was decided by one release, whole; and from the old one to the new one there was no way back.
fn stop_and_check(traffic: [Traffic; 2]) {
    let mut declined = 0;
    for traffic in traffic {
        let mut newest = 0;
        for answer in &traffic.stop() {
            assert_eq!(answer.status, 201, "{}", answer.text);
            let sequence = answer.body["risk"]["policies"][0]["sequence"]
                .as_u64()
                .expect("a sequence");
            let expected = if sequence == 1 { "authorized" } else { "declined" };
            assert_eq!(answer.body["status"], expected, "{}", answer.text);
            assert!(sequence >= newest, "the old release decided after the new one");
            newest = sequence;
            declined += u32::from(expected == "declined");
        }
    }
    assert!(declined > 0);
}

#[test]
fn a_stricter_release_declines_the_same_payment_without_a_restart_or_a_failed_request() {
    let etcd = Etcd::start();
    // A busy machine does not always give it its five milliseconds.
    let policy = Policy::built("amount-ceiling").with("deadline_ms = 5", "deadline_ms = 1000");
    publish(&etcd.location(), &[&policy]);
    let gateway = Arc::new(Gateway::start(&etcd.location()));
    gateway.wait_for("amount-ceiling", 1);
    let process = gateway.id();

    let first = gateway.pay(&Payment::ordinary());
    assert_eq!(
        (first.status, &first.body["status"]),
        (201, &"authorized".into()),
        "{}",
        first.text
    );
    assert_eq!(first.body["risk"]["policies"][0]["sequence"], 1);

    let traffic = [Traffic::start(&gateway), Traffic::start(&gateway)];
    traffic.iter().for_each(Traffic::wait_for_more);
    let stricter = policy.with(OLD, STRICTER).with("1.0.0", "1.1.0");
    publish(&etcd.location(), &[&stricter]);
    gateway.wait_for("amount-ceiling", 2);
    traffic.iter().for_each(Traffic::wait_for_more);
    stop_and_check(traffic);

    let last = gateway.pay(&Payment::ordinary());
    assert_eq!(
        (last.status, &last.body["status"]),
        (201, &"declined".into()),
        "{}",
        last.text
    );
    assert_eq!(last.body["decline_code"], "risk_policy");
    assert_eq!(
        last.body["operations"],
        serde_json::json!([]),
        "nothing was sent to the acquirer"
    );
    assert_eq!(gateway.id(), process);
    let shown = gateway.get(&format!(
        "/v1/payments/{}",
        last.body["id"].as_str().expect("an id")
    ));
    assert_eq!(
        (shown.status, shown.body),
        (200, last.body),
        "what was answered is what is kept"
    );
}

#[test]
fn policies_that_are_pushed_together_come_into_force_together() {
    let etcd = Etcd::start();
    let gateway = Gateway::start(&etcd.location());
    let policies = [Policy::built("amount-ceiling"), Policy::built("geo-mismatch")];
    publish(&etcd.location(), &[&policies[0], &policies[1]]);
    gateway.wait_for("geo-mismatch", 1);
    gateway.wait_for("amount-ceiling", 1);
    let [ceiling, geo] = policies;
    let ceiling = ceiling.with("1.0.0", "2.0.0");
    let geo = geo.with("1.0.0", "2.0.0");
    let before = gateway.get("/v1/policies").body["policy_revision"]
        .as_u64()
        .expect("a revision");
    publish(&etcd.location(), &[&ceiling, &geo]);
    // Every set that is ever seen holds both old releases or both new ones.
    eventually("both new releases", || {
        let answer = gateway.post("/v1/risk/decisions", &Payment::ordinary().for_decision());
        let sequences: Vec<u64> = answer.body["risk"]["policies"]
            .as_array()?
            .iter()
            .filter_map(|policy| policy["sequence"].as_u64())
            .collect();
        assert!(sequences == [1, 1] || sequences == [2, 2], "{sequences:?}");
        (sequences == [2, 2]).then_some(())
    });
    let after = gateway.get("/v1/policies").body["policy_revision"]
        .as_u64()
        .expect("a revision");
    assert!(after > before);
}

#[test]
fn a_module_for_wasip1_is_turned_into_a_component_and_decides() {
    let etcd = Etcd::start();
    let policy = Policy::compiled("amount-ceiling", "wasm32-wasip1");
    let bytes = std::fs::read(policy.wasm()).expect("the module");
    assert_eq!(
        bytes.get(4..8),
        Some(&[1, 0, 0, 0][..]),
        "a core module, not a component"
    );
    publish(&etcd.location(), &[&policy.with(OLD, STRICTER)]);
    let gateway = Gateway::start(&etcd.location());
    gateway.wait_for("amount-ceiling", 1);
    let answer = gateway.pay(&Payment::ordinary());
    assert_eq!(
        (answer.status, &answer.body["status"]),
        (201, &"declined".into()),
        "{}",
        answer.text
    );
}

#[test]
fn an_artifact_above_the_request_limit_of_etcd_travels_in_chunks() {
    let etcd = Etcd::start();
    // A custom section of 3 MB makes a sound component too large for one request.
    let policy = Policy::built("amount-ceiling").padded(3_000_000);
    publish(&etcd.location(), &[&policy.with(OLD, STRICTER)]);
    let keys = etcd
        .etcdctl()
        .args(["get", "--prefix", "--keys-only", "/portcullis/v1/artifacts/"])
        .output();
    let keys = String::from_utf8(keys.expect("etcdctl runs").stdout).expect("text");
    assert_eq!(keys.lines().filter(|line| !line.is_empty()).count(), 3, "{keys}");
    let gateway = Gateway::start(&etcd.location());
    gateway.wait_for("amount-ceiling", 1);
    assert_eq!(gateway.pay(&Payment::ordinary()).body["status"], "declined");
}

#[test]
fn the_same_by_hand_with_etcdctl_alone() {
    let etcd = Etcd::start();
    let gateway = Gateway::start(&etcd.location());
    let policy = Policy::built("amount-ceiling");
    let digest = portcullis_tests::raw::digest(&policy);
    let mut document = portcullis_tests::raw::document("amount-ceiling", 1, &policy);
    etcd.put_artifact(&digest, &policy);
    etcd.put_document("amount-ceiling", &document);
    gateway.wait_for("amount-ceiling", 1);
    assert_eq!(gateway.pay(&Payment::ordinary()).body["status"], "authorized");
    document["sequence"] = 2.into();
    document["parameters"] = serde_json::json!({"ceilings": ["CNY=10000"]});
    etcd.put_document("amount-ceiling", &document);
    gateway.wait_for("amount-ceiling", 2);
    assert_eq!(gateway.pay(&Payment::ordinary()).body["status"], "declined");
}
