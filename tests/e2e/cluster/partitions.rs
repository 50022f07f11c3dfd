//! Members that live and cannot be reached.

use testkit::tcp_proxy::TcpProxy;

use super::scene::{POLICY, Scene};

/// A proxy before each member, and the `--store` that leads through all of them.
fn proxies(scene: &Scene) -> (Vec<TcpProxy>, String) {
    let endpoints = scene.cluster.endpoints();
    let proxies: Vec<TcpProxy> = endpoints.iter().map(|member| TcpProxy::start(member)).collect();
    let through: Vec<String> = proxies.iter().map(TcpProxy::endpoint).collect();
    let store = format!("etcd://{}", through.join(","));
    (proxies, store)
}

#[test]
fn a_gateway_goes_round_a_member_that_is_cut_off_and_one_that_knows_no_other_decides_on() {
    let scene = Scene::start();
    let (proxies, through_all) = proxies(&scene);
    let through_one = format!("etcd://{}", proxies[0].endpoint());
    let fleet = scene.fleet(&[through_all, through_one]);
    let [goes_round, is_cut_off] = &fleet.gateways[..] else {
        panic!("two gateways");
    };
    proxies[0].freeze();
    is_cut_off.wait_until_following(false);
    scene.publish(2);
    goes_round.wait_for(POLICY, 2);
    fleet.pay_for_a_while();
    let policy = is_cut_off.policy(POLICY).expect("the policy");
    assert_eq!(policy["in_force"]["sequence"], 1, "what it cannot know of");
    proxies[0].heal();
    fleet.wait_for(2);
    scene.wait_until_converged(2);
    fleet.stop_and_check(&[1, 2]);
}

#[test]
fn a_compaction_behind_a_gateway_that_was_cut_off_loses_it_nothing() {
    let scene = Scene::start();
    let (proxies, store) = proxies(&scene);
    let fleet = scene.fleet(&[store]);
    proxies.iter().for_each(TcpProxy::cut);
    fleet.wait_until_following(false);
    scene.publish(2);
    scene.publish(3);
    scene.cluster.leader().compact();
    fleet.pay_for_a_while();
    proxies.iter().for_each(TcpProxy::heal);
    fleet.wait_for(3);
    scene.wait_until_converged(1);
    fleet.stop_and_check(&[1, 3]);
}
