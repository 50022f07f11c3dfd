//! The pool that policies run in: what it holds, and what comes when it is full.

use domain::risk::FaultKind;
use wasmtime::Store;

use super::*;
use crate::testing::{Guest, evaluate, patient, small_config};

fn fault_kind(policy: &Policy) -> Option<FaultKind> {
    evaluate(policy, &patient()).result.err().map(|fault| fault.kind)
}

#[test]
fn one_evaluation_more_than_there_may_be_is_unavailable_and_the_next_is_not() {
    let engine = SandboxEngine::new(&small_config(2)).unwrap();
    let policy = Policy::load(&engine, &Guest::new().component()).unwrap();
    let hold = || {
        let digest = Digest::of(b"held");
        let now = Timestamp::from_unix_millis(0);
        let limits = patient();
        let context = EvaluationContext::new(
            Arc::clone(policy.identity()),
            limits.memory_bytes(),
            now,
            "held",
            &digest,
        );
        let mut store = Store::new(engine.wasmtime(), context);
        store.set_epoch_deadline(u64::from(u32::MAX));
        store.set_fuel(limits.fuel()).unwrap();
        policy.linked.instantiate(&mut store).unwrap();
        store
    };
    assert_eq!(fault_kind(&policy), None);
    let first = hold();
    assert_eq!(fault_kind(&policy), None);
    let second = hold();
    for _ in 0..100 {
        assert_eq!(fault_kind(&policy), Some(FaultKind::Unavailable));
    }
    drop(second);
    assert_eq!(fault_kind(&policy), None);
    drop(first);
    assert_eq!(fault_kind(&policy), None);
}

#[test]
fn a_policy_that_is_dropped_gives_its_slots_back() {
    let engine = SandboxEngine::new(&small_config(1)).unwrap();
    for round in 0..50 {
        let guest = Guest::new().with(&format!("(func $round_{round})"));
        let policy = Policy::load(&engine, &guest.component()).unwrap();
        assert_eq!(fault_kind(&policy), None, "in round {round}");
    }
}

#[test]
fn threads_that_evaluate_at_once_do_not_see_each_other() {
    // As many as the pool holds: each counts up in its own memory, from zero.
    let counting = Guest::evaluating(
        "(local $left i32) (local.set $left (i32.const 1000))
        (loop $again
            (i32.store (i32.const 16) (i32.add (i32.load (i32.const 16)) (i32.const 1)))
            (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (call $score (i32.load (i32.const 16)))",
    );
    let engine = SandboxEngine::new(&small_config(4)).unwrap();
    let policy = Policy::load(&engine, &counting.component()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let verdict = evaluate(&policy, &patient()).result.unwrap();
                    assert_eq!(verdict.score.value(), 1000);
                }
            });
        }
    });
}

#[test]
fn a_policy_without_a_document_is_known_by_its_digest() {
    let component = Guest::new().component();
    let policy = crate::testing::load(&component);
    assert_eq!(*policy.digest(), Digest::of(&component));
    assert_eq!(*policy.identity().digest, policy.digest().to_string());
}
