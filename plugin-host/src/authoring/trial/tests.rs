//! What an author is told of each golden case.

use domain::risk::{FaultKind, Outcome};
use serde_json::{Value, json};

use crate::authoring::tests::workbench;
use crate::digest::Digest;
use crate::document::Limits;
use crate::testing::Guest;

const HOST: &str = "portcullis:policy/host@0.1.0";

fn case(name: &str, expected: &(&str, Value)) -> Value {
    let payment = json!({"id": "p", "merchant_id": "m", "amount": {"minor_units": 1, "currency": "CNY"}, "created_at": 1});
    json!({"name": name, "payment": payment, (expected.0): expected.1})
}

fn score(score: u16) -> (&'static str, Value) {
    (
        "decision",
        json!({"outcome": "approve", "score": score, "reasons": []}),
    )
}

/// Signals, and approves with a score of 7.
fn signalling(cases: &[Value]) -> Vec<u8> {
    let mut guest = Guest::new();
    let text = guest.data(b"seen");
    guest
        .importing(HOST, "emit-signal", "$signal (param i32 i32 i32 i32)")
        .then_evaluating(&format!(
            "(call $signal (i32.const {text}) (i32.const 4) (i32.const {text}) (i32.const 2))
            (call $score (i32.const 7))"
        ))
        .with_golden_cases(json!({"contract": "portcullis:policy@0.1.0", "cases": cases}).to_string())
        .component()
}

#[tokio::test]
async fn every_case_is_tried_and_what_came_is_told() {
    let mut off = case("off", &score(7));
    off["parameters"] = json!({"max": 1});
    let component = signalling(&[
        case("right", &score(7)),
        case("wrong", &score(8)),
        off,
        case("an error", &("error", json!("no rates"))),
        case("right again", &score(7)),
    ]);
    let policy = workbench().load(&component).await.unwrap();
    assert_eq!(*policy.digest(), Digest::of(&component));
    let trial = policy.try_golden_cases(&Limits::default());
    assert_eq!((trial.failed(), trial.refused.is_none()), (3, true));
    let told: Vec<_> = trial
        .cases
        .iter()
        .map(|case| (&*case.name, case.difference.as_deref().unwrap_or("none")))
        .collect();
    assert_eq!(
        told,
        [
            ("right", "none"),
            ("wrong", "score: expected 8, found 7"),
            ("off", "parameters.max: the policy has no such parameter"),
            ("an error", "expected the error `no rates`, found approve"),
            ("right again", "none"),
        ]
    );
    assert!(trial.cases[2].run.is_none());
    for index in [0, 1, 3, 4] {
        let run = trial.cases[index].run.as_ref().unwrap();
        let verdict = run.result.as_ref().unwrap();
        assert_eq!((verdict.outcome, verdict.score.value()), (Outcome::Approve, 7));
        assert_eq!((&*run.signals[0].code, &*run.signals[0].detail), ("seen", "se"));
        assert!(run.fuel_used > 0);
        assert_eq!(run.fuel_used, trial.cases[0].run.as_ref().unwrap().fuel_used);
        assert!(!run.elapsed.is_zero());
    }
}

#[tokio::test]
async fn cases_run_within_the_limits_and_a_fault_is_told_with_its_kind() {
    let component = signalling(&[case("right", &score(7))]);
    let policy = workbench().load(&component).await.unwrap();
    let most = Limits::default();
    let starved = Limits::new(5, most.deadline_ms(), most.memory_bytes()).unwrap();
    let trial = policy.try_golden_cases(&starved);
    assert_eq!(trial.failed(), 1);
    let run = trial.cases[0].run.as_ref().unwrap();
    let fault = run.result.as_ref().unwrap_err();
    assert_eq!(fault.kind, FaultKind::OutOfFuel);
    let difference = trial.cases[0].difference.as_deref().unwrap();
    assert!(difference.contains("out_of_fuel"), "{difference}");
}

#[tokio::test]
async fn without_golden_cases_there_is_nothing_to_try() {
    let component = Guest::new().component();
    let policy = workbench().load(&component).await.unwrap();
    let trial = policy.try_golden_cases(&Limits::default());
    assert!(trial.cases.is_empty() && trial.refused.is_none());
}
