//! A thousand policies on one node, and several that compile at once: both beside payments.

use std::sync::Arc;

use portcullis_tests::guests::{contract_of, generated, manifest};
use portcullis_tests::raw::{digest, document, envelope, run};
use portcullis_tests::{Etcd, Gateway, Payment, Policy, Traffic, eventually};
use serde_json::{Value, json};

use crate::misbehaving::vitals::Vitals;

/// Policies of the large store.
const POLICIES: usize = 1_000;

/// Documents of one transaction: with its history each is two of the 128 operations that etcd takes.
const TOGETHER: usize = 64;

/// An artifact that is in the store.
struct Stored {
    policy: Policy,
    contract: String,
}

impl Stored {
    fn put(etcd: &Etcd, bytes: &[u8]) -> Self {
        let policy = Policy::of(bytes, &manifest("any"));
        etcd.put_chunks(&digest(&policy), bytes);
        Self {
            contract: contract_of(bytes),
            policy,
        }
    }

    /// A document's key and value.
    fn document(&self, name: &str, sequence: u64) -> (String, Vec<u8>) {
        let mut document = document(name, sequence, &self.policy);
        document["contract"] = self.contract.clone().into();
        document["limits"] = json!({"deadline_ms": 1_000});
        let key = format!("/portcullis/v1/policies/{name}");
        (key, envelope(&document).to_string().into_bytes())
    }
}

/// A number among a gateway's metrics.
fn metric(gateway: &Gateway, name: &str) -> Option<u64> {
    let metrics = gateway.get("/metrics").text;
    let line = metrics.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().parse().ok()
}

fn in_force(gateway: &Gateway) -> Option<u64> {
    metric(gateway, "portcullis_policies_in_force ")
}

fn loads(gateway: &Gateway) -> Option<u64> {
    metric(gateway, "portcullis_policy_loads_total{result=\"in_force\"} ")
}

#[test]
fn a_thousand_policies_load_and_stay_loaded() {
    let mut etcd = Etcd::start();
    let artifacts: Vec<Stored> = (1..=4)
        .map(|count| Stored::put(&etcd, &generated::functions(count)))
        .collect();
    let documents: Vec<_> = (0..POLICIES)
        .map(|index| artifacts[index % artifacts.len()].document(&format!("p-{index}"), 1))
        .collect();
    for together in documents.chunks(TOGETHER) {
        etcd.put_together(together);
    }
    let gateway = Gateway::start_with(&etcd.location(), &["policies.relist_interval_ms=1000"]);
    gateway.wait_until_ready();
    let all = Some(POLICIES as u64);
    eventually("every policy to be in force", || {
        (in_force(&gateway) == all).then_some(())
    });
    assert_eq!(loads(&gateway), all);
    let paid = gateway.pay(&Payment::ordinary());
    assert_eq!(
        (paid.status, &paid.body["status"]),
        (201, &"authorized".into()),
        "{}",
        paid.text
    );
    assert_eq!(
        paid.body["risk"]["policies"].as_array().map(Vec::len),
        Some(POLICIES)
    );

    // Another document is taken in by a listing or by the watch; either way the thousand are left alone.
    for (restarts, sequence) in [(false, 1), (true, 2), (false, 3)] {
        if restarts {
            etcd.stop();
            gateway.wait_until_following(false);
            etcd.restart();
            gateway.wait_until_following(true);
        }
        let listings = metric(&gateway, "portcullis_policy_store_listings_total ");
        let (key, value) = artifacts[0].document("one-more", sequence);
        etcd.put(&key, &value);
        gateway.wait_for("one-more", sequence);
        eventually("the store to be listed again", || {
            (metric(&gateway, "portcullis_policy_store_listings_total ") > listings).then_some(())
        });
        assert_eq!(in_force(&gateway), Some(POLICIES as u64 + 1));
        assert_eq!(loads(&gateway), Some(POLICIES as u64 + sequence));
    }
    let status = run(&[
        "policy",
        "status",
        "--output",
        "json",
        "--store",
        &etcd.location(),
    ]);
    let status: Value = serde_json::from_slice(&status.stdout).expect("JSON");
    let told = status["nodes"][0]["policies"].as_array().expect("policies");
    assert_eq!(told.len(), POLICIES + 1);
    assert!(told.iter().all(|policy| policy["state"] == "in_force"));
}

/// Processes that a gateway has started: its compilers.
fn compilers(gateway: &Gateway) -> usize {
    Vitals::of(gateway.id()).children
}

#[test]
fn policies_compile_side_by_side_and_payments_are_served_meanwhile() {
    let etcd = Etcd::start();
    let gateway = Arc::new(Gateway::start(&etcd.location()));
    let documents: Vec<_> = (0..6)
        .map(|index| {
            let hard = Stored::put(&etcd, &generated::hard_to_compile(1, 1_000 + 48 * index));
            hard.document(&format!("hard-{index}"), 1)
        })
        .collect();
    let traffic = Traffic::start(&gateway);
    etcd.put_together(&documents);
    let mut beside = 0;
    eventually("every policy to be in force", || {
        let compiling = compilers(&gateway) >= 2;
        let answer = gateway.pay(&Payment::ordinary());
        assert_eq!(answer.status, 201, "{}", answer.text);
        if compiling && compilers(&gateway) >= 2 {
            beside += 1;
        }
        (in_force(&gateway) == Some(6)).then_some(())
    });
    assert!(
        beside > 0,
        "no payment was served while two policies were compiled"
    );
    for answer in traffic.stop() {
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
}
