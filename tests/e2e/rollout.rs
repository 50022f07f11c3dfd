//! A candidate beside the release in force: what a canary decides, and what a shadow tells.

mod gates;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use portcullis_tests::raw::{digest, document, run};
use portcullis_tests::{Answer, Etcd, Gateway, Payment, Policy, eventually};
use serde_json::{Value, json};
use tempfile::TempDir;

const NAME: &str = "amount-ceiling";

/// A store with a policy that approves ordinary payments, and the components of candidates.
struct Scene {
    etcd: Etcd,
    stable: Policy,
    /// What gateways share: the key of card fingerprints.
    shared: TempDir,
}

impl Scene {
    fn new() -> Self {
        let etcd = Etcd::start();
        let stable = Policy::built(NAME);
        etcd.put_artifact(&digest(&stable), &stable);
        let shared = tempfile::tempdir().expect("a temporary folder");
        Self { etcd, stable, shared }
    }

    /// Publishes a candidate of this component, and how it is tried.
    fn publish(&self, sequence: u64, candidate: &Policy, how: &Value) {
        self.etcd.put_artifact(&digest(candidate), candidate);
        let mut on_trial = json!({
            "artifact": document(NAME, sequence, candidate)["artifact"], "version": "2.0.0",
        });
        let fields = on_trial.as_object_mut().expect("an object");
        fields.extend(how.as_object().expect("an object").clone());
        let mut document = document(NAME, sequence, &self.stable);
        document["candidate"] = on_trial;
        self.etcd.put_document(NAME, &document);
    }

    /// Puts the candidate's component in force.
    fn promote(&self, sequence: u64, candidate: &Policy) {
        let mut document = document(NAME, sequence, candidate);
        document["version"] = json!("2.0.0");
        self.etcd.put_document(NAME, &document);
    }

    fn key(&self) -> PathBuf {
        self.shared.path().join("card.key")
    }

    /// A gateway that decides by the first document.
    fn gateway(&self) -> Gateway {
        self.gateway_with(&[])
    }

    fn gateway_with(&self, settings: &[&str]) -> Gateway {
        let key = format!("platform.fingerprint_key_path={}", self.key().display());
        let gateway = Gateway::start_with(&self.etcd.location(), &[&[key.as_str()], settings].concat());
        gateway.wait_until_ready();
        gateway.wait_for(NAME, 1);
        gateway
    }
}

/// Says that it is over when it is dropped.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A card's number that is valid, one for each index.
fn card(index: u32) -> String {
    let body = format!("400000{index:09}");
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0') * if place % 2 == 0 { 2 } else { 1 };
            digit / 10 + digit % 10
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// What the one policy decided about a payment with a card; and by which version.
fn decided_by(gateway: &Gateway, card: &str) -> String {
    let payment = Payment::ordinary().with_card(card).for_decision();
    let answer = gateway.post("/v1/risk/decisions", &payment);
    assert_eq!(answer.status, 200, "{}", answer.text);
    let policy = &answer.body["risk"]["policies"][0];
    policy["version"].as_str().expect("a version").to_owned()
}

/// A payment that is answered, whatever the answer is, and the part of the one policy in it.
fn paid(answer: &Answer) -> Value {
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.body["risk"]["policies"][0].clone()
}

/// How the candidate stands once it stands so.
fn candidate_until(gateway: &Gateway, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    eventually(what, || {
        let candidate = gateway.policy(NAME)?["candidate"].clone();
        holds(&candidate).then_some(candidate)
    })
}

fn wait_for_sent_back(gateway: &Gateway, gate: &str) -> Value {
    let what = format!("the candidate to be sent back by {gate}");
    candidate_until(gateway, &what, |candidate| candidate["sent_back"]["gate"] == gate)
}

fn metric(gateway: &Gateway, line: &str) -> Option<f64> {
    let metrics = gateway.get("/metrics").text;
    let value = metrics.lines().find_map(|found| found.strip_prefix(line))?;
    value.trim().parse().ok()
}

fn has_candidate_metrics(gateway: &Gateway) -> bool {
    gateway
        .get("/metrics")
        .text
        .contains("portcullis_policy_candidate_percent{")
}

/// A component that approves everything that the one in force approves.
fn agreeing() -> Policy {
    Policy::built(NAME).carrying("another-build", b"of the same")
}

#[test]
fn a_canary_decides_about_its_cards_on_every_gateway_and_is_promoted() {
    let scene = Scene::new();
    let candidate = agreeing();
    scene.publish(1, &candidate, &json!({"stage": "canary", "percent": 20}));
    let gateways = [scene.gateway(), scene.gateway()];
    let cards: Vec<String> = (0..200).map(card).collect();
    let sides = |gateway: &Gateway| -> Vec<bool> {
        cards
            .iter()
            .map(|card| decided_by(gateway, card) == "2.0.0")
            .collect()
    };
    let first = sides(&gateways[0]);
    assert_eq!(
        first,
        sides(&gateways[1]),
        "a card has the same side on each gateway"
    );
    let taken = first.iter().filter(|by_the_candidate| **by_the_candidate).count();
    // Forty within five standard deviations.
    assert!((12..=68).contains(&taken), "{taken}");

    // The share grows: none is lost.
    scene.publish(2, &candidate, &json!({"stage": "canary", "percent": 60}));
    for gateway in &gateways {
        gateway.wait_for(NAME, 2);
    }
    let second = sides(&gateways[0]);
    assert!(
        first.iter().zip(&second).all(|(before, now)| *now || !before),
        "{first:?} {second:?}"
    );
    assert!(
        second
            .iter()
            .filter(|by_the_candidate| **by_the_candidate)
            .count()
            > taken
    );
    let of_both = candidate_until(&gateways[0], "the counts of both documents", |candidate| {
        candidate["evaluations"].as_u64() > Some(taken as u64 + 60)
    });
    assert_eq!(
        (&of_both["state"], &of_both["differing"]),
        (&json!("running"), &json!(0)),
        "{of_both}"
    );
    assert_eq!(of_both["percent"], 60.0);

    scene.promote(3, &candidate);
    gateways[0].wait_for(NAME, 3);
    assert!(
        sides(&gateways[0])
            .into_iter()
            .all(|by_the_candidate| by_the_candidate)
    );
    assert_eq!(
        gateways[0].policy(NAME).expect("listed")["candidate"],
        Value::Null
    );
    eventually("the candidate's metrics to go", || {
        (!has_candidate_metrics(&gateways[0])).then_some(())
    });
}

#[test]
fn what_a_shadow_would_have_decided_is_counted_and_shown_without_the_payer() {
    let scene = Scene::new();
    let lower = json!({"stage": "shadow", "parameters": {"ceilings": ["CNY=10000"]}});
    scene.publish(1, &agreeing(), &lower);
    let gateway = scene.gateway();
    let (small, large) = (Payment::of(9_000, "CNY"), Payment::ordinary());
    let mut declined = Vec::new();
    for _ in 0..3 {
        assert_eq!(paid(&gateway.pay(&small))["outcome"], "approve");
        let answer = gateway.pay(&large);
        assert_eq!(
            paid(&answer)["outcome"],
            "approve",
            "what a shadow says never stands"
        );
        declined.push(answer.body["id"].clone());
    }
    let candidate = candidate_until(&gateway, "six payments to be compared", |candidate| {
        candidate["compared"] == 6
    });
    assert_eq!(
        (
            &candidate["state"],
            &candidate["differing"],
            &candidate["faults"],
            &candidate["percent"]
        ),
        (&json!("running"), &json!(3), &json!(0), &json!(100.0)),
        "{candidate}"
    );
    let differences = candidate["differences"].as_array().expect("differences");
    let ids: Vec<_> = differences
        .iter()
        .rev()
        .map(|difference| difference["payment_id"].clone())
        .collect();
    assert_eq!(ids, declined);
    assert_eq!(differences[0]["in_force"]["outcome"], "approve");
    assert_eq!(differences[0]["candidate"]["outcome"], "decline");
    assert!(!candidate.to_string().contains("fp_"), "{candidate}");
    let compared = |in_force: &str, candidate: &str| {
        let labels = format!("policy=\"{NAME}\",in_force=\"{in_force}\",candidate=\"{candidate}\"");
        metric(
            &gateway,
            &format!("portcullis_policy_candidate_compared_total{{{labels}}}"),
        )
    };
    assert_eq!(compared("approve", "decline"), Some(3.0));
    assert_eq!(compared("approve", "approve"), Some(3.0));
    let logged = eventually("a difference to be logged", || {
        let log = gateway.log();
        log.into_iter()
            .find(|line| line.contains("the candidate decides otherwise"))
    });
    assert!(logged.contains("\"candidate.outcome\":\"decline\""), "{logged}");
}

#[test]
fn a_candidate_that_is_no_good_has_its_whole_document_refused() {
    let scene = Scene::new();
    scene.publish(1, &agreeing(), &json!({"stage": "shadow"}));
    let gateway = scene.gateway();
    let unknown = json!({"stage": "canary", "percent": 5, "parameters": {"floor": 1}});
    scene.publish(2, &agreeing(), &unknown);
    let message = gateway.wait_for_refusal(NAME, "unknown_parameter");
    assert!(message.starts_with("candidate: parameters.floor"), "{message}");
    let policy = gateway.policy(NAME).expect("listed");
    assert_eq!(
        (&policy["in_force"]["sequence"], &policy["candidate"]["stage"]),
        (&json!(1), &json!("shadow"))
    );
}
