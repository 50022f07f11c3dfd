//! Publishes under load: several gateways on one etcd, each with payers that never pause, and release after release.
//!
//! What is measured is the time from etcd's acknowledgement of a release to the first decision by it on every gateway. The floor is
//! the time from the put to the event of a watch, as `etcdctl watch` prints it, in the same run; that is often before the
//! acknowledgement.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::etcd::Etcd;
use crate::gateway::{Gateway, Payment};
use crate::policies::Policy;
use crate::raw::{digest, document, envelope};
use crate::wait::eventually;

/// The policy that is published again and again.
const NAME: &str = "amount-ceiling";

/// How long a release may take to be enforced everywhere, before something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// Artifacts that the releases alternate between.
const ARTIFACTS: usize = 2;

/// A fleet with a policy in force.
pub struct Fleet {
    etcd: Etcd,
    gateways: Vec<Gateway>,
    artifacts: Vec<Policy>,
}

/// What came of the publishes.
pub struct Published {
    /// From the acknowledgement of each release to a decision by it on every gateway.
    pub enforced: Vec<Duration>,
    /// From each put to its acknowledgement.
    pub put: Vec<Duration>,
    /// From each put to the event of a watch.
    pub floor: Vec<Duration>,
    /// Payments that were decided meanwhile, on all gateways.
    pub payments: u64,
}

/// What the payers of one gateway saw.
#[derive(Default)]
struct Seen {
    payments: AtomicU64,
    /// The sequence that is known to be in force: a decision that begins after that is by it, or by a later one.
    acknowledged: AtomicU64,
}

impl Fleet {
    /// Starts so many gateways, and waits until the first release decides on each.
    ///
    /// # Panics
    /// When one does not.
    #[must_use]
    pub fn start(gateways: usize) -> Self {
        let etcd = Etcd::start();
        let component = std::fs::read(Policy::built(NAME).wasm()).expect("a component");
        // The same rule in other bytes, so that a release brings another artifact that the gateways have compiled before.
        let padded = |index| Policy::of(&component, "").padded(u32::try_from(index).unwrap_or(0) + 1);
        let artifacts: Vec<Policy> = (0..ARTIFACTS).map(padded).collect();
        for artifact in &artifacts {
            etcd.put_artifact(&digest(artifact), artifact);
        }
        let start = || Gateway::start(&etcd.location());
        let gateways = std::iter::repeat_with(start).take(gateways).collect();
        let fleet = Self {
            etcd,
            gateways,
            artifacts,
        };
        fleet.put(1);
        for gateway in &fleet.gateways {
            gateway.wait_for(NAME, 1);
        }
        fleet
    }

    /// Publishes so many releases, one after the other, each when the one before is enforced everywhere, under the load of `payers` on
    /// each gateway.
    ///
    /// # Panics
    /// When a payment fails, when an older release decides after a newer one was seen in force, or when a gateway does not come to a
    /// release.
    #[must_use]
    pub fn publish(&self, releases: u64, payers: usize) -> Published {
        let stop = AtomicBool::new(false);
        let seen: Vec<Seen> = self.gateways.iter().map(|_| Seen::default()).collect();
        let (events, mut watch) = self.watch();
        let (mut enforced, mut put, mut floor) = (Vec::new(), Vec::new(), Vec::new());
        thread::scope(|scope| {
            for (gateway, seen) in self.gateways.iter().zip(&seen) {
                for _ in 0..payers {
                    scope.spawn(|| pay(gateway, seen, &stop));
                }
            }
            let ends = StopsAtEnd(&stop);
            for sequence in 2..=releases + 1 {
                let began = Instant::now();
                self.put(sequence);
                let acknowledged = Instant::now();
                put.push(acknowledged.duration_since(began));
                let waiting = self.gateways.iter().zip(&seen).map(|(gateway, seen)| {
                    scope.spawn(move || until_in_force(gateway, seen, sequence, acknowledged))
                });
                let waiting: Vec<_> = waiting.collect();
                let seen_at = events.recv_timeout(PATIENCE).expect("an event of the watch");
                floor.push(seen_at.saturating_duration_since(began));
                let times = waiting.into_iter().map(|one| one.join().expect("it is enforced"));
                enforced.push(times.max().unwrap_or_default());
            }
            drop(ends);
        });
        drop(watch.kill());
        drop(watch.wait());
        self.have_converged(releases + 1);
        Published {
            enforced,
            put,
            floor,
            payments: seen
                .iter()
                .map(|seen| seen.payments.load(Ordering::Relaxed))
                .sum(),
        }
    }

    /// Puts a release: other parameters each time, and the artifact of the release before the last, which every gateway still holds.
    fn put(&self, sequence: u64) {
        let turn = usize::try_from(sequence).unwrap_or(0) % ARTIFACTS;
        let mut document = document(NAME, sequence, &self.artifacts[turn]);
        // What is measured is not whether a busy machine gives a policy its few milliseconds.
        document["limits"] = json!({"deadline_ms": 1_000});
        document["parameters"] = json!({"ceilings": [format!("CNY={}", 2_000_000 + sequence)]});
        let envelope = envelope(&document).to_string();
        self.etcd
            .put(&format!("/portcullis/v1/policies/{NAME}"), envelope.as_bytes());
    }

    /// When each event of a watch on the policy's key comes.
    fn watch(&self) -> (Receiver<Instant>, Child) {
        let mut watch = self.etcd.etcdctl();
        watch.args(["watch", &format!("/portcullis/v1/policies/{NAME}")]);
        let mut watch = watch.stdout(Stdio::piped()).spawn().expect("etcdctl watches");
        let lines = BufReader::new(watch.stdout.take().expect("its output")).lines();
        let (send, events) = sync_channel(1_024);
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if line == "PUT" && send.send(Instant::now()).is_err() {
                    return;
                }
            }
        });
        // It says nothing when it has begun, so puts are made until one is seen.
        eventually("the watch to begin", || {
            self.put(1);
            events.recv_timeout(Duration::from_millis(200)).ok()
        });
        while events.recv_timeout(Duration::from_millis(500)).is_ok() {}
        (events, watch)
    }

    fn have_converged(&self, sequence: u64) {
        for gateway in &self.gateways {
            let policy = gateway.policy(NAME).expect("it is listed");
            assert_eq!(policy["in_force"]["sequence"], sequence, "{policy}");
            assert_eq!(policy["state"], "in_force", "{policy}");
        }
    }
}

/// Ends the payers also when the publisher panics.
struct StopsAtEnd<'a>(&'a AtomicBool);

impl Drop for StopsAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Pays without a pause.
fn pay(gateway: &Gateway, seen: &Seen, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let acknowledged = seen.acknowledged.load(Ordering::Acquire);
        let answer = gateway.pay(&Payment::ordinary());
        assert_eq!(
            (answer.status, &answer.body["status"]),
            (201, &"authorized".into()),
            "{}",
            answer.text
        );
        let sequence = answer.body["risk"]["policies"][0]["sequence"].as_u64();
        let sequence = sequence.expect("a sequence");
        assert!(
            sequence >= acknowledged,
            "{sequence} decided after {acknowledged} was in force"
        );
        seen.payments.fetch_add(1, Ordering::Relaxed);
    }
}

/// Asks for decisions until one is by this release; how long that took from the acknowledgement.
fn until_in_force(gateway: &Gateway, seen: &Seen, sequence: u64, acknowledged: Instant) -> Duration {
    loop {
        let decided = gateway.post("/v1/risk/decisions", &Payment::ordinary().for_decision());
        assert_eq!(decided.status, 200, "{}", decided.text);
        if decided.body["risk"]["policies"][0]["sequence"] == sequence {
            let elapsed = acknowledged.elapsed();
            seen.acknowledged.fetch_max(sequence, Ordering::Release);
            return elapsed;
        }
        assert!(
            acknowledged.elapsed() < PATIENCE,
            "sequence {sequence} is enforced nowhere"
        );
    }
}
