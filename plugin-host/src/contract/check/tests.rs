//! Components that are no policies, and how each of them is told.

use super::*;
use crate::load_error::LoadError;
use crate::testing::{Guest, engine, load, refused};

const EVALUATE: &str = "export evaluate: func(request: request) -> result<decision, string>;";
const DESCRIBE: &str = "export describe: func() -> descriptor;";

fn mismatch(guest: &Guest) -> ContractMismatch {
    match refused(&guest.component()) {
        LoadError::ContractMismatch(mismatch) => mismatch,
        other => panic!("refused for something else: {other}"),
    }
}

#[test]
fn a_policy_of_the_contract_passes() {
    let component = Guest::new().component();
    assert_eq!(&*load(&component).described().summary, "a policy of the tests");
    let compiled = Component::from_binary(engine().wasmtime(), &component).unwrap();
    assert_eq!(check_names(engine().wasmtime(), &compiled), Ok(()));
}

#[test]
fn a_missing_export_is_told_with_what_is_there() {
    let guest = Guest::new().for_contract_with(EVALUATE, "");
    assert_eq!(
        mismatch(&guest).to_string(),
        "does not export the function `evaluate` of the world `portcullis:policy/risk-policy@0.1.0`; it exports `describe`"
    );
    let guest = Guest::new().for_contract_with(DESCRIBE, "");
    assert!(matches!(
        mismatch(&guest),
        ContractMismatch::MissingExport {
            export: "describe",
            ..
        }
    ));
}

#[test]
fn a_component_without_any_export_says_so() {
    let empty = wat::parse_str("(component)").unwrap();
    let message = refused(&empty).to_string();
    assert!(message.ends_with("it exports nothing"), "{message}");
}

#[test]
fn a_component_with_many_exports_lists_a_few() {
    let exports: String = (0..20)
        .map(|index| format!("(export \"thing-{index}\" (instance $nothing))"))
        .collect();
    let many = wat::parse_str(format!("(component (instance $nothing) {exports})")).unwrap();
    let message = refused(&many).to_string();
    assert!(message.ends_with("`thing-7`, more"), "{message}");
}

#[test]
fn an_export_of_the_name_that_is_no_function_is_missing() {
    let guest = Guest::new()
        .for_contract_with(EVALUATE, "export evaluate: interface { run: func(); }")
        .with("(func (export \"evaluate#run\"))");
    assert!(matches!(
        mismatch(&guest),
        ContractMismatch::MissingExport {
            export: "evaluate",
            ..
        }
    ));
}

#[test]
fn other_types_are_told_by_the_function_that_has_them() {
    for (old, new, words) in [
        (
            "score: u16",
            "score: u32",
            "`evaluate`: type mismatch for field score: expected `u16` found `u32`",
        ),
        (
            "minor-units: s64",
            "minor-units: s32",
            "field payment: type mismatch for field amount: type mismatch for field minor-units: expected `s64` found `s32`",
        ),
        (
            "enum outcome { approve, challenge, review, decline }",
            "enum outcome { yes, no }",
            "field outcome: expected enum of 4 names, found 2 names",
        ),
        (
            "summary: string",
            "title: string",
            "`describe`: expected record field named summary, found title",
        ),
        (
            "window-seconds: u32",
            "window-seconds: u16",
            "`describe`: type mismatch for field features",
        ),
    ] {
        let mismatch = mismatch(&Guest::new().for_contract_with(old, new));
        let message = mismatch.to_string();
        assert!(
            matches!(mismatch, ContractMismatch::OtherTypes { .. }),
            "{new}: {message}"
        );
        assert!(message.contains(words), "{new}: {message}");
        assert!(
            message.starts_with("has other types than the contract: "),
            "{message}"
        );
    }
}

#[test]
fn other_parameters_and_results_are_told_by_the_function_that_has_them() {
    for (signature, parameters) in [
        ("func() -> result<decision, string>", ""),
        (
            "func(request: request, again: bool) -> result<decision, string>",
            "(param $request i32)",
        ),
        ("func(request: request) -> decision", "(param $request i32)"),
        (
            "func(request: string) -> result<decision, string>",
            "(param i32 i32)",
        ),
    ] {
        let guest = Guest::new()
            .for_contract_with(EVALUATE, &format!("export evaluate: {signature};"))
            .taking(parameters);
        let mismatch = mismatch(&guest);
        let message = mismatch.to_string();
        assert!(
            matches!(mismatch, ContractMismatch::OtherTypes { .. }) && message.contains("evaluate"),
            "{signature}: {message}"
        );
    }
}

#[test]
fn a_component_of_another_version_of_the_contract_is_told_the_versions() {
    let guest = Guest::new().for_version("0.2.0");
    let message = mismatch(&guest).to_string();
    assert_eq!(
        message,
        "was built for `portcullis:policy/types@0.2.0`; this gateway serves `portcullis:policy@0.1.0`"
    );
    assert_eq!(refused(&guest.component()).code(), "contract_mismatch");
}

#[test]
fn an_interface_that_the_contract_does_not_have_is_another_version_too() {
    let guest = Guest::new()
        .for_contract_with(
            "world risk-policy {",
            "interface secrets { read: func(); } world risk-policy { import secrets;",
        )
        .importing("portcullis:policy/secrets@0.1.0", "read", "$read");
    assert!(matches!(mismatch(&guest), ContractMismatch::OtherVersion { .. }));
}

#[test]
fn imports_beyond_the_contract_and_the_virtual_wasi_are_refused_by_name() {
    for (interface, function) in [
        ("wasi:sockets/instance-network@0.2.0", "instance-network"),
        ("wasi:http/outgoing-handler@0.2.0", "handle"),
    ] {
        let guest = Guest::new()
            .importing(interface, function, "$call (result i32)")
            .then_evaluating("(drop (call $call)) (unreachable)");
        let error = refused(&guest.component());
        assert_eq!(error.code(), "forbidden_import");
        let message = error.to_string();
        assert!(
            message.starts_with(&format!(
                "the component imports `{interface}`, which a policy may not use"
            )),
            "{message}"
        );
    }
}

#[test]
fn a_function_of_no_interface_is_refused_too() {
    assert_eq!(
        mismatch(&Guest::new().importing_function("steal")),
        ContractMismatch::ForbiddenImport {
            import: "steal".to_owned()
        }
    );
}

#[test]
fn a_wasi_function_of_other_types_is_refused() {
    let guest = Guest::new()
        .for_wasi_with("exit: func(status: result);", "exit: func(status: s64);")
        .importing("wasi:cli/exit@0.2.0", "exit", "$exit (param i64)")
        .then_evaluating("(call $exit (i64.const 0)) (unreachable)");
    let message = mismatch(&guest).to_string();
    assert!(
        message.contains("wasi:cli/exit@0.2.0") && message.contains("exit"),
        "{message}"
    );
}

#[test]
fn what_is_no_component_is_refused_before_it_is_compiled() {
    let module = Guest::new().core_module();
    for (bytes, code) in [
        (&b""[..], "not_a_component"),
        (b"#!/bin/sh", "not_a_component"),
        (&module, "not_a_component"),
        (b"\0asm\x0d\0\x01\0", "contract_mismatch"),
        (b"\0asm\x0d\0\x01\0\xff", "not_a_component"),
    ] {
        assert_eq!(refused(bytes).code(), code, "{bytes:?}");
    }
}

#[test]
fn features_of_webassembly_that_repeat_nowhere_are_refused() {
    for memory in ["i64 1", "1 2 shared"] {
        let text = format!("(component (core module (memory {memory})))");
        assert_eq!(
            refused(&wat::parse_str(text).unwrap()).code(),
            "not_compilable",
            "{memory}"
        );
    }
}

#[test]
fn a_component_larger_than_any_slot_of_the_pool_is_not_compilable() {
    // 257 MiB where 256 is the most that a document may give.
    let message = refused(&Guest::new().memory("4112").component());
    assert_eq!(message.code(), "not_compilable", "{message}");
}
