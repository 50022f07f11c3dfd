//! A cluster, gateways that follow it, and payments.

use std::sync::Arc;

use portcullis_tests::policies::push;
use portcullis_tests::raw::run;
use portcullis_tests::{Answer, Gateway, Policy, Traffic, eventually};
use serde_json::Value;
use testkit::etcd::{Cluster, Setup};

/// The policy that all of them run. Under an odd sequence it lets an ordinary payment pass, under an even one it declines it.
pub(super) const POLICY: &str = "amount-ceiling";

const LENIENT: &str = "\"CNY=2000000\"";
const STRICT: &str = "\"CNY=10000\"";

/// A cluster with the first release in it.
pub(super) struct Scene {
    pub(super) cluster: Cluster,
    lenient: Policy,
    strict: Policy,
}

/// Gateways with payments at each.
pub(super) struct Fleet {
    pub(super) gateways: Vec<Arc<Gateway>>,
    traffic: Vec<Traffic>,
}

impl Scene {
    pub(super) fn start() -> Self {
        // Time enough for a busy machine: what a late answer comes to is for other tests.
        let policy = || Policy::built(POLICY).with("deadline_ms = 5", "deadline_ms = 1000");
        let scene = Self {
            cluster: Cluster::start(&Setup::default()),
            lenient: policy(),
            strict: policy().with(LENIENT, STRICT),
        };
        scene.publish(1);
        scene
    }

    /// The `--store` that names every member.
    pub(super) fn location(&self) -> String {
        self.cluster.location()
    }

    /// Publishes the next release, which has this sequence. What a cluster does not answer is tried again, as anybody would.
    pub(super) fn publish(&self, sequence: u64) {
        let policy = if sequence % 2 == 1 {
            &self.lenient
        } else {
            &self.strict
        };
        let location = self.location();
        let listed = eventually("the cluster to take a release", || {
            if !push(&location, &[policy]).status.success() {
                return None;
            }
            let documents = listed(&location)?;
            Some(documents["policies"][0]["document"]["sequence"].clone())
        });
        assert_eq!(listed, sequence, "the release that was published");
    }

    /// Gateways that follow these stores, each with payments.
    pub(super) fn fleet(&self, stores: &[String]) -> Fleet {
        let gateways: Vec<Arc<Gateway>> = stores
            .iter()
            .map(|store| Arc::new(Gateway::start(store)))
            .collect();
        for gateway in &gateways {
            gateway.wait_for(POLICY, 1);
        }
        let traffic = gateways.iter().map(Traffic::start).collect();
        Fleet { gateways, traffic }
    }

    /// Waits until every node says exactly what the store does.
    pub(super) fn wait_until_converged(&self, nodes: usize) {
        let location = self.location();
        eventually("every node to say what the store says", || {
            let (listed, statuses) = (listed(&location)?, statuses(&location)?);
            let statuses = statuses["nodes"].as_array()?;
            let agree = |status: &Value| agrees(status, &listed);
            (statuses.len() == nodes && statuses.iter().all(agree)).then_some(())
        });
    }
}

/// What the store says.
fn listed(store: &str) -> Option<Value> {
    json(&["policy", "list", "--output", "json", "--store", store])
}

/// What the nodes say.
pub(super) fn statuses(store: &str) -> Option<Value> {
    json(&["policy", "status", "--output", "json", "--store", store])
}

fn json(arguments: &[&str]) -> Option<Value> {
    let output = run(arguments);
    let found = output.status.success().then_some(output.stdout)?;
    serde_json::from_slice(&found).ok()
}

/// Whether a node runs every document of the store, and nothing else.
fn agrees(status: &Value, listed: &Value) -> bool {
    let (Some(running), Some(documents)) = (status["policies"].as_array(), listed["policies"].as_array())
    else {
        return false;
    };
    running.len() == documents.len()
        && documents.iter().all(|listed| {
            let document = &listed["document"];
            running.iter().any(|policy| {
                policy["name"] == listed["name"]
                    && policy["state"] == "in_force"
                    && policy["sequence"] == document["sequence"]
                    && policy["digest"] == document["artifact"]["digest"]
                    && policy["error"].is_null()
            })
        })
}

impl Fleet {
    /// Waits until all of them decide by this release.
    pub(super) fn wait_for(&self, sequence: u64) {
        for gateway in &self.gateways {
            gateway.wait_for(POLICY, sequence);
        }
    }

    /// Waits until all of them have noticed that they cannot follow the store, or follow it.
    pub(super) fn wait_until_following(&self, follows: bool) {
        for gateway in &self.gateways {
            gateway.wait_until_following(follows);
        }
    }

    /// Waits until further payments were decided, at all of them.
    pub(super) fn pay_for_a_while(&self) {
        self.traffic.iter().for_each(Traffic::wait_for_more);
    }

    /// Not one payment failed, and each was decided by one of these releases, in their order, and as it decides. The last payments were
    /// decided by the last of them.
    pub(super) fn stop_and_check(self, sequences: &[u64]) {
        self.pay_for_a_while();
        for traffic in self.traffic {
            let answers = traffic.stop();
            let mut newest = 0;
            for answer in &answers {
                let sequence = decided_by(answer);
                assert!(sequences.contains(&sequence), "{}", answer.text);
                assert!(sequence >= newest, "release {sequence} decided after {newest}");
                newest = sequence;
            }
            assert_eq!(Some(&newest), sequences.last(), "the last release decides");
        }
    }
}

/// The release that a payment was decided by, as it decides.
fn decided_by(answer: &Answer) -> u64 {
    assert_eq!(answer.status, 201, "a payment failed: {}", answer.text);
    let policies = &answer.body["risk"]["policies"];
    let sequence = policies[0]["sequence"].as_u64().expect("a sequence");
    let expected = if sequence % 2 == 1 {
        "authorized"
    } else {
        "declined"
    };
    assert_eq!(answer.body["status"], expected, "{}", answer.text);
    sequence
}
