//! What a document may say of a candidate.

use serde_json::{Value, json};

use super::super::*;
use super::{error_with, value};
use crate::digest::Digest;

/// The candidate of the design.
fn candidate() -> Value {
    json!({
        "artifact": {"digest": Digest::of(b"next").to_string(), "size": 1, "chunks": 1}, "version": "1.5.0",
        "stage": "canary", "percent": 5,
        "gates": {"max_fault_ratio": 0.001, "max_p99_us": 500, "max_decision_drift": 0.02},
    })
}

fn with(candidate: Value) -> PolicyDocument {
    let mut document = value();
    document["candidate"] = candidate;
    PolicyDocument::parse(document.to_string().as_bytes()).unwrap()
}

#[test]
fn the_candidate_of_the_design_is_read_and_written() {
    let document = with(candidate());
    let read = document.candidate.clone().unwrap();
    assert_eq!(read.stage, Stage::Canary(Percent::new(5.0).unwrap()));
    assert_eq!(read.gates.max_fault_ratio, Ratio::new(0.001).unwrap());
    assert_eq!(read.gates.max_p99_us, Some(500));
    assert_eq!(read.gates.max_decision_drift, Ratio::new(0.02));
    assert_eq!(read.gates.minimum_evaluations, DEFAULT_MINIMUM_EVALUATIONS);
    let json = document.to_json();
    assert_eq!(PolicyDocument::parse(&json), Ok(document));
    let text = String::from_utf8(json).unwrap();
    assert!(text.contains(r#""stage":"canary","percent":5,"gates":{"max_fault_ratio":0.001,"max_p99_us":500,"max_decision_drift":0.02,"minimum_evaluations":100}}"#), "{text}");
}

#[test]
fn a_shadow_runs_beside_every_payment_where_nothing_else_is_said() {
    let mut shadow = candidate();
    shadow["stage"] = json!("shadow");
    shadow.as_object_mut().unwrap().remove("percent");
    let read = with(shadow).candidate.unwrap();
    assert_eq!(read.stage, Stage::Shadow(Percent::ALL));
}

#[test]
fn what_a_candidate_may_not_say_is_told_with_its_path() {
    for (pointer, replacement, expected) in [
        ("/stage", json!("beta"), "candidate.stage: unknown variant `beta`"),
        ("/percent", Value::Null, "candidate.percent: missing"),
        ("/percent", json!(0), "candidate.percent: "),
        ("/percent", json!(100.5), "expected a number from 0.01 to 100"),
        (
            "/gates/max_fault_ratio",
            json!(2),
            "candidate.gates.max_fault_ratio: ",
        ),
        ("/gates/max_p99_us", json!(0), "candidate.gates.max_p99_us: "),
        ("/gates/max_p99", json!(1), "candidate.gates.max_p99: "),
        (
            "/gates/minimum_evaluations",
            json!(0),
            "expected a whole number from 1 to 1000000",
        ),
        ("/artifact/chunks", json!(2), "candidate.artifact"),
        ("/priority", json!(1), "candidate.priority: "),
    ] {
        let mut wrong = candidate();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = wrong.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        if replacement.is_null() {
            parent.remove(key);
        } else {
            parent.insert(key.to_owned(), replacement);
        }
        let error = error_with("/candidate", wrong);
        assert!(error.contains(expected), "{pointer}: {error}");
    }
}

#[test]
fn a_promoted_document_has_the_candidates_release_and_nothing_on_trial() {
    let mut changed = candidate();
    changed["parameters"] = json!({"max_count": 9});
    let document = with(changed);
    let promoted = document.promoted().unwrap();
    assert_eq!(promoted.artifact.digest(), &Digest::of(b"next"));
    assert_eq!(promoted.version.as_str(), "1.5.0");
    assert_eq!(
        promoted.parameters.get("max_count"),
        Some(&ParameterValue::Integer(9))
    );
    // What the candidate says nothing about stays.
    assert_eq!(promoted.grants, document.grants);
    assert_eq!(promoted.contract, document.contract);
    assert_eq!(promoted.candidate, None);
    assert_eq!(document.without_candidate(), super::document());
    assert_eq!(super::document().promoted(), None);
}
