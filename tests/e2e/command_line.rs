//! Wrong input at the command line: what was wrong, where, and what would be right.

use portcullis_tests::Policy;
use portcullis_tests::raw::run;
use serde_json::{Value, json};

fn refused(arguments: &[&str], code: i32, needles: &[&str]) {
    let output = run(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    for needle in needles {
        assert!(
            said.contains(needle),
            "{arguments:?}: `{needle}` is not in: {said}"
        );
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_configuration_that_is_right_is_said_to_be() {
    let output = run(&[
        "check-config",
        "--listen",
        "127.0.0.1:0",
        "--store",
        "etcd://127.0.0.1:2379",
    ]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn wrong_configuration_is_refused_with_its_path_and_origin() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("gateway.toml");
    let path = file.display().to_string();
    for (text, needles) in [
        (
            "[http]\nlisten = \"nowhere\"\n",
            &["gateway.toml", "http.listen"][..],
        ),
        (
            "[http]\nlisen = \"127.0.0.1:1\"\n",
            &["lisen", "did you mean `listen`?"],
        ),
        (
            "[policies]\nstore = \"s3://bucket\"\n",
            &["policies.store", "dir:PATH"],
        ),
        ("[storage.sqlite]\nreaders = -1\n", &["storage.sqlite.readers"]),
        ("http = [", &["gateway.toml", "line 1"]),
    ] {
        std::fs::write(&file, text).expect("a file");
        refused(&["check-config", "--config", &path], 1, needles);
        refused(&["serve", "--config", &path], 1, needles);
    }
    refused(
        &["check-config", "--config", "/nowhere/gateway.toml"],
        1,
        &["/nowhere/gateway.toml"],
    );
    refused(
        &["check-config", "--set", "http.listen"],
        1,
        &["SECTION.KEY=VALUE"],
    );
    refused(&["check-config", "--lisen", "x"], 2, &["--listen"]);
}

#[test]
fn wrong_artifacts_are_refused_with_what_was_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("text.wasm");
    std::fs::write(&text, "hello").expect("a file");
    let text = text.display().to_string();
    refused(&["policy", "inspect", &text], 3, &["not_a_component", "hello"]);
    let empty = folder.path().join("empty.wasm");
    std::fs::write(&empty, b"\0asm\x0d\0\x01\0").expect("a file");
    let empty = empty.display().to_string();
    refused(
        &["policy", "inspect", &empty],
        3,
        &[
            "contract_mismatch",
            "`describe`",
            "`evaluate`",
            "it exports nothing",
        ],
    );
    refused(&["policy", "inspect", "/nowhere.wasm"], 1, &["/nowhere.wasm"]);
    refused(&["policy", "build", "/tmp"], 1, &["Cargo.toml"]);
    refused(
        &["policy", "push", &text, "--store", "dir:/tmp/x"],
        1,
        &["policy.toml"],
    );
    refused(&["policy", "list", "--store", "ftp://x"], 2, &["dir:PATH"]);
    refused(
        &["policy", "status", "--store", "etcd://127.0.0.1:1"],
        1,
        &["etcd://127.0.0.1:1", "unavailable"],
    );
}

/// What `policy inspect` says of a file to a script, and how it ends.
fn inspected(policy: &Policy) -> (Value, Option<i32>) {
    let file = policy.wasm().display().to_string();
    let output = run(&["policy", "inspect", &file, "--output", "json"]);
    let json = serde_json::from_slice(&output.stdout).expect("JSON");
    (json, output.status.code())
}

#[test]
fn a_policy_is_shown_with_what_it_is_made_of() {
    let policy = Policy::built("velocity-limit");
    let (shown, code) = inspected(&policy);
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(shown["contract"], "portcullis:policy@0.2.0");
    assert_eq!(shown["refused"], Value::Array(Vec::new()));
    assert_eq!(
        (&shown["function_names"], &shown["more_names"]),
        (&json!(true), &json!(0))
    );
    assert!(shown["producers"]["language"]["Rust"].is_array(), "{shown}");
    let imports = shown["imports"].as_array().expect("imports");
    let types = imports
        .iter()
        .find(|import| import["name"] == "portcullis:policy/types@0.2.0");
    assert_eq!(types.expect("it imports the types")["kind"], "contract");
    let file = policy.wasm().display().to_string();
    let output = run(&["policy", "inspect", &file]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for line in [
        "contract     fits the world risk-policy of portcullis:policy@0.2.0",
        "portcullis:policy/types@0.2.0 (contract)",
        " Rust\n",
        "names        kept",
        "parameters   ",
        "golden       ",
    ] {
        assert!(text.contains(line), "`{line}` is not in\n{text}");
    }
}

#[test]
fn names_beyond_those_that_are_listed_are_counted() {
    let names: String = (0..300)
        .map(|index| format!("(import \"thing-{index}\" (func))"))
        .collect();
    let many = wat::parse_str(format!("(component {names})")).expect("a component");
    let (shown, code) = inspected(&Policy::of(&many, ""));
    assert_eq!(code, Some(3), "{shown}");
    let listed = shown["imports"].as_array().expect("imports").len();
    assert_eq!((listed, &shown["more_names"]), (256, &json!(44)));
}

#[test]
fn what_is_no_policy_is_shown_with_everything_that_it_would_be_refused_for() {
    let (shown, code) = inspected(&Policy::misbehaving("other-world"));
    assert_eq!(code, Some(3), "{shown}");
    assert_eq!(shown["contract"], Value::Null);
    assert_eq!(shown["refused"][0]["code"], "contract_mismatch");
    let differences = shown["refused"][0]["differences"]
        .as_array()
        .expect("differences");
    assert_eq!(differences.len(), 2, "{shown}");
    for (difference, export) in differences.iter().zip(["describe", "evaluate"]) {
        let told = format!("does not export the function `{export}`");
        assert!(
            difference.as_str().expect("a text").starts_with(&told),
            "{difference}"
        );
    }

    let network = wat::parse_str(
        r#"(component (import "wasi:http/outgoing-handler@0.2.6" (instance)) (import "steal" (func)))"#,
    );
    let (shown, code) = inspected(&Policy::of(&network.expect("a component"), ""));
    assert_eq!(code, Some(3), "{shown}");
    assert_eq!(shown["refused"][0]["code"], "forbidden_import");
    let message = shown["refused"][0]["message"].as_str().expect("a message");
    for words in [
        "`wasi:http/outgoing-handler@0.2.6`",
        "no network",
        "`steal`",
        "`evaluate`",
    ] {
        assert!(message.contains(words), "{message}");
    }
}
