//! `portcullis policy test`: golden cases on the author's machine.

use std::path::Path;
use std::process::Output;

use portcullis_tests::Policy;
use portcullis_tests::raw::run;
use serde_json::{Value, json};

fn tested(arguments: &[&str], files: &[&Path]) -> Output {
    let files = files.iter().map(|file| file.to_str().expect("a path of text"));
    let arguments: Vec<&str> = ["policy", "test"]
        .into_iter()
        .chain(arguments.iter().copied())
        .collect();
    run(&arguments.into_iter().chain(files).collect::<Vec<_>>())
}

fn shown(output: &Output) -> (i32, String) {
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().expect("an exit code"), text)
}

/// Two cases for `spins` that it never comes to the end of, and one that is off.
fn hopeless() -> Value {
    let case = |name: &str, features: Value| {
        json!({
            "name": name, "features": features,
            "payment": {"id": "p", "merchant_id": "m", "amount": {"minor_units": 1, "currency": "CNY"}, "created_at": 1},
            "decision": {"outcome": "approve", "score": 0, "reasons": []},
        })
    };
    let cases = [
        case("an ordinary payment", json!({})),
        case("off", json!({"card_count": {"count": 1}})),
    ];
    json!({"contract": "portcullis:policy@0.1.0", "cases": cases})
}

#[test]
fn cases_that_come_out_are_shown_with_their_fuel() {
    let (first, second) = (Policy::built("amount-ceiling"), Policy::built("fraud-score"));
    let (code, text) = shown(&tested(&[], &[&first.wasm(), &second.wasm()]));
    assert_eq!(code, 0, "{text}");
    for needle in [
        &*first.wasm().display().to_string(),
        "sha256:",
        "ok      an ordinary payment is approved  (",
        " passed, 0 failed",
    ] {
        assert!(text.contains(needle), "`{needle}` is not in: {text}");
    }
    assert!(!text.contains("FAILED"), "{text}");

    let manifest = second.manifest().display().to_string();
    let (code, text) = shown(&tested(&["--manifest", &manifest], &[&second.wasm()]));
    assert_eq!(code, 0, "{text}");
    let ungranted = second.with("\"device\"]", "]");
    let (code, text) = shown(&tested(
        &["--manifest", &ungranted.manifest().display().to_string()],
        &[&ungranted.wasm()],
    ));
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("part_not_granted"), "{text}");
}

#[test]
fn a_case_that_fails_is_shown_with_what_came_and_the_others_run_too() {
    let policy = Policy::misbehaving("spins").with_golden_cases(&hopeless());
    let (code, text) = shown(&tested(&[], &[&policy.wasm()]));
    assert_eq!(code, 3, "{text}");
    for needle in [
        "FAILED  an ordinary payment",
        "expected a decision, found out_of_fuel",
        "FAILED  off",
        "features.card_count: the policy has no such feature",
        "golden cases: 0 passed, 2 failed",
    ] {
        assert!(text.contains(needle), "`{needle}` is not in: {text}");
    }

    // The limits of its manifest are those that it runs within.
    let limited = policy.with("[failure_mode]", "[limits]\nfuel = 1000\n\n[failure_mode]");
    let manifest = limited.manifest().display().to_string();
    let output = tested(&["--output", "json", "--manifest", &manifest], &[&limited.wasm()]);
    assert_eq!(output.status.code(), Some(3));
    let tested: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&tested["passed"], &tested["failed"]), (&json!(0), &json!(2)));
    let [spun, off] = &tested["artifacts"][0]["cases"].as_array().expect("cases")[..] else {
        panic!("{tested}")
    };
    assert_eq!(spun["fault"]["kind"], "out_of_fuel");
    assert_eq!(spun["fuel_used"], 1000);
    assert_eq!((&spun["verdict"], &spun["signals"]), (&Value::Null, &json!([])));
    assert_eq!((&off["fault"], &off["fuel_used"]), (&Value::Null, &Value::Null));
}

#[test]
fn an_artifact_without_golden_cases_is_said_to_have_none_and_one_that_is_none_is_refused() {
    let module = Policy::compiled("amount-ceiling", "wasm32-wasip1");
    let (code, text) = shown(&tested(&[], &[&module.wasm()]));
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("carries no golden cases"), "{text}");

    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("script.wasm");
    std::fs::write(&script, "#!/bin/sh").expect("a file");
    let good = Policy::built("velocity-limit");
    let (code, text) = shown(&tested(&[], &[&script, &good.wasm()]));
    assert_eq!(code, 3, "{text}");
    assert!(
        text.contains("(not_a_component)") && text.contains("ok      "),
        "{text}"
    );
    assert!(text.contains("1 of 2 artifacts refused"), "{text}");

    let (code, text) = shown(&tested(&[], &[]));
    assert_eq!(code, 2, "{text}");
    let (code, text) = shown(&tested(&[], &[Path::new("/nowhere.wasm")]));
    assert_eq!((code, text.contains("/nowhere.wasm")), (1, true), "{text}");
}
