//! A gateway is killed while documents come, again and again: what it starts from is a set that was in force, whole.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use portcullis_tests::raw::{digest, document, envelope};
use portcullis_tests::{Etcd, Gateway, Policy, eventually};
use serde_json::json;

use super::NOWHERE;

/// Policies that are published together, always under the same sequence.
const TOGETHER: [&str; 3] = ["alpha", "bravo", "charlie"];

/// Artifacts that they take turns with.
const ARTIFACTS: u32 = 3;

/// Publishes transactions, and knows which revision each has.
struct Publisher {
    etcd: Etcd,
    artifacts: Vec<Policy>,
    /// Sequences by the revision of their transaction.
    published: Mutex<BTreeMap<u64, u64>>,
    is_over: AtomicBool,
}

impl Publisher {
    fn new() -> Self {
        let etcd = Etcd::start();
        let artifacts: Vec<Policy> = (1..=ARTIFACTS)
            .map(|bytes| Policy::built("amount-ceiling").padded(bytes))
            .collect();
        for artifact in &artifacts {
            let bytes = std::fs::read(artifact.wasm()).expect("a component");
            etcd.put_chunks(&digest(artifact), &bytes);
        }
        Self {
            etcd,
            artifacts,
            published: Mutex::default(),
            is_over: AtomicBool::new(false),
        }
    }

    fn publish(&self, sequence: u64) {
        let values: Vec<(String, Vec<u8>)> = TOGETHER
            .iter()
            .enumerate()
            .map(|(index, name)| {
                let turn = usize::try_from(sequence).unwrap_or(0) / 4 + index;
                let mut document = document(name, sequence, &self.artifacts[turn % self.artifacts.len()]);
                document["parameters"] = json!({"ceilings": [format!("CNY={}", 2_000_000 + sequence)]});
                let value = envelope(&document).to_string().into_bytes();
                (format!("/portcullis/v1/policies/{name}"), value)
            })
            .collect();
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let revision = self.etcd.put_together(&values);
        published.insert(revision, sequence);
    }

    fn publish_until_over(&self, from: u64) {
        let mut sequence = from;
        while !self.is_over.load(Ordering::SeqCst) {
            self.publish(sequence);
            sequence += 1;
        }
    }

    /// The sequence of the last transaction up to this revision.
    fn sequence_at(&self, revision: u64) -> u64 {
        let published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        published
            .range(..=revision)
            .next_back()
            .map_or(0, |(_, sequence)| *sequence)
    }

    fn last(&self) -> u64 {
        self.sequence_at(u64::MAX)
    }
}

/// The sequence of the set in force, of which all policies must have the same.
fn sequence_in_force(gateway: &Gateway) -> u64 {
    let listed = gateway.get("/v1/policies").body;
    let sequences: BTreeMap<&str, Option<u64>> = listed["policies"]
        .as_array()
        .expect("policies")
        .iter()
        .map(|policy| {
            (
                policy["name"].as_str().unwrap_or(""),
                policy["in_force"]["sequence"].as_u64(),
            )
        })
        .collect();
    assert_eq!(sequences.len(), TOGETHER.len(), "{sequences:?}");
    let mut all = sequences.values().copied();
    let first = all.next().flatten().expect("a sequence");
    assert!(
        all.all(|sequence| sequence == Some(first)),
        "a mixture: {sequences:?}"
    );
    first
}

fn is_killed(times: u32) {
    let publisher = Publisher::new();
    publisher.publish(1);
    let mut gateway = Gateway::start(&publisher.etcd.location());
    for name in TOGETHER {
        gateway.wait_for(name, 1);
    }
    eventually("the first set to be on the disk", || {
        (gateway.metric("portcullis_policy_state_saved_revision")? > 0).then_some(())
    });
    thread::scope(|scope| {
        scope.spawn(|| publisher.publish_until_over(2));
        let killed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for round in 0..times {
                kill_once(&publisher, &mut gateway, round);
            }
        }));
        publisher.is_over.store(true, Ordering::SeqCst);
        if let Err(panic) = killed {
            std::panic::resume_unwind(panic);
        }
    });
    // And the fleet of one converges to what the store says.
    gateway.kill();
    gateway.start_again_on(&publisher.etcd.location());
    for name in TOGETHER {
        gateway.wait_for(name, publisher.last());
    }
}

/// Kills the gateway at some moment, starts it without its store, and looks at what it begins with; then with its store again.
fn kill_once(publisher: &Publisher, gateway: &mut Gateway, round: u32) {
    // So many further transactions: another moment in each round, in the midst of whatever the gateway does.
    let until = publisher.last() + u64::from(round * 7 % 11);
    eventually("further transactions", || {
        (publisher.last() >= until).then_some(())
    });
    let saved = gateway
        .metric("portcullis_policy_state_saved_revision")
        .expect("a metric");
    gateway.kill();
    let (at_least, at_most) = (publisher.sequence_at(saved), publisher.last() + 1);
    gateway.start_again_on(NOWHERE);
    gateway.wait_until_ready();
    let found = sequence_in_force(gateway);
    assert!(
        (at_least..=at_most).contains(&found),
        "round {round}: {found} is in force, {at_least} was on the disk, {at_most} is the latest"
    );
    let begun = gateway
        .log()
        .into_iter()
        .any(|line| line.contains("decisions begin with the last good set"));
    assert!(begun, "{}", gateway.log().join("\n"));
    gateway.kill();
    gateway.start_again_on(&publisher.etcd.location());
    gateway.wait_until_ready();
    assert!(sequence_in_force(gateway) >= found, "it went back");
}

#[test]
fn a_gateway_that_is_killed_starts_from_a_set_that_was_in_force_whole() {
    is_killed(10);
}

#[test]
#[ignore = "minutes: run by `make crashes`"]
fn a_gateway_that_is_killed_a_hundred_times_starts_from_a_set_that_was_in_force_whole() {
    is_killed(100);
}
