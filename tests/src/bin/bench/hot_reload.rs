//! `make bench`: from the store's acknowledgement of a release to the first decision by it.
//!
//! A real etcd, the real binary, policies from their real toolchain. A release is put by etcd's own HTTP gateway, so the
//! moment of the acknowledgement is seen here; from then on decisions are asked for one after the other until one of them
//! was made by the new release. The times are this machine's; the ratio to the floor (a put, and a decision, in the same run)
//! is what can be compared.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark ends where something is missing"
)]

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use portcullis_tests::raw::{digest, document, envelope};
use portcullis_tests::{Etcd, Gateway, Payment, Policy};
use serde_json::{Value, json};
use testkit::benchmark::{Report, Samples, Table, number};

/// Releases per row.
const RELEASES: u64 = 40;

/// Releases before the first one counts.
const WARM_UP: u64 = 5;

pub(crate) fn run() {
    let etcd = Etcd::start();
    let bench = Bench {
        gateway: Gateway::start(&etcd.location()),
        etcd,
        agent: ureq::Agent::new_with_defaults(),
    };
    let policy = Policy::built("amount-ceiling");
    let size = std::fs::metadata(policy.wasm()).map_or(0, |file| file.len());

    let mut sequence = 0;
    bench.release(&policy, &mut sequence, 0);
    let decision = samples(|| bench.time_decision());
    let put = samples(|| bench.time_put());
    let component = std::fs::read(policy.wasm()).expect("a component");
    let parameters = samples(|| bench.release(&policy, &mut sequence, 0));
    let artifact = samples(|| {
        let padding = u32::try_from(sequence).unwrap_or(0) + 1;
        bench.release(&Policy::of(&component, "").padded(padding), &mut sequence, 1)
    });

    let mut report = Report::new(
        "30-hot-reload",
        "From acknowledgement to the first decision by the new release",
    );
    report.say(format!("{RELEASES} releases a row."));
    let floor = decision.median_ms() + put.median_ms();
    let row = |what: &str, samples: &Samples| {
        let times = [0.5, 0.99, 1.0].map(|part| number(samples.quantile_ms(part)));
        let ratio = number(samples.median_ms() / floor);
        std::iter::once(what.to_owned())
            .chain(times)
            .chain([ratio])
            .collect::<Vec<_>>()
    };
    let anew = format!("new artifact of {size} bytes, compiled anew");
    report.table(
        &Table::new(["", "p50 ms", "p99 ms", "max ms", "p50 / floor"])
            .row(row("floor: one decision over HTTP", &decision))
            .row(row("floor: one put of a document to etcd", &put))
            .row(row("new document, same artifact", &parameters))
            .row(row(&anew, &artifact)),
    );
    report.finish();
}

struct Bench {
    etcd: Etcd,
    gateway: Gateway,
    agent: ureq::Agent,
}

impl Bench {
    /// Puts a release, and says how long it took from the acknowledgement to the first decision by it. `outcome` alternates a
    /// parameter, so that every document differs.
    fn release(&self, policy: &Policy, sequence: &mut u64, artifact: u64) -> Duration {
        *sequence += 1;
        let digest = digest(policy);
        if artifact > 0 || *sequence == 1 {
            let bytes = std::fs::read(policy.wasm()).expect("an artifact");
            self.put(&format!("/portcullis/v1/artifacts/{digest}/000000"), &bytes);
        }
        let mut document = document("amount-ceiling", *sequence, policy);
        document["parameters"] = json!({"ceilings": [format!("CNY={}", 2_000_000 + *sequence)]});
        self.put(
            "/portcullis/v1/policies/amount-ceiling",
            envelope(&document).to_string().as_bytes(),
        );
        let acknowledged = Instant::now();
        while self.deciding_sequence() != Some(*sequence) {}
        acknowledged.elapsed()
    }

    fn deciding_sequence(&self) -> Option<u64> {
        let decided = self
            .gateway
            .post("/v1/risk/decisions", &Payment::ordinary().for_decision());
        assert_eq!(
            decided.status, 200,
            "no decision may fail meanwhile: {}",
            decided.text
        );
        decided.body["risk"]["policies"][0]["sequence"].as_u64()
    }

    fn time_decision(&self) -> Duration {
        let started = Instant::now();
        assert!(self.deciding_sequence().is_some());
        started.elapsed()
    }

    fn time_put(&self) -> Duration {
        let value = vec![b'x'; 900];
        let started = Instant::now();
        self.put("/elsewhere", &value);
        started.elapsed()
    }

    fn put(&self, key: &str, value: &[u8]) {
        let body = json!({"key": BASE64.encode(key), "value": BASE64.encode(value)});
        let url = format!("{}/v3/kv/put", self.etcd.location().replace("etcd://", "http://"));
        let mut answer = self.agent.post(&url).send_json(&body).expect("etcd acknowledges");
        let answer: Value = answer.body_mut().read_json().expect("etcd answers JSON");
        assert!(answer["header"]["revision"].is_string(), "{answer}");
    }
}

fn samples(mut measure: impl FnMut() -> Duration) -> Samples {
    for _ in 0..WARM_UP {
        measure();
    }
    (0..RELEASES).map(|_| measure()).collect()
}
