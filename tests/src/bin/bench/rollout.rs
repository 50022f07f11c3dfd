//! `make bench`: what a candidate costs the payments that it is tried beside.
//!
//! A real etcd and the real binary. The same component runs under several names, each for a merchant of its own: without a candidate,
//! with one in shadow, with one in canary, and with one in shadow that never ends and runs into its deadline every time.
//! Decisions are asked for by turns, one for each of the first three, so that what else the machine does falls on all of them.
//! The candidate that never ends has rounds of its own, since it takes what is left of a core for a while after them, and is held
//! against as many decisions without a candidate in a row just before. The times are this machine's; the ratios are what can be
//! compared.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark ends where something is missing"
)]

use std::time::{Duration, Instant};

use portcullis_tests::raw::{digest, document};
use portcullis_tests::{Etcd, Gateway, Payment, Policy, eventually};
use serde_json::{Value, json};
use testkit::benchmark::{Bar, Report, Samples, Table, number};

/// Rounds, each with so many decisions of each kind: 4,800 in all, so that 48 are slower than the 99th percentile.
const ROUNDS: usize = 16;
const DECISIONS: usize = 300;

/// Decisions of each kind before the first round counts.
const WARM_UP: usize = 300;

/// How much longer the slowest hundredth may take with a candidate than without one. What is run beside payments shares the
/// machine with them, so it is not nothing.
const MAX_RATIO: f64 = 1.5;

/// The same beside a candidate that never ends, as beside other policies that never end.
const MAX_HOSTILE_RATIO: f64 = 2.0;

/// What is held against what: a name, and what its document says of a candidate.
const WITHOUT: &str = "without";
const SHADOW: &str = "shadow";
const CANARY: &str = "canary";
const HOSTILE: &str = "hostile";

pub(crate) fn run() {
    let bench = Bench::start();
    let by_turns = [WITHOUT, SHADOW, CANARY];
    for _ in 0..WARM_UP {
        for kind in by_turns {
            bench.time_decision(kind);
        }
    }
    let mut times: [Vec<Duration>; 3] = Default::default();
    let (mut quiet, mut hostile) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for _ in 0..DECISIONS {
            for (kind, times) in by_turns.iter().zip(&mut times) {
                times.push(bench.time_decision(kind));
            }
        }
        quiet.extend((0..DECISIONS).map(|_| bench.time_decision(WITHOUT)));
        hostile.extend((0..DECISIONS).map(|_| bench.time_decision(HOSTILE)));
        bench.wait_until_quiet(HOSTILE);
    }
    let [without, shadow, canary] = times.map(Samples::new);
    let [quiet, hostile] = [quiet, hostile].map(Samples::new);
    let mut report = Report::new("60-rollouts", "Candidates beside payments");
    report.say(format!(
        "{ROUNDS} rounds of {DECISIONS} decisions of each kind, one policy each."
    ));
    report.table(
        &Table::new(["", "samples", "p50 µs", "p99 µs", "max µs"])
            .row(row("without a candidate", &without))
            .row(row("with one in shadow, beside every payment", &shadow))
            .row(row("with one in canary, for every card", &canary))
            .row(row("without a candidate, in a row", &quiet))
            .row(row("with one in shadow that never ends, in a row", &hostile)),
    );
    for kind in [SHADOW, CANARY, HOSTILE] {
        bench.tell(kind);
    }
    let ratio = |with: &Samples, without: &Samples| with.quantile(0.99) / without.quantile(0.99);
    for (what, with, without, most) in [
        ("p99, with a shadow / without", &shadow, &without, MAX_RATIO),
        ("p99, with a canary / without", &canary, &without, MAX_RATIO),
        (
            "p99, with a shadow that never ends / without",
            &hostile,
            &quiet,
            MAX_HOSTILE_RATIO,
        ),
    ] {
        report.bar(Bar::at_most(what, ratio(with, without), most));
    }
    report.finish();
}

fn row(what: &str, samples: &Samples) -> Vec<String> {
    let times = [0.5, 0.99, 1.0].map(|part| number(samples.quantile_us(part)));
    [what.to_owned(), samples.len().to_string()]
        .into_iter()
        .chain(times)
        .collect()
}

struct Bench {
    gateway: Gateway,
    _etcd: Etcd,
}

impl Bench {
    fn start() -> Self {
        let etcd = Etcd::start();
        let (policy, spins) = (
            Policy::built("amount-ceiling"),
            Policy::built("misbehaving/spins"),
        );
        for policy in [&policy, &spins] {
            etcd.put_artifact(&digest(policy), policy);
        }
        let on_trial = |component: &Policy, how: Value| {
            let mut candidate = json!({
                "artifact": document("any", 1, component)["artifact"], "version": "2.0.0",
                // Whatever it does, it is not sent back.
                "gates": {"max_fault_ratio": 1},
            });
            let fields = candidate.as_object_mut().expect("an object");
            fields.extend(how.as_object().expect("an object").clone());
            candidate
        };
        let endless = json!({"stage": "shadow", "limits": {"fuel": 1_000_000_000, "deadline_ms": 10}});
        for (name, candidate) in [
            (WITHOUT, None),
            (SHADOW, Some(on_trial(&policy, json!({"stage": "shadow"})))),
            (
                CANARY,
                Some(on_trial(&policy, json!({"stage": "canary", "percent": 99.99}))),
            ),
            (HOSTILE, Some(on_trial(&spins, endless))),
        ] {
            let mut document = document(name, 1, &policy);
            document["scope"] = json!({"merchants": [merchant(name)]});
            if let Some(candidate) = candidate {
                document["candidate"] = candidate;
            }
            etcd.put_document(name, &document);
        }
        let gateway = Gateway::start_with(&etcd.location(), &["policies.quarantine.enabled=false"]);
        gateway.wait_until_ready();
        for name in [WITHOUT, SHADOW, CANARY, HOSTILE] {
            gateway.wait_for(name, 1);
        }
        Self { gateway, _etcd: etcd }
    }

    fn time_decision(&self, kind: &str) -> Duration {
        let mut payment = Payment::ordinary().for_decision();
        payment["merchant_id"] = json!(merchant(kind));
        let started = Instant::now();
        let answer = self.gateway.post("/v1/risk/decisions", &payment);
        let took = started.elapsed();
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.body["risk"]["policies"][0]["name"], kind);
        took
    }

    fn candidate(&self, kind: &str) -> Value {
        self.gateway.policy(kind).expect("listed")["candidate"].clone()
    }

    /// Waits until nothing is run beside payments of a kind any more: its numbers are told every few seconds.
    fn wait_until_quiet(&self, kind: &str) {
        let evaluations = || metric(&self.gateway, kind);
        let mut last = evaluations();
        let mut unchanged = 0;
        eventually("the candidate to rest", || {
            let now = evaluations();
            unchanged = if now == last { unchanged + 1 } else { 0 };
            last = now;
            // Looked at every 20 ms; it has 10 ms of the processor each time.
            (unchanged >= 10).then_some(())
        });
    }

    fn tell(&self, kind: &str) {
        let told = |candidate: &Value, name: &str| candidate[name].to_string();
        let candidate = self.candidate(kind);
        println!(
            "{kind}: {} evaluations, {} faults, p99 {} µs, {} compared, {} dropped",
            told(&candidate, "evaluations"),
            told(&candidate, "faults"),
            told(&candidate, "p99_us"),
            told(&candidate, "compared"),
            told(&candidate, "dropped"),
        );
    }
}

/// How often a kind's candidate was evaluated, as the metric has it now.
fn metric(gateway: &Gateway, kind: &str) -> Option<String> {
    let metrics = gateway.get("/metrics").text;
    let prefix =
        format!("portcullis_policy_candidate_evaluations_total{{policy=\"{kind}\",stage=\"shadow\"}}");
    metrics
        .lines()
        .find_map(|line| line.strip_prefix(&prefix))
        .map(str::to_owned)
}

fn merchant(kind: &str) -> String {
    format!("m_{kind}")
}
