//! etcd goes away and comes back: decisions go on, and what is published later arrives.

use portcullis_tests::policies::publish;
use portcullis_tests::{Etcd, Gateway, Payment, Policy, eventually};

#[test]
fn decisions_go_on_without_etcd_and_later_publishes_arrive() {
    let mut etcd = Etcd::start();
    let policy = Policy::built("amount-ceiling");
    publish(&etcd.location(), &[&policy]);
    let gateway = Gateway::start(&etcd.location());
    gateway.wait_for("amount-ceiling", 1);

    etcd.stop();
    eventually("the gateway to notice", || {
        gateway
            .get("/metrics")
            .text
            .contains("portcullis_policy_store_connected 0")
            .then_some(())
    });
    for _ in 0..20 {
        let answer = gateway.pay(&Payment::ordinary());
        assert_eq!(
            (answer.status, &answer.body["status"]),
            (201, &"authorized".into()),
            "{}",
            answer.text
        );
    }
    assert_eq!(
        gateway.get("/readyz").status,
        200,
        "a node with a policy set is ready"
    );

    etcd.restart();
    publish(
        &etcd.location(),
        &[&policy.with("\"CNY=2000000\"", "\"CNY=10000\"")],
    );
    gateway.wait_for("amount-ceiling", 2);
    assert_eq!(gateway.pay(&Payment::ordinary()).body["status"], "declined");
}

#[test]
fn a_gateway_that_starts_without_etcd_refuses_to_decide_until_it_is_there() {
    let mut etcd = Etcd::start();
    publish(&etcd.location(), &[&Policy::built("amount-ceiling")]);
    etcd.stop();
    let gateway = Gateway::start_with(&etcd.location(), &[]);
    let answer = gateway.pay(&Payment::ordinary());
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (503, &"risk_unavailable".into()),
        "{}",
        answer.text
    );
    let ready = gateway.get("/readyz");
    assert_eq!(ready.status, 503);
    assert!(ready.text.contains("policies"), "{}", ready.text);
    assert_eq!(gateway.get("/healthz").status, 200);
    etcd.restart();
    gateway.wait_until_ready();
    assert_eq!(gateway.pay(&Payment::ordinary()).body["status"], "authorized");
}

#[test]
fn a_policy_that_is_deleted_decides_no_more() {
    let etcd = Etcd::start();
    publish(
        &etcd.location(),
        &[&Policy::built("amount-ceiling").with("\"CNY=2000000\"", "\"CNY=10000\"")],
    );
    let gateway = Gateway::start(&etcd.location());
    gateway.wait_for("amount-ceiling", 1);
    assert_eq!(gateway.pay(&Payment::ordinary()).body["status"], "declined");
    let deleted = etcd
        .etcdctl()
        .args(["del", "/portcullis/v1/policies/amount-ceiling"])
        .status();
    assert!(deleted.expect("etcdctl runs").success());
    eventually("the policy to be gone", || {
        gateway.policy("amount-ceiling").is_none().then_some(())
    });
    assert_eq!(gateway.pay(&Payment::ordinary()).body["status"], "authorized");
}
