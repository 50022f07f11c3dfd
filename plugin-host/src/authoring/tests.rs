//! What an author is told of an artifact.

use domain::feature::Subject;
use serde_json::json;

use super::*;
use crate::component::ArtifactFormatError;
use crate::testing::{Description, Guest, captured, document, evaluate, load, patient};

fn described() -> Guest {
    let velocity = |measure| FeatureSpec::Velocity {
        subject: Subject::Card,
        measure,
        filter: PaymentFilter::Declined,
        window_seconds: 3600,
    };
    let description = Description::of("declines what is too much")
        .reading(Description::CARD | Description::METADATA)
        .feature("count", &velocity(VelocityMeasure::Count))
        .feature("amount", &velocity(VelocityMeasure::Amount))
        .feature("countries", &velocity(VelocityMeasure::Distinct(Subject::Ip)))
        .feature(
            "stolen",
            &FeatureSpec::Listed {
                list: "stolen-cards".into(),
                subject: Subject::Card,
            },
        )
        .parameter("max_count", ParameterValue::Integer(5));
    Guest::new()
        .importing("wasi:cli/exit@0.2.0", "exit", "$exit (param i32)")
        .described(&description)
        .with_golden_cases(r#"{"contract": "portcullis:policy@0.1.0", "cases": []}"#)
}

#[test]
fn a_component_is_shown_with_what_it_is_and_what_it_asks_for() {
    let component = described().component();
    let inspection = Workbench::new().unwrap().inspect(&component);
    assert_eq!(inspection.kind, Some(ArtifactKind::Component));
    assert_eq!(inspection.size_bytes, component.len());
    assert_eq!(inspection.digest, Digest::of(&component));
    assert_eq!(inspection.exports, ["describe", "evaluate"]);
    assert!(inspection.imports.contains(&"wasi:cli/exit@0.2.0".to_owned()));
    let policy = inspection.policy.unwrap();
    assert_eq!(policy.summary, "declines what is too much");
    assert_eq!(policy.reads, ["card", "metadata"]);
    let features: Vec<&str> = policy.features.iter().map(|(_, what)| &**what).collect();
    assert_eq!(
        features,
        [
            "count of declined payments per card within 3600 s",
            "amount of declined payments per card within 3600 s",
            "distinct ip among declined payments per card within 3600 s",
            "whether the card is on list `stolen-cards`",
        ]
    );
    assert_eq!(
        policy.parameters,
        [("max_count".to_owned(), ParameterValue::Integer(5))]
    );
    assert_eq!(policy.golden_cases, 0);
}

#[test]
fn what_is_wrong_with_an_artifact_is_part_of_the_answer() {
    let workbench = Workbench::new().unwrap();
    let script = workbench.inspect(b"#!/bin/sh");
    assert_eq!(script.kind, None);
    assert!(matches!(
        script.policy,
        Err(LoadError::NotAComponent(ArtifactFormatError::NotWasm { .. }))
    ));
    let empty = workbench.inspect(&wat::parse_str("(component)").unwrap());
    assert_eq!(empty.kind, Some(ArtifactKind::Component));
    assert!(empty.exports.is_empty());
    assert_eq!(empty.policy.unwrap_err().code(), "contract_mismatch");
    let broken = workbench.inspect(b"\0asm\x0d\0\x01\0\xff\xff");
    assert_eq!(broken.policy.unwrap_err().code(), "not_compilable");
    let stranger = workbench.inspect(&wat::parse_str("(module (import \"env\" \"abort\" (func)))").unwrap());
    assert_eq!(stranger.kind, Some(ArtifactKind::CoreModule));
    assert_eq!(stranger.policy.unwrap_err().code(), "not_a_component");
}

/// A core module that was built for `wasm32-wasip1`: it writes with preview 1.
fn preview_1() -> Guest {
    let mut guest = Guest::new();
    let text = guest.data(b"from preview 1\n");
    guest
        .importing(
            "wasi_snapshot_preview1",
            "fd_write",
            "$fd_write (param i32 i32 i32 i32) (result i32)",
        )
        .then_evaluating(&format!(
            "(i32.store (i32.const 16) (i32.const {text})) (i32.store (i32.const 20) (i32.const 15))
            (call $score (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 32)))"
        ))
}

#[test]
fn a_core_module_is_turned_into_a_policy_by_the_adapter() {
    let module = preview_1().core_module();
    let inspection = Workbench::new().unwrap().inspect(&module);
    assert_eq!(inspection.kind, Some(ArtifactKind::CoreModule));
    assert_eq!(inspection.digest, Digest::of(&module));
    inspection.policy.unwrap();
    let policy = load(&component::componentize(&module).unwrap());
    let (verdict, lines) = captured(|| {
        let called = evaluate(&policy, &patient());
        called.said.finish();
        called.result.unwrap()
    });
    assert_eq!(verdict.score.value(), 0);
    assert_eq!(lines[0].message, "guest: from preview 1");
}

#[test]
fn a_component_is_verified_as_every_node_does() {
    let workbench = Workbench::new().unwrap();
    let case = json!({
        "name": "nothing to see",
        "payment": {"id": "p", "merchant_id": "m", "amount": {"minor_units": 1, "currency": "CNY"}, "created_at": 1},
        "decision": {"outcome": "approve", "score": 0, "reasons": []},
    });
    let contract = ContractVersion::V0_1.package();
    let cases = json!({"contract": contract, "cases": [case, case]}).to_string();
    let component = Guest::new().with_golden_cases(cases).component();
    let policy = workbench.load(&component).unwrap();
    assert_eq!(policy.contract(), ContractVersion::V0_1);
    let verify = |otherwise| policy.verify(&document("tested", &component, &otherwise));
    assert_eq!(verify(json!({})), Ok(2));
    let unknown = verify(json!({"parameters": {"max": 1}})).unwrap_err();
    assert_eq!(unknown.code(), "unknown_parameter");
    let starved = verify(json!({"limits": {"fuel": 1}})).unwrap_err();
    assert_eq!(starved.code(), "golden_case_failed");
}
