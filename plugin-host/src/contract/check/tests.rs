//! Components that are no policies, and how each of them is told.

mod mutations;
mod strangers;

use super::*;
use crate::load_error::LoadError;
use crate::structure;
use crate::testing::{Guest, load, refused};

const EVALUATE: &str = "export evaluate: func(request: request) -> result<decision, string>;";
const DESCRIBE: &str = "export describe: func() -> descriptor;";

fn mismatch(guest: &Guest) -> ContractMismatch {
    match refused(&guest.component()) {
        LoadError::ContractMismatch(mismatch) => mismatch,
        other => panic!("refused for something else: {other}"),
    }
}

/// The one thing that sets a guest apart.
fn difference(guest: &Guest) -> Difference {
    let mismatch = mismatch(guest);
    assert_eq!(mismatch.count(), 1, "{mismatch}");
    mismatch.differences()[0].clone()
}

/// What the check alone says.
fn checked(component: &[u8]) -> Result<ContractVersion, ContractMismatch> {
    let types = structure::validate(component).unwrap();
    check(&Surface::read(component).unwrap(), &types)
}

#[test]
fn a_policy_of_every_version_passes() {
    for version in ContractVersion::ALL {
        let component = Guest::new().built_for(version).component();
        assert_eq!(checked(&component), Ok(version));
        let policy = load(&component);
        assert_eq!(policy.contract(), version);
        assert_eq!(&*policy.described().summary, "a policy of the tests");
    }
}

#[test]
fn what_differs_between_the_versions_is_told_by_its_path() {
    let field = "        exponent: u8,\n";
    let without = Guest::new()
        .built_for(ContractVersion::V0_2)
        .for_contract_with(field, "");
    assert_eq!(
        mismatch(&without).to_string(),
        "differs from `portcullis:policy@0.2.0` at evaluate.request.payment.amount.exponent: missing"
    );
    let with = Guest::new().for_contract_with("currency: string,", "currency: string, exponent: u8,");
    assert_eq!(
        mismatch(&with).to_string(),
        "differs from `portcullis:policy@0.1.0` at evaluate.request.payment.amount.exponent: expected no such field"
    );
}

#[test]
fn a_missing_export_is_told_with_what_is_there() {
    let guest = Guest::new().for_contract_with(EVALUATE, "");
    assert_eq!(
        mismatch(&guest).to_string(),
        "does not export the function `evaluate` of the world `risk-policy`; it exports `describe`"
    );
    let guest = Guest::new().for_contract_with(DESCRIBE, "");
    assert!(matches!(difference(&guest), Difference::MissingExport { export, .. } if export == "describe"));
}

#[test]
fn a_component_without_any_export_says_so() {
    let empty = wat::parse_str("(component)").unwrap();
    assert_eq!(
        refused(&empty).to_string(),
        "the component does not export the function `describe` of the world `risk-policy`; it exports nothing; \
         does not export the function `evaluate` of the world `risk-policy`; it exports nothing"
    );
}

#[test]
fn a_component_with_many_exports_lists_a_few() {
    let exports: String = (0..20)
        .map(|index| format!("(export \"thing-{index}\" (instance $nothing))"))
        .collect();
    let many = wat::parse_str(format!("(component (instance $nothing) {exports})")).unwrap();
    let message = refused(&many).to_string();
    assert!(message.contains("`thing-7`, more; does not export"), "{message}");
}

#[test]
fn an_export_of_the_name_that_is_no_function_is_told_as_what_it_is() {
    let guest = Guest::new()
        .for_contract_with(EVALUATE, "export evaluate: interface { run: func(); }")
        .with("(func (export \"evaluate#run\"))");
    assert_eq!(
        mismatch(&guest).to_string(),
        "exports `evaluate` as an interface, expected a function"
    );
}

#[test]
fn other_types_are_told_by_their_path() {
    for (old, new, told) in [
        (
            "score: u16",
            "score: u32",
            "evaluate.result.ok.score: expected u16, found u32",
        ),
        (
            "amount: money",
            "amount: s64",
            "evaluate.request.payment.amount: expected record money, found s64",
        ),
        (
            "currency: string,",
            "",
            "evaluate.request.payment.amount.currency: missing",
        ),
        (
            "merchant-category: option<string>",
            "mcc: option<string>",
            "evaluate.request.payment field 3: expected `merchant-category`, found `mcc`",
        ),
        (
            "enum outcome { approve, challenge, review, decline }",
            "enum outcome { approve, review, decline }",
            "evaluate.result.ok.outcome.challenge: missing",
        ),
        (
            "summary: string",
            "title: string",
            "describe.result field 1: expected `summary`, found `title`",
        ),
        (
            "window-seconds: u32",
            "window-seconds: u16",
            "describe.result.features[].spec.velocity.window-seconds: expected u32, found u16",
        ),
        (
            "list<tuple<string, string>>",
            "list<tuple<string, string, string>>",
            "evaluate.request.payment.metadata[]: expected a tuple of 2, found one of 3",
        ),
        (
            "bin: string",
            "bin: u64",
            "evaluate.request.payment.card.bin: expected string, found u64",
        ),
        (
            "flags payment-parts { card, customer,",
            "flags payment-parts { customer, card,",
            "describe.result.reads flag 1: expected `card`, found `customer`",
        ),
    ] {
        let mismatch = mismatch(&Guest::new().for_contract_with(old, new));
        assert_eq!(
            mismatch.to_string(),
            format!("differs from `portcullis:policy@0.1.0` at {told}"),
        );
    }
}

#[test]
fn other_parameters_and_results_are_told_by_the_function_that_has_them() {
    for (signature, parameters, told) in [
        (
            "func() -> result<decision, string>",
            "",
            "evaluate: expected 1 parameters, found 0",
        ),
        (
            "func(request: request, again: bool) -> result<decision, string>",
            "(param $request i32)",
            "evaluate: expected 1 parameters, found 2",
        ),
        (
            "func(request: request) -> decision",
            "(param $request i32)",
            "evaluate.result: expected result, found record",
        ),
        (
            "func(request: string) -> result<decision, string>",
            "(param i32 i32)",
            "evaluate.request: expected record request, found string",
        ),
    ] {
        let guest = Guest::new()
            .for_contract_with(EVALUATE, &format!("export evaluate: {signature};"))
            .taking(parameters);
        let message = mismatch(&guest).to_string();
        assert!(message.ends_with(told), "{signature}: {message}");
    }
}

#[test]
fn a_function_of_the_host_that_this_version_does_not_have_is_told_by_its_name() {
    let guest = Guest::new()
        .for_contract_with(
            "interface host {",
            "interface host { read-file: func(path: string);",
        )
        .importing(
            "portcullis:policy/host@0.1.0",
            "read-file",
            "$read (param i32 i32)",
        );
    assert_eq!(
        mismatch(&guest).to_string(),
        "differs from `portcullis:policy@0.1.0` at host.read-file: expected nothing of this name, found a function"
    );
    let guest = Guest::new()
        .for_contract_with("detail: string", "detail: u32")
        .importing(
            "portcullis:policy/host@0.1.0",
            "emit-signal",
            "$signal (param i32 i32 i32)",
        );
    assert_eq!(
        mismatch(&guest).to_string(),
        "differs from `portcullis:policy@0.1.0` at host.emit-signal.detail: expected string, found u32"
    );
}

#[test]
fn several_differences_are_told_at_once_up_to_a_bound() {
    let guest = Guest::new()
        .for_contract_with("score: u16", "score: u32")
        .for_contract_with("summary: string", "title: string")
        .importing_function("steal");
    assert_eq!(
        mismatch(&guest).to_string(),
        "imports `steal`, which a policy may not use: it may import the contract and the part of WASI 0.2 that standard \
         libraries need (cli, clocks, filesystem, io, random); differs from `portcullis:policy@0.1.0` at \
         describe.result field 1: expected `summary`, found `title`; evaluate.result.ok.score: expected u16, found u32"
    );
    let many = (0..20).fold(Guest::new(), |guest, index| {
        guest.importing_function(&format!("steal-{index}"))
    });
    let mismatch = mismatch(&many);
    assert_eq!((mismatch.differences().len(), mismatch.more()), (8, 12));
    assert!(mismatch.to_string().ends_with("; and 12 more"), "{mismatch}");
}

#[test]
fn a_component_of_another_version_of_the_contract_is_told_the_versions() {
    let guest = Guest::new().numbered("0.3.0");
    assert_eq!(
        mismatch(&guest).to_string(),
        "was built for `portcullis:policy/types@0.3.0`; this gateway serves `portcullis:policy@0.1.0` and \
         `portcullis:policy@0.2.0`"
    );
    assert_eq!(refused(&guest.component()).code(), "contract_mismatch");
}

#[test]
fn an_interface_that_the_contract_does_not_have_is_told() {
    let guest = Guest::new()
        .for_contract_with(
            "world risk-policy {",
            "interface secrets { read: func(); } world risk-policy { import secrets;",
        )
        .importing("portcullis:policy/secrets@0.1.0", "read", "$read");
    assert_eq!(
        mismatch(&guest).to_string(),
        "imports `portcullis:policy/secrets@0.1.0`, an interface that `portcullis:policy@0.1.0` does not have"
    );
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
                "the component imports `{interface}`, which a policy may not use: a policy has no network"
            )),
            "{message}"
        );
    }
}

#[test]
fn a_function_of_no_interface_is_refused_too() {
    let difference = difference(&Guest::new().importing_function("steal"));
    assert!(matches!(difference, Difference::ForbiddenImport { import, .. } if import == "steal"));
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
        let guest = Guest::new().with(&format!("(memory {memory})"));
        assert_eq!(refused(&guest.component()).code(), "not_compilable", "{memory}");
    }
}

#[test]
fn a_component_larger_than_any_slot_of_the_pool_is_not_compilable() {
    for larger in [
        // 257 MiB where 256 is the most that a document may give.
        Guest::new().memory("4112"),
        // Entries of one table, and tables of one module.
        Guest::new().with("(table 20001 funcref)"),
        Guest::new().with("(table 1 funcref) (table 1 funcref)"),
    ] {
        let message = refused(&larger.component());
        assert_eq!(message.code(), "not_compilable", "{message}");
    }
}
