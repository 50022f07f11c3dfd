//! Two evaluations share nothing. A pool of one instance, whose one slot every evaluation gets, and a guest that takes a
//! fingerprint of all that it finds and then spoils all that it can reach: whatever ran before, and however it ended, the
//! fingerprint is that of the very first evaluation in a pool that nobody used.

use std::sync::Arc;

use application::ports::PolicySnapshot;
use domain::Timestamp;
use domain::risk::{EvaluationResult, Fault, FaultKind, PolicyEvaluation, Signal, Verdict};
use prometheus_client::registry::Registry;
use serde_json::json;
use testkit::builders::risk_request;

use super::HOST;
use crate::config::Config;
use crate::document::Limits;
use crate::document::limits::{MAX_DEADLINE_MS, MAX_FUEL, MAX_MEMORY_BYTES};
use crate::engine::SandboxEngine;
use crate::lane::Lane;
use crate::metrics::HostMetrics;
use crate::policy::Policy;
use crate::policy_set::{InForce, PolicySet};
use crate::quarantine::{Quarantine, QuarantineConfig};
use crate::release::Release;
use crate::testing::{Guest, Hand, PAID_AT, document, evaluate_payment, fuel, small_config, supervision};

/// Ends as it is told by the first letter of the payment's id: `l` loops, `t` traps, `c` computes for longer than a policy
/// may hold a payment's thread.
const ENDING: &str = "
    (if (i32.eq (local.get $kind) (i32.const 108)) (then (loop $again (br $again))))
    (if (i32.eq (local.get $kind) (i32.const 116)) (then (unreachable)))
    (if (i32.eq (local.get $kind) (i32.const 99)) (then
        (local.set $left (i32.const 20000000))
        (loop $again (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))))";

/// What the fingerprint is made of, and what it is spoiled with.
const ITEMS: &str = r#"
    (global $count (mut i32) (i32.const 7)) (global $wide (mut i64) (i64.const -7))
    (global $real (mut f64) (f64.const 0.7)) (global $rule (mut funcref) (ref.null func))
    (table $rules 8 64 funcref) (elem (table $rules) (i32.const 2) func $one $two)
    (elem $more func $two) (data $spare "as it was")
    (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))
    (func $entry (param $at i32) (result i64)
        (if (result i64) (ref.is_null (table.get $rules (local.get $at)))
            (then (i64.const 0))
            (else (i64.extend_i32_u (call_indirect $rules (result i32) (local.get $at))))))
    (func $mix (param $hash i64) (param $value i64) (result i64)
        (i64.mul (i64.rotl (i64.xor (local.get $hash) (local.get $value)) (i64.const 29))
            (i64.const 0x100000001b3)))
    (func $memory_hash (result i64)
        (local $at i32) (local $hash i64)
        (loop $next
            (local.set $hash (call $mix (local.get $hash) (i64.load (local.get $at))))
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (br_if $next (i32.lt_u (local.get $at) (i32.shl (memory.size) (i32.const 16)))))
        (local.get $hash))
    (func $rest_hash (result i64)
        (local $at i32) (local $hash i64)
        (memory.init $spare (i32.const 512) (i32.const 0) (i32.const 9))
        (table.init $rules $more (i32.const 5) (i32.const 0) (i32.const 1))
        (local.set $hash (call $mix (i64.load (i32.const 512)) (i64.extend_i32_u (memory.size))))
        (local.set $hash (call $mix (local.get $hash) (i64.extend_i32_u (global.get $count))))
        (local.set $hash (call $mix (local.get $hash) (global.get $wide)))
        (local.set $hash (call $mix (local.get $hash) (i64.reinterpret_f64 (global.get $real))))
        (local.set $hash (call $mix (local.get $hash) (i64.extend_i32_u (ref.is_null (global.get $rule)))))
        (loop $next
            (local.set $hash (call $mix (local.get $hash) (call $entry (local.get $at))))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $at) (table.size $rules))))
        (call $mix (local.get $hash) (i64.extend_i32_u (table.size $rules))))
    (func $spoil
        (local $left i32)
        (drop (memory.grow (i32.const 28)))
        (memory.fill (i32.const 0) (i32.const 0x61) (i32.shl (memory.size) (i32.const 16)))
        (drop (table.grow $rules (ref.func $one) (i32.const 9)))
        (table.fill $rules (i32.const 0) (ref.func $two) (table.size $rules))
        (global.set $count (i32.const -1)) (global.set $wide (i64.const 1))
        (global.set $real (f64.const -1)) (global.set $rule (ref.func $one))
        (data.drop $spare) (elem.drop $more)
        (local.set $left (i32.const 32))
        (loop $next
            (drop (call $draw))
            (call $signal (i32.const 0) (i32.const 64) (i32.const 0) (i32.const 512))
            (call $log (i32.const 2) (i32.const 0) (i32.const 500))
            (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))"#;

/// The guest: its answer is a hash of its whole memory (the request in it), one of its globals, tables and segments, and
/// what it drew first.
fn seer() -> Guest {
    looking(ITEMS, "")
}

/// The same of these items, after this.
fn looking(items: &str, before: &str) -> Guest {
    Guest::new()
        .memory("4 64")
        .importing(HOST, "log", "$log (param i32 i32 i32)")
        .importing(HOST, "emit-signal", "$signal (param i32 i32 i32 i32)")
        .importing("wasi:random/random@0.2.0", "get-random-u64", "$draw (result i64)")
        .with(items)
        .then_evaluating(&format!(
            "(local $memory i64) (local $rest i64) (local $drawn i64) (local $kind i32) (local $left i32)
            (local.set $kind (i32.load8_u (i32.load (local.get $request))))
            {before}
            (local.set $memory (call $memory_hash))
            (local.set $rest (call $rest_hash))
            (local.set $drawn (call $draw))
            (call $spoil)
            {ENDING}
            (memory.fill (i32.const 0) (i32.const 0) (i32.const 8192))
            (global.set $heap (i32.const 64))
            (i64.store (i32.const 16) (local.get $memory))
            (i64.store (i32.const 24) (local.get $rest))
            (i64.store (i32.const 32) (local.get $drawn))
            (call $observe (i32.const 16) (i32.const 24))"
        ))
}

/// Another policy, which lies in the slot otherwise: other code, more memory, another image.
fn other_seer() -> Guest {
    let mut guest = seer().memory("9 64").with("(func $another_digest)");
    guest.data(&[0x5a; 70_000]);
    guest
}

/// As much memory as it can get, all of it written.
fn hoarder() -> Guest {
    Guest::evaluating(
        "(loop $more
            (memory.fill (i32.const 8192) (i32.const 255)
                (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 8192)))
            (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
        (unreachable)",
    )
}

/// A pool of one instance.
fn pool_of_one() -> SandboxEngine {
    let config = Config {
        max_warm_instances: 0,
        ..small_config(1)
    };
    SandboxEngine::new(&config).unwrap()
}

/// That all memories so far were in one slot.
#[track_caller]
fn assert_one_slot(engine: &SandboxEngine) {
    let pool = engine.wasmtime().pooling_allocator_metrics().unwrap();
    assert_eq!((pool.memories(), pool.unused_warm_memories()), (0, 1));
}

fn policy(engine: &SandboxEngine, guest: &Guest) -> Policy {
    Policy::load(engine, &guest.component()).unwrap()
}

/// What came of an evaluation: all but the time and the log.
#[derive(Debug, PartialEq)]
struct Seen {
    result: Result<Verdict, Fault>,
    signals: Vec<Signal>,
    fuel_used: u64,
}

impl Seen {
    /// A part of the fingerprint: memory, the rest of the instance, what was drawn.
    fn part(&self, index: usize) -> &str {
        &self.result.as_ref().unwrap().reasons[0].message[16 * index..16 * (index + 1)]
    }
}

fn seen(policy: &Policy, limits: &Limits, payment_id: &str) -> Seen {
    let called = evaluate_payment(policy, limits, payment_id);
    Seen {
        result: called.result,
        signals: called.said.finish(),
        fuel_used: called.fuel_used,
    }
}

fn ordinary(policy: &Policy) -> Seen {
    seen(policy, &fuel(MAX_FUEL), "pay_1")
}

/// What the very first evaluation of a pool sees.
fn seen_first(guest: &Guest) -> Seen {
    let seen = ordinary(&policy(&pool_of_one(), guest));
    let verdict = seen.result.as_ref().unwrap();
    assert_eq!(verdict.reasons[0].message.len(), 48);
    assert_eq!(seen.signals.len(), 32);
    seen
}

#[test]
fn a_fingerprint_tells_policies_payments_and_what_was_spoiled_apart() {
    let first = seen_first(&seer());
    assert_ne!(first, seen_first(&other_seer()));
    let other_payment = seen(&policy(&pool_of_one(), &seer()), &fuel(MAX_FUEL), "pay_2");
    assert_ne!(
        other_payment.part(0),
        first.part(0),
        "the memory holds the request"
    );
    assert_eq!(
        other_payment.part(1),
        first.part(1),
        "globals, tables and segments do not"
    );
    assert_ne!(
        other_payment.part(2),
        first.part(2),
        "random bytes follow from the payment"
    );
    // Of dropped segments nothing could be read, and no more signals may be given; all the rest shows.
    let items = ITEMS.replace("(data.drop $spare) (elem.drop $more)", "").replace(
        "(call $signal (i32.const 0) (i32.const 64) (i32.const 0) (i32.const 512))",
        "",
    );
    let spoiled = ordinary(&policy(&pool_of_one(), &looking(&items, "(call $spoil)")));
    for part in 0..3 {
        assert_ne!(spoiled.part(part), first.part(part), "{part}");
    }
}

#[test]
fn whatever_ran_in_the_slot_before_the_next_one_sees_what_the_first_saw() {
    let first = [seen_first(&seer()), seen_first(&other_seer())];
    let engine = pool_of_one();
    let seers = [policy(&engine, &seer()), policy(&engine, &other_seer())];
    let hoarder = policy(&engine, &hoarder());
    let whole = fuel(MAX_FUEL);
    // Time enough to spoil everything first.
    let short = Limits::new(MAX_FUEL, 50, MAX_MEMORY_BYTES).unwrap();
    let default_memory = Limits::new(MAX_FUEL, MAX_DEADLINE_MS, Limits::default().memory_bytes()).unwrap();
    let look = |after: &str| {
        for _ in 0..2 {
            for (seer, first) in seers.iter().zip(&first) {
                assert_eq!(ordinary(seer), *first, "after {after}");
            }
        }
    };
    look("nothing");
    for (spoiler, first) in seers.iter().zip(&first) {
        // Cut off at every stage of looking and spoiling.
        for part in 1..24 {
            let cut = seen(spoiler, &fuel(first.fuel_used * part / 24), "pay_1");
            assert_eq!(cut.result.unwrap_err().kind, FaultKind::OutOfFuel);
            look("one that ran out of fuel");
        }
        for (payment_id, limits, kind) in [
            ("trap", &whole, FaultKind::Trap),
            ("loop", &short, FaultKind::Deadline),
        ] {
            let faulted = seen(spoiler, limits, payment_id);
            assert_eq!(faulted.result.unwrap_err().kind, kind);
            look(payment_id);
        }
        assert!(seen(spoiler, &whole, "compute").result.is_ok());
        look("one that took its time");
    }
    let hoarded = seen(&hoarder, &default_memory, "pay_1").result.unwrap_err();
    assert_eq!(hoarded.kind, FaultKind::OutOfMemory);
    look("one that took all memory there is");
    assert_one_slot(&engine);
}

#[test]
fn policies_that_come_and_go_leave_nothing_in_the_slot() {
    let first = seen_first(&seer());
    let engine = pool_of_one();
    for round in 0..8 {
        let passing = policy(&engine, &other_seer().with(&format!("(func $round_{round})")));
        assert!(ordinary(&passing).result.is_ok());
        drop(passing);
        assert_eq!(ordinary(&policy(&engine, &seer())), first, "in round {round}");
    }
    assert_one_slot(&engine);
}

#[tokio::test]
async fn a_thread_of_the_lane_and_the_payment_s_own_leave_nothing_to_each_other() {
    let first = [seen_first(&seer()), seen_first(&other_seer())];
    let engine = pool_of_one();
    let seers = [seer(), other_seer()].map(|guest| Arc::new(policy(&engine, &guest)));
    let lane = Lane::start(1).unwrap();
    let takes = std::time::Duration::from_millis(u64::from(MAX_DEADLINE_MS));
    for _ in 0..10 {
        for (seer, first) in seers.iter().zip(&first) {
            assert_eq!(ordinary(seer), *first, "on this thread");
            let job = {
                let seer = Arc::clone(seer);
                move || ordinary(&seer)
            };
            assert_eq!(lane.run(takes, job).await.unwrap(), *first, "on the lane");
        }
    }
    assert_one_slot(&engine);
}

/// A release of a policy that is loaded, fresh: it does not know yet that it is slow.
fn in_force(name: &str, policy: &Arc<Policy>, component: &[u8]) -> InForce {
    let document = document(
        name,
        component,
        &json!({"limits": {"fuel": MAX_FUEL, "deadline_ms": MAX_DEADLINE_MS}}),
    );
    let metrics = HostMetrics::register(&mut Registry::default()).of_policy(name);
    let supervision = supervision(QuarantineConfig::default(), &Hand::default());
    let quarantine = Quarantine::new(supervision, document.limits.deadline());
    let since = Timestamp::from_unix_millis(PAID_AT);
    let release = Release::new(Arc::clone(policy), &document, since, metrics, quarantine).unwrap();
    InForce {
        release: Arc::new(release),
        previous: None,
        candidate: None,
    }
}

/// Verdict, signals and fuel of each policy.
fn told(evaluations: Vec<PolicyEvaluation>) -> Vec<(Verdict, Vec<Signal>, u64)> {
    let told = |evaluation: PolicyEvaluation| match evaluation.result {
        EvaluationResult::Verdict(verdict) => (verdict, evaluation.signals, evaluation.fuel_used),
        EvaluationResult::Fault { fault, .. } => panic!("{}: {}", fault.kind, fault.detail),
    };
    evaluations.into_iter().map(told).collect()
}

#[tokio::test]
async fn a_run_that_is_interrupted_and_run_again_on_the_lane_leaves_nothing_behind() {
    let guests = [seer(), other_seer()];
    let lane = Arc::new(Lane::start(1).unwrap());
    let decide = async |releases: Vec<InForce>, payment_id: &str| {
        let set = PolicySet::new(1, releases, Arc::clone(&lane), Arc::clone(&lane));
        told(
            set.evaluate(&risk_request(payment_id).build().borrow(), &[])
                .await,
        )
    };
    for payment_id in ["pay_1", "compute"] {
        let mut first = Vec::new();
        for guest in &guests {
            let policy = Arc::new(policy(&pool_of_one(), guest));
            first.extend(decide(vec![in_force("alone", &policy, &guest.component())], payment_id).await);
        }
        let engine = pool_of_one();
        let [one, two] = guests
            .each_ref()
            .map(|guest| (Arc::new(policy(&engine, guest)), guest.component()));
        for _ in 0..4 {
            let releases = [
                ("alpha", &one),
                ("bravo", &two),
                ("charlie", &one),
                ("delta", &two),
            ];
            let releases = releases.map(|(name, (policy, component))| in_force(name, policy, component));
            let decided = decide(releases.into(), payment_id).await;
            assert_eq!(decided[..2], first[..]);
            assert_eq!(decided[2..], first[..]);
        }
        assert_one_slot(&engine);
    }
}
