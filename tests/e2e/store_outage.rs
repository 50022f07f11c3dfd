//! etcd goes away and comes back: decisions go on, and what is published later arrives.

use portcullis_tests::policies::publish;
use portcullis_tests::raw::retirement;
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
fn a_document_that_is_deleted_or_lost_with_its_store_decides_on_until_the_policy_is_retired() {
    let etcd = Etcd::start();
    publish(
        &etcd.location(),
        &[&Policy::built("amount-ceiling").with("\"CNY=2000000\"", "\"CNY=10000\"")],
    );
    let gateway = Gateway::start(&etcd.location());
    gateway.wait_for("amount-ceiling", 1);
    assert_eq!(gateway.pay(&Payment::ordinary()).body["status"], "declined");
    for deleted in [&["/portcullis/v1/policies/amount-ceiling"][..], &["--prefix", ""]] {
        let deleted = etcd.etcdctl().arg("del").args(deleted).status();
        assert!(deleted.expect("etcdctl runs").success());
        let message = gateway.wait_for_refusal("amount-ceiling", "document_gone");
        assert!(message.contains("stays in force"), "{message}");
        assert_eq!(gateway.pay(&Payment::ordinary()).body["status"], "declined");
    }
    etcd.put_document("amount-ceiling", &retirement("amount-ceiling", 2));
    let retired = eventually("the policy to be retired", || {
        let policy = gateway.policy("amount-ceiling")?;
        (policy["state"] == "retired").then(|| policy["retired"].clone())
    });
    assert_eq!(
        (&retired["sequence"], &retired["reason"]),
        (&2.into(), &"a test".into())
    );
    assert_eq!(gateway.pay(&Payment::ordinary()).body["status"], "authorized");
}
