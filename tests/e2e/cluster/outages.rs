//! Members die and come back.

use super::scene::{POLICY, Scene};

#[test]
fn a_leader_that_dies_hinders_neither_payments_nor_the_next_release() {
    let scene = Scene::start();
    let fleet = scene.fleet(&[scene.location(), scene.location()]);
    fleet.pay_for_a_while();
    let leader = scene.cluster.leader();
    leader.kill();
    scene.publish(2);
    fleet.wait_for(2);
    leader.start_again();
    scene.publish(3);
    fleet.wait_for(3);
    scene.wait_until_converged(2);
    fleet.stop_and_check(&[1, 2, 3]);
}

#[test]
fn gateways_decide_on_while_every_member_is_dead_and_follow_when_all_are_back() {
    let scene = Scene::start();
    let fleet = scene.fleet(&[scene.location(), scene.location()]);
    scene.cluster.kill();
    fleet.wait_until_following(false);
    fleet.pay_for_a_while();
    scene.cluster.start_again();
    fleet.wait_until_following(true);
    scene.publish(2);
    fleet.wait_for(2);
    scene.wait_until_converged(2);
    fleet.stop_and_check(&[1, 2]);
}

#[test]
fn a_document_that_is_tampered_with_in_etcd_is_refused_and_what_was_in_force_decides() {
    let scene = Scene::start();
    let fleet = scene.fleet(&[scene.location(), scene.location()]);
    let key = format!("/portcullis/v1/policies/{POLICY}");
    let etcd = &scene.cluster.members()[0];
    let good = etcd.ctl(&["get", &key, "--print-value-only"]);
    let tampered = good.trim_end().replace("\"payload\":\"", "\"payload\":\"AAAA");
    assert_ne!(tampered, good.trim_end());
    etcd.put(&key, tampered.as_bytes());
    for gateway in &fleet.gateways {
        let refused = portcullis_tests::eventually("the document to be refused", || {
            let policy = gateway.policy(POLICY)?;
            (!policy["refused"].is_null()).then_some(policy)
        });
        assert_eq!(refused["in_force"]["sequence"], 1, "{refused}");
    }
    fleet.pay_for_a_while();
    etcd.put(&key, good.trim_end().as_bytes());
    scene.wait_until_converged(2);
    scene.publish(2);
    fleet.wait_for(2);
    scene.wait_until_converged(2);
    fleet.stop_and_check(&[1, 2]);
}
