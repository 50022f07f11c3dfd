//! The pool that policies run in: what it holds, and what comes when it is full.

use domain::risk::FaultKind;
use wasmtime::Store;

use super::*;
use crate::contract::request::{Card, Customer, Device, PaymentView};
use crate::testing::{Guest, captured, evaluate, evaluate_view, patient, payment, small_config};

const HOST: &str = "portcullis:policy/host@0.1.0";

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

/// A payment whose every part says something of a person.
fn personal_payment() -> PaymentView<'static> {
    PaymentView {
        card: Some(Card {
            bin: "424242",
            last4: "4242",
            fingerprint: "fp_0123456789abcdef",
            issuer_country: Some("US"),
        }),
        customer: Some(Customer {
            id: Some("cus_8127"),
            email: Some("ada@example.com"),
            billing_country: Some("GB"),
            shipping_country: None,
        }),
        device: Some(Device {
            id: Some("dev_55aa"),
            ip: Some("203.0.113.9"),
            ip_country: None,
            user_agent: Some("Mozilla/5.0"),
        }),
        metadata: vec![("note", "leave it with the neighbour")],
        ..payment("pay_1")
    }
}

#[test]
fn what_a_payment_says_of_a_person_is_in_no_log_and_no_fault() {
    const TEXT: &[u8] = b"fp_0123456789abcdef cus_8127 ada@example.com dev_55aa 203.0.113.9 Mozilla/5.0 \
leave it with the neighbour, GB 4242 pay_1";
    let concealed = format!("{}[concealed], GB 4242 pay_1", "[concealed] ".repeat(6));
    let mut guest = Guest::new();
    let text = guest.data(TEXT);
    let length = TEXT.len();
    let logs = guest
        .importing(HOST, "log", "$log (param i32 i32 i32)")
        .then_evaluating(&format!(
            "(call $log (i32.const 3) (i32.const {text}) (i32.const {length})) (unreachable)"
        ))
        .policy();
    let (fault, lines) = captured(|| {
        let called = evaluate_view(&logs, &patient(), &personal_payment());
        called.said.finish();
        called.result.unwrap_err()
    });
    assert!(fault.detail.starts_with(&concealed), "{}", fault.detail);
    assert!(
        lines.iter().any(|line| line.message.contains(&concealed)),
        "{lines:?}"
    );

    let refuses = Guest::refusing(TEXT).policy();
    let called = evaluate_view(&refuses, &patient(), &personal_payment());
    assert_eq!(*called.result.unwrap_err().detail, *concealed);
}

#[test]
fn golden_cases_that_take_longer_together_than_they_may_are_given_up_after_the_one_at_hand() {
    let case = serde_json::json!({
        "name": "nothing to see",
        "payment": {"id": "p", "merchant_id": "m", "amount": {"minor_units": 1, "currency": "CNY"}, "created_at": 1},
        "decision": {"outcome": "approve", "score": 0, "reasons": []},
    });
    let cases = serde_json::json!({"contract": ContractVersion::V0_1.package(), "cases": [case, case, case]});
    let policy = Guest::new().with_golden_cases(cases.to_string()).policy();
    let mut taken = 0;
    let mut within = |time| {
        policy.each_golden_case_within(time, &patient(), |_, tried| {
            taken += 1;
            Ok(tried.result?)
        })
    };
    assert_eq!(within(GOLDEN_CASES_TIME), Ok(3));
    let error = within(Duration::ZERO).unwrap_err();
    assert_eq!((error.code(), taken), ("golden_cases_too_slow", 4));
    assert!(error.is_of_the_moment());
}
