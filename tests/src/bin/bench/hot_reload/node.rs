//! A gateway and its store, to release policies to and to see who decides.

use std::cell::Cell;
use std::fs::File;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use portcullis_tests::build::portcullis;
use portcullis_tests::raw::envelope;
use portcullis_tests::{Etcd, Gateway, Payment, eventually_within};
use serde_json::{Value, json};

use super::guest::Artifact;

/// The policy that is released again and again.
const POLICY: &str = "released";

/// Longer than compiling an interpreter takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(600);

/// What a gateway gives the process that compiles: the defaults of `policies.compile_memory_bytes` and `compile_cpu_seconds`, of
/// the latter more.
const COMPILER: [&str; 7] = [
    "compile",
    "--task",
    "policy",
    "--memory-bytes",
    "2147483648",
    "--cpu-seconds",
    "600",
];

/// Settings of a gateway that compiles interpreters on a busy machine.
const SETTINGS: [&str; 2] = [
    "policies.load_timeout_ms=900000",
    "policies.compile_cpu_seconds=600",
];

pub(super) struct Node {
    etcd: Etcd,
    pub(super) gateway: Gateway,
    agent: ureq::Agent,
    sequence: Cell<u64>,
}

impl Node {
    pub(super) fn start() -> Self {
        let etcd = Etcd::start();
        let gateway = Gateway::start_with(&etcd.location(), &SETTINGS);
        gateway.wait_until_ready();
        Self {
            gateway,
            etcd,
            agent: ureq::Agent::new_with_defaults(),
            sequence: Cell::new(0),
        }
    }

    /// Puts an artifact into the store.
    pub(super) fn upload(&self, artifact: &Artifact) {
        self.etcd.put_artifact(&artifact.digest, &artifact.policy);
    }

    /// Puts a release of an artifact that is in the store already, and says how long it took from the acknowledgement to the
    /// first decision by it.
    pub(super) fn release(&self, artifact: &Artifact) -> Duration {
        let sequence = self.put_release(artifact);
        let acknowledged = Instant::now();
        while self.deciding_sequence() != Some(sequence) {
            assert!(
                acknowledged.elapsed() < PATIENCE,
                "release {sequence} does not decide: {:?}",
                self.gateway.policy(POLICY)
            );
        }
        acknowledged.elapsed()
    }

    /// Puts a release and does not wait for it. Says its sequence.
    pub(super) fn put_release(&self, artifact: &Artifact) -> u64 {
        let sequence = self.sequence.get() + 1;
        self.sequence.set(sequence);
        let document = artifact.document(POLICY, sequence);
        let key = format!("/portcullis/v1/policies/{POLICY}");
        self.put(&key, envelope(&document).to_string().as_bytes());
        sequence
    }

    /// Waits until the newest release decides.
    pub(super) fn wait_for_the_newest(&self) {
        eventually_within(PATIENCE, "the newest release to decide", || {
            (self.deciding_sequence() == Some(self.sequence.get())).then_some(())
        });
    }

    /// Waits until machine code of so many artifacts was kept.
    pub(super) fn wait_until_kept(&self, artifacts: usize) {
        let name = "portcullis_policy_compile_cache_total{result=\"written\"}";
        eventually_within(PATIENCE, "machine code to be kept", || {
            (self.gateway.metric(name)? >= artifacts as u64).then_some(())
        });
    }

    /// How long a process of the gateway's compiler takes, while decisions are asked for as they are while one waits for a release.
    pub(super) fn time_compiler(&self, artifact: &Artifact) -> Duration {
        let component = File::open(artifact.policy.wasm()).expect("an artifact");
        let mut command = Command::new(portcullis());
        command.args(COMPILER).stdin(component);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let started = Instant::now();
        let mut compiler = command.spawn().expect("the compiler starts");
        loop {
            self.deciding_sequence();
            if let Some(status) = compiler.try_wait().expect("the compiler can be asked") {
                assert!(status.success(), "the compiler refuses the policy");
                return started.elapsed();
            }
        }
    }

    pub(super) fn time_decision(&self) -> Duration {
        let started = Instant::now();
        assert!(self.deciding_sequence().is_some());
        started.elapsed()
    }

    pub(super) fn time_put(&self) -> Duration {
        let value = vec![b'x'; 900];
        let started = Instant::now();
        self.put("/elsewhere", &value);
        started.elapsed()
    }

    fn deciding_sequence(&self) -> Option<u64> {
        let payment = Payment::ordinary().for_decision();
        let decided = self.gateway.post("/v1/risk/decisions", &payment);
        assert_eq!(
            decided.status, 200,
            "no decision may fail meanwhile: {}",
            decided.text
        );
        let deciding = &decided.body["risk"]["policies"][0];
        let fault = &deciding["fault"];
        // A busy machine may let a guest's time pass.
        let is_sound = fault.is_null() || fault["kind"] == "deadline" || fault["kind"] == "unavailable";
        assert!(is_sound, "{}", decided.text);
        deciding["sequence"].as_u64()
    }

    /// As `Etcd::put`, over a connection that is kept: it is timed.
    fn put(&self, key: &str, value: &[u8]) {
        let body = json!({"key": BASE64.encode(key), "value": BASE64.encode(value)});
        let url = format!("{}/v3/kv/put", self.etcd.location().replace("etcd://", "http://"));
        let mut answer = self.agent.post(&url).send_json(&body).expect("etcd acknowledges");
        let answer: Value = answer.body_mut().read_json().expect("etcd answers JSON");
        assert!(answer["header"]["revision"].is_string(), "{answer}");
    }
}
