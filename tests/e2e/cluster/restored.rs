//! A cluster that has lost what it knew.

use portcullis_tests::eventually;
use tempfile::TempDir;

use super::scene::{POLICY, Scene, statuses};

#[test]
fn gateways_decide_on_when_etcd_was_wiped_and_say_that_the_document_is_gone() {
    let scene = Scene::start();
    let fleet = scene.fleet(&[scene.location(), scene.location()]);
    scene.publish(2);
    fleet.wait_for(2);
    scene.cluster.wipe();
    fleet.wait_until_following(false);
    scene.cluster.start_again();
    for gateway in &fleet.gateways {
        let message = gateway.wait_for_refusal(POLICY, "document_gone");
        assert!(message.contains("stays in force"), "{message}");
    }
    fleet.pay_for_a_while();
    // The store has nothing to count from, and whoever publishes counts from what the nodes have seen.
    scene.publish(3);
    fleet.wait_for(3);
    scene.wait_until_converged(2);
    fleet.stop_and_check(&[1, 2, 3]);
}

#[test]
fn a_release_of_an_older_snapshot_is_refused_as_replayed_until_the_next_one_counts_higher() {
    let scene = Scene::start();
    let fleet = scene.fleet(&[scene.location(), scene.location()]);
    let folder = TempDir::new().expect("a folder");
    let snapshot = folder.path().join("snapshot");
    scene.cluster.leader().save(&snapshot);
    scene.publish(2);
    scene.publish(3);
    fleet.wait_for(3);
    scene.cluster.restore(&snapshot);
    fleet.wait_until_following(false);
    scene.cluster.start_again();
    for gateway in &fleet.gateways {
        let message = gateway.wait_for_refusal(POLICY, "sequence_replayed");
        assert!(message.contains('3'), "{message}");
    }
    let location = scene.location();
    eventually("every node to report what it refused and what decides", || {
        let statuses = statuses(&location)?;
        let nodes = statuses["nodes"].as_array()?;
        let says = |node: &serde_json::Value| {
            let policy = &node["policies"][0];
            policy["sequence"] == 3
                && policy["error"]["code"] == "sequence_replayed"
                && policy["error"]["sequence"] == 1
        };
        (nodes.len() == 2 && nodes.iter().all(says)).then_some(())
    });
    fleet.pay_for_a_while();
    scene.publish(4);
    fleet.wait_for(4);
    scene.wait_until_converged(2);
    fleet.stop_and_check(&[1, 2, 3, 4]);
}
