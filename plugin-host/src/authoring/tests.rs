//! What an author is told of an artifact.

use domain::feature::{FeatureSpec, PaymentFilter, Subject, VelocityMeasure};
use domain::risk::Outcome;
use serde_json::json;

use super::*;
use crate::component::{self, ArtifactFormatError, ArtifactKind};
use crate::contract::check::ImportKind;
use crate::digest::Digest;
use crate::document::ParameterValue;
use crate::testing::{Answer, Description, Guest, captured, document, engine, evaluate, load, patient};

/// Compiles in this process: there is no program to start.
pub(super) fn workbench() -> Workbench {
    let engine = engine().clone();
    Workbench {
        compiler: Compiler::Here(engine.clone()),
        engine,
    }
}

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

#[tokio::test]
async fn a_component_is_shown_with_what_it_is_and_what_it_asks_for() {
    let component = described().component();
    let inspection = workbench().inspect(&component).await;
    assert_eq!(inspection.kind, Some(ArtifactKind::Component));
    assert_eq!(inspection.size_bytes, component.len());
    assert_eq!(inspection.digest, Digest::of(&component));
    assert_eq!(inspection.exports, ["describe", "evaluate"]);
    let imports: Vec<(&str, ImportKind)> = inspection
        .imports
        .iter()
        .map(|import| (&*import.name, import.kind))
        .collect();
    assert!(
        imports.contains(&("wasi:cli/exit@0.2.0", ImportKind::VirtualWasi)),
        "{imports:?}"
    );
    assert!(
        imports.contains(&("portcullis:policy/types@0.1.0", ImportKind::Contract)),
        "{imports:?}"
    );
    assert_eq!(inspection.contract, Some(ContractVersion::V0_1));
    assert_eq!(inspection.refusals, []);
    assert!(inspection.provenance.producers.contains_key("processed-by"));
    assert!(
        inspection.provenance.has_function_names,
        "the text names its functions"
    );
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

fn codes(inspection: &Inspection) -> Vec<&'static str> {
    inspection.refusals.iter().map(LoadError::code).collect()
}

#[tokio::test]
async fn all_that_an_artifact_would_be_refused_for_is_told_at_once() {
    let workbench = workbench();
    let guest = Guest::new()
        .for_contract_with("score: u16", "score: u32")
        .importing_function("steal")
        .memory("4112")
        .with_golden_cases("[]");
    let inspection = workbench.inspect(&guest.component()).await;
    assert_eq!(
        codes(&inspection),
        ["golden_cases_unreadable", "forbidden_import", "not_compilable"]
    );
    let message = inspection.refusals[1].to_string();
    assert!(
        message.contains("imports `steal`") && message.contains("evaluate.result.ok.score"),
        "{message}"
    );
    assert_eq!(inspection.contract, None);
    let kinds: Vec<ImportKind> = inspection.imports.iter().map(|import| import.kind).collect();
    assert!(
        kinds.contains(&ImportKind::Forbidden) && kinds.contains(&ImportKind::Contract),
        "{kinds:?}"
    );
}

#[tokio::test]
async fn a_policy_that_says_too_much_or_fails_its_cases_is_told_so() {
    let workbench = workbench();
    let wordy = Guest::new().described(&Description::of(&"x".repeat(1_000)));
    assert_eq!(
        codes(&workbench.inspect(&wordy.component()).await),
        ["invalid_descriptor"]
    );
    let case = json!({
        "name": "approves", "decision": {"outcome": "approve", "score": 0, "reasons": []},
        "payment": {"id": "p", "merchant_id": "m", "amount": {"minor_units": 1, "currency": "CNY"}, "created_at": 1},
    });
    let cases = json!({"contract": ContractVersion::V0_2.package(), "cases": [case]}).to_string();
    let declining = Guest::answering(&Answer::of(Outcome::Decline, 1)).with_golden_cases(cases);
    let newer = declining.clone().built_for(ContractVersion::V0_2);
    let inspection = workbench.inspect(&newer.component()).await;
    assert_eq!(codes(&inspection), ["golden_case_failed"]);
    assert_eq!(inspection.policy.unwrap().golden_cases, 1);
    let older = workbench.inspect(&declining.component()).await;
    assert_eq!(codes(&older), ["golden_cases_unreadable", "golden_case_failed"]);
}

#[tokio::test]
async fn bytes_that_were_tampered_with_or_cut_off_are_looked_into_all_the_same() {
    /// Places that are tried: each compiles what is left to compile.
    const PLACES: usize = 150;
    let workbench = workbench();
    let whole = described().component();
    let step = whole.len() / PLACES;
    let mut refused = 0;
    for place in (0..whole.len()).step_by(step) {
        let mut tampered = whole.clone();
        tampered[place] ^= 0x55;
        refused += workbench.inspect(&tampered).await.refusals.len();
        let cut = workbench.inspect(&whole[..place]).await;
        assert!(!cut.refusals.is_empty(), "cut at {place}");
        assert!(!codes(&cut).contains(&"load_panicked"), "cut at {place}");
    }
    assert!(refused > PLACES / 4, "{refused}");
}

#[tokio::test]
async fn a_component_of_more_names_than_are_listed_says_how_many_more() {
    let imports: String = (0..300)
        .map(|index| format!("(import \"thing-{index}\" (func))"))
        .collect();
    let component = wat::parse_str(format!("(component {imports})")).unwrap();
    let inspection = workbench().inspect(&component).await;
    assert_eq!((inspection.imports.len(), inspection.more_names), (256, 44));
    assert!(
        inspection
            .imports
            .iter()
            .all(|import| import.kind == ImportKind::Forbidden)
    );
}

#[tokio::test]
async fn what_is_wrong_with_an_artifact_is_part_of_the_answer() {
    let workbench = workbench();
    let script = workbench.inspect(b"#!/bin/sh").await;
    assert_eq!(script.kind, None);
    assert!(matches!(
        script.refusals[..],
        [LoadError::NotAComponent(ArtifactFormatError::NotWasm { .. })]
    ));
    let empty = workbench.inspect(&wat::parse_str("(component)").unwrap()).await;
    assert_eq!(empty.kind, Some(ArtifactKind::Component));
    assert!(empty.exports.is_empty());
    assert_eq!(codes(&empty), ["contract_mismatch"]);
    assert!(empty.policy.is_none());
    let broken = workbench.inspect(b"\0asm\x0d\0\x01\0\xff\xff").await;
    assert_eq!(codes(&broken), ["not_a_component"]);
    let stranger = wat::parse_str("(module (import \"env\" \"abort\" (func)))").unwrap();
    let stranger = workbench.inspect(&stranger).await;
    assert_eq!(stranger.kind, Some(ArtifactKind::CoreModule));
    assert_eq!(codes(&stranger), ["not_a_component"]);
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

#[tokio::test]
async fn a_core_module_is_turned_into_a_policy_by_the_adapter() {
    let module = preview_1().core_module();
    let inspection = workbench().inspect(&module).await;
    assert_eq!(inspection.kind, Some(ArtifactKind::CoreModule));
    assert_eq!(inspection.digest, Digest::of(&module));
    assert_eq!(codes(&inspection), [""; 0]);
    let policy = load(&component::componentize(&module).unwrap());
    let (verdict, lines) = captured(|| {
        let called = evaluate(&policy, &patient());
        called.said.finish();
        called.result.unwrap()
    });
    assert_eq!(verdict.score.value(), 0);
    assert_eq!(lines[0].message, "guest: from preview 1");
}

#[tokio::test]
async fn a_component_is_verified_as_every_node_does() {
    let workbench = workbench();
    let case = json!({
        "name": "nothing to see",
        "payment": {"id": "p", "merchant_id": "m", "amount": {"minor_units": 1, "currency": "CNY"}, "created_at": 1},
        "decision": {"outcome": "approve", "score": 0, "reasons": []},
    });
    let contract = ContractVersion::V0_1.package();
    let cases = json!({"contract": contract, "cases": [case, case]}).to_string();
    let component = Guest::new().with_golden_cases(cases).component();
    let policy = workbench.load(&component).await.unwrap();
    assert_eq!(policy.contract(), ContractVersion::V0_1);
    let verify = |otherwise| policy.verify(&document("tested", &component, &otherwise));
    assert_eq!(verify(json!({})), Ok(2));
    let unknown = verify(json!({"parameters": {"max": 1}})).unwrap_err();
    assert_eq!(unknown.code(), "unknown_parameter");
    let starved = verify(json!({"limits": {"fuel": 1}})).unwrap_err();
    assert_eq!(starved.code(), "golden_case_failed");
}
