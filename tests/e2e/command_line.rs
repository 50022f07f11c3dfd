//! Wrong input at the command line: what was wrong, where, and what would be right.

use portcullis_tests::raw::run;

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
        ("[storage]\nreaders = -1\n", &["storage.readers"]),
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
