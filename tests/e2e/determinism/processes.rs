//! Golden cases in many processes, each with another environment, and the policies in both orders: in the other one instances
//! get other slots of the pool, and machine code lies elsewhere.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use portcullis_tests::Policy;
use portcullis_tests::build::portcullis;
use serde_json::{Value, json};

use super::SAMPLES;

/// Processes at a time: one alone leaves a processor idle while it starts and links.
const AT_A_TIME: usize = 2;

/// What every process found must be that of the first, by policy: each case's verdict or fault, signals and fuel.
type Found = BTreeMap<String, Value>;

/// A payment, and what a guest that throws dice cannot know before.
fn thrown(name: &str, payment_id: &str, created_at: u64) -> Value {
    json!({
        "name": name,
        "payment": {"id": payment_id, "merchant_id": "m_1", "created_at": created_at,
                    "amount": {"minor_units": 12_900, "currency": "CNY"}},
        "error": "nobody knows what the dice say",
    })
}

/// A policy that scores by everything that is not in the request. What it draws follows from its digest, which covers its
/// golden cases: so these never come out, and what came is compared.
fn dice() -> Policy {
    let cases = [
        thrown("a payment", "pay_1", 1_770_000_000_123),
        thrown("the same again", "pay_1", 1_770_000_000_123),
        thrown("another", "pay_2", 1_770_000_000_123),
        thrown("the first, later", "pay_1", 1_770_000_000_124),
    ];
    Policy::misbehaving("throws-dice")
        .with_golden_cases(&json!({"contract": "portcullis:policy@0.1.0", "cases": cases}))
}

/// Runs all golden cases of these policies in a process of its own.
fn found(policies: &[(&'static str, Policy)], round: usize) -> Found {
    let mut command = Command::new(portcullis());
    command.args(["policy", "test", "--output", "json"]);
    let files: Vec<_> = policies.iter().map(|(_, policy)| policy.wasm()).collect();
    if round.is_multiple_of(2) {
        command.args(&files);
    } else {
        command.args(files.iter().rev());
    }
    // What dice look at, were it there; and by its length it moves the stack of the process.
    command
        .env("ROUND", "x".repeat(round % 256))
        .env("SEED", round.to_string());
    let output = command.output().expect("the command runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let tested: Result<Value, _> = serde_json::from_slice(&output.stdout);
    assert!(tested.is_ok(), "{said}");
    let tested = tested.expect("JSON");
    let by_file = |path: &std::path::Path| {
        let file = path.display().to_string();
        let artifacts = tested["artifacts"].as_array().expect("artifacts");
        let artifact = artifacts.iter().find(|artifact| artifact["file"] == file);
        artifact.expect("it was tested").clone()
    };
    policies
        .iter()
        .map(|(name, policy)| ((*name).to_owned(), without_times(by_file(&policy.wasm()))))
        .collect()
}

/// What a process found, and how long it took left out.
fn without_times(mut artifact: Value) -> Value {
    for case in artifact["cases"].as_array_mut().expect("cases") {
        let elapsed = case.as_object_mut().expect("a case").remove("elapsed_us");
        assert!(elapsed.is_some_and(|elapsed| elapsed.is_u64()), "{case}");
    }
    artifact
}

fn assert_same_in_processes(processes: usize) {
    let mut policies: Vec<(&str, Policy)> = SAMPLES.map(|name| (name, Policy::built(name))).into();
    policies.push(("dice", dice()));
    let first = found(&policies, 0);
    for name in SAMPLES {
        let cases = first[name]["cases"].as_array().expect("cases");
        assert!(!cases.is_empty());
        for case in cases {
            assert_eq!(case["passed"], true, "{name}: {case}");
            assert!(case["fuel_used"].as_u64() > Some(0), "{name}: {case}");
        }
    }
    let next = AtomicUsize::new(1);
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let round = next.fetch_add(1, Ordering::Relaxed);
                    if round >= processes {
                        break;
                    }
                    assert_eq!(found(&policies, round), first, "in process {round}");
                }
            });
        }
    });
}

#[test]
fn sample_policies_and_dice_answer_the_same_in_every_process_and_order() {
    assert_same_in_processes(20);
}

#[test]
#[ignore = "takes minutes; run by `make determinism`"]
fn sample_policies_and_dice_answer_the_same_in_a_thousand_processes() {
    assert_same_in_processes(1_000);
}

#[test]
fn dice_fall_the_same_for_the_same_payment_and_otherwise_for_another() {
    let found = found(&[("dice", dice())], 0);
    let cases = found["dice"]["cases"].as_array().expect("cases");
    let [first, again, other, later] = &cases[..] else {
        panic!("{cases:?}")
    };
    for what in ["verdict", "signals", "fuel_used"] {
        assert_eq!(first[what], again[what], "{what}");
    }
    let reason = |case: &Value, code: &str| {
        let reasons = case["verdict"]["reasons"].as_array().expect("reasons").clone();
        let reason = reasons.iter().find(|reason| reason["code"] == code);
        reason.expect("it says so")["message"].clone()
    };
    // Another payment: other random bytes, and so another order of what is hashed.
    for code in ["dice.map", "dice.set"] {
        assert_ne!(reason(first, code), reason(other, code), "{code}");
    }
    assert_ne!(first["signals"], other["signals"]);
    assert_ne!(
        reason(first, "dice.map"),
        reason(first, "dice.set"),
        "each map has a seed of its own"
    );
    // A millisecond later: the clocks and nothing else.
    assert_ne!(reason(first, "dice.clocks"), reason(later, "dice.clocks"));
    assert_eq!(first["signals"], later["signals"]);
    for code in ["dice.map", "dice.set"] {
        assert_eq!(reason(first, code), reason(later, code), "{code}");
    }
    for case in cases {
        assert_eq!(reason(case, "dice.world"), reason(first, "dice.world"));
        let world = reason(case, "dice.world").to_string();
        assert!(world.contains("[] []"), "no variables and no arguments: {world}");
    }
}
