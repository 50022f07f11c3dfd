//! What a gateway keeps on its disk: it starts and runs without its store, takes nothing older than it has seen, and harms
//! nobody where the disk does not keep up.

mod crashes;
mod disk_full;

use std::fs;
use std::path::PathBuf;

use portcullis_tests::policies::publish;
use portcullis_tests::raw::{document, run};
use portcullis_tests::{Etcd, Gateway, Payment, Policy, eventually};

/// A store where nobody answers.
const NOWHERE: &str = "etcd://127.0.0.1:1";

/// The sample that declines what is over a ceiling, with one that the ordinary payment is over.
fn strict() -> Policy {
    Policy::built("amount-ceiling").with("\"CNY=2000000\"", "\"CNY=10000\"")
}

/// A gateway with that policy in force and on its disk, and its store.
fn running() -> (Etcd, Gateway) {
    let etcd = Etcd::start();
    publish(&etcd.location(), &[&strict()]);
    let gateway = Gateway::start(&etcd.location());
    gateway.wait_for("amount-ceiling", 1);
    is_kept(&gateway);
    (etcd, gateway)
}

/// Waits until everything that is in force is on the disk.
fn is_kept(gateway: &Gateway) {
    eventually("the set in force to be on the disk", || {
        let saved = gateway.metric("portcullis_policy_state_saved_revision")?;
        (saved > 0 && gateway.metric("portcullis_policy_state_written") == Some(1)).then_some(())
    });
    eventually("the machine code to be on the disk", || {
        (gateway.metric("portcullis_policy_compile_cache_bytes")? > 0).then_some(())
    });
}

fn declines(gateway: &Gateway) {
    let answer = gateway.pay(&Payment::ordinary());
    assert_eq!(
        (answer.status, &answer.body["status"]),
        (201, &"declined".into()),
        "{}",
        answer.text
    );
}

fn machine_code(gateway: &Gateway) -> Vec<PathBuf> {
    let entries = fs::read_dir(gateway.state().join("machine-code")).expect("a folder");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

#[test]
fn a_gateway_starts_without_etcd_and_goes_on_when_it_is_there() {
    let (mut etcd, mut gateway) = running();
    assert!(gateway.terminate().success());
    etcd.stop();
    gateway.start_again();
    gateway.wait_until_ready();
    declines(&gateway);
    assert_eq!(gateway.metric("portcullis_policy_store_connected"), Some(0));
    let said = gateway
        .log()
        .into_iter()
        .find(|line| line.contains("decisions begin with the last good set"));
    let said = said.expect("it says so");
    assert!(said.contains("\"since\":\"20"), "{said}");
    // After a crash as after an orderly end.
    gateway.kill();
    gateway.start_again();
    gateway.wait_until_ready();
    declines(&gateway);
    etcd.restart();
    publish(&etcd.location(), &[&Policy::built("amount-ceiling")]);
    gateway.wait_for("amount-ceiling", 2);
    assert_eq!(gateway.pay(&Payment::ordinary()).body["status"], "authorized");
    assert_eq!(gateway.metric("portcullis_policy_store_connected"), Some(1));
}

#[test]
fn required_policies_are_satisfied_by_what_was_kept() {
    let (_etcd, mut gateway) = running();
    assert!(gateway.terminate().success());
    gateway.start_again_on(NOWHERE);
    gateway.wait_until_ready();
    declines(&gateway);
}

#[test]
fn a_gateway_whose_state_was_wiped_waits_for_its_store() {
    let (mut etcd, mut gateway) = running();
    assert!(gateway.terminate().success());
    etcd.stop();
    fs::remove_dir_all(gateway.state()).expect("it can be deleted");
    gateway.start_again();
    let answer = gateway.pay(&Payment::ordinary());
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (503, &"risk_unavailable".into()),
        "{}",
        answer.text
    );
    etcd.restart();
    gateway.wait_until_ready();
    gateway.wait_for("amount-ceiling", 1);
    declines(&gateway);
}

#[test]
fn machine_code_that_was_altered_is_named_and_compiled_again() {
    let (_etcd, mut gateway) = running();
    assert!(gateway.terminate().success());
    let files = machine_code(&gateway);
    assert_eq!(files.len(), 1);
    let mut bytes = fs::read(&files[0]).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&files[0], bytes).expect("it can be written");
    gateway.start_again();
    gateway.wait_until_ready();
    declines(&gateway);
    let name = files[0].display().to_string();
    assert!(
        gateway
            .log()
            .iter()
            .any(|line| line.contains(&name) && line.contains("the artifact is compiled again")),
        "{}",
        gateway.log().join("\n")
    );
    let cache = |result: &str| {
        gateway.metric(&format!(
            "portcullis_policy_compile_cache_total{{result=\"{result}\"}}"
        ))
    };
    assert_eq!((cache("refused"), cache("hit")), (Some(1), None));
    eventually("it to be kept again", || {
        (cache("written") == Some(1)).then_some(())
    });
    assert!(gateway.terminate().success());
    gateway.start_again();
    gateway.wait_until_ready();
    let hit = gateway.metric("portcullis_policy_compile_cache_total{result=\"hit\"}");
    assert_eq!(hit, Some(1));
}

#[test]
fn what_is_kept_may_be_deleted_while_the_gateway_runs() {
    let (etcd, mut gateway) = running();
    for folder in ["machine-code", "artifacts", "documents"] {
        fs::remove_dir_all(gateway.state().join(folder)).expect("it can be deleted");
    }
    declines(&gateway);
    publish(
        &etcd.location(),
        &[&strict().with("priority = 50", "priority = 51")],
    );
    gateway.wait_for("amount-ceiling", 2);
    declines(&gateway);
    // The artifact that is on the disk no more is fetched again at the next listing; a new one is kept at once.
    let component = fs::read(strict().wasm()).expect("a component");
    let manifest = fs::read_to_string(strict().manifest()).expect("a manifest");
    publish(&etcd.location(), &[&Policy::of(&component, &manifest).padded(1)]);
    gateway.wait_for("amount-ceiling", 3);
    eventually("the new set to be on the disk", || {
        let revision = gateway.metric("portcullis_policy_set_revision")?;
        (gateway.metric("portcullis_policy_state_saved_revision")? == revision).then_some(())
    });
    gateway.kill();
    gateway.start_again_on(NOWHERE);
    gateway.wait_until_ready();
    gateway.wait_for("amount-ceiling", 3);
    declines(&gateway);
}

#[test]
fn two_gateways_do_not_share_a_folder() {
    let (_etcd, gateway) = running();
    let state = format!("policies.state_path={}", gateway.state().display());
    let folder = tempfile::tempdir().expect("a folder");
    let within = |name: &str| folder.path().join(name).display().to_string();
    let key = format!("platform.fingerprint_key_path={}", within("card.key"));
    let store = format!("dir:{}", within("policies"));
    let database = within("portcullis.db");
    let second = run(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--store",
        &store,
        "--database",
        &database,
        "--set",
        &key,
        "--set",
        &state,
    ]);
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(
        said.contains("policies.state_path: another gateway runs with the folder"),
        "{said}"
    );
    assert!(said.contains(&gateway.state().display().to_string()), "{said}");
}

#[test]
fn a_signed_document_that_is_older_than_one_seen_is_refused_after_a_restart() {
    let etcd = Etcd::start();
    let keys = tempfile::tempdir().expect("a folder");
    let key = keys.path().join("team").display().to_string();
    let made = run(&["policy", "keygen", "--out", &key, "--output", "json"]);
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).expect("JSON");
    let private = keys.path().join("team.key").display().to_string();
    let configuration = keys.path().join("gateway.toml");
    let text = made["configuration"].as_str().expect("a configuration");
    fs::write(&configuration, format!("[policies.signatures]\n\n{text}\n")).expect("a configuration");

    let store = etcd.location();
    let do_signed = |what: &[&str]| {
        let signed = ["--store", &store, "--publisher", "e2e", "--key", &private];
        let done = run(&[&["policy"], what, &signed].concat());
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    let push = |policy: &Policy| do_signed(&["push", &policy.wasm().display().to_string()]);
    push(&Policy::built("amount-ceiling"));
    let first = stored(&etcd);
    push(&strict());
    let configuration = configuration.display().to_string();
    let mut gateway = Gateway::start_in(&etcd.location(), &[], &[("PORTCULLIS_CONFIG", &configuration)]);
    gateway.wait_until_ready();
    gateway.wait_for("amount-ceiling", 2);
    is_kept(&gateway);
    gateway.kill();

    etcd.put_value("amount-ceiling", &first);
    gateway.start_again();
    gateway.wait_until_ready();
    let message = gateway.wait_for_refusal("amount-ceiling", "sequence_replayed");
    assert!(message.contains("expected at least 2"), "{message}");
    declines(&gateway);
    // With the policy retired in between as well.
    do_signed(&["retire", "amount-ceiling", "--reason", "a test of it", "--yes"]);
    eventually("the policy to be retired", || {
        let policy = gateway.policy("amount-ceiling")?;
        (policy["state"] == "retired").then_some(())
    });
    eventually("that to be on the disk", || {
        let revision = gateway.metric("portcullis_policy_set_revision")?;
        (gateway.metric("portcullis_policy_state_saved_revision")? == revision).then_some(())
    });
    gateway.kill();
    etcd.put_value("amount-ceiling", &first);
    gateway.start_again();
    let _message = gateway.wait_for_refusal("amount-ceiling", "sequence_replayed");
    assert_eq!(gateway.pay(&Payment::ordinary()).body["status"], "authorized");
}

/// The envelope that is stored.
fn stored(etcd: &Etcd) -> Vec<u8> {
    let get = etcd
        .etcdctl()
        .args([
            "get",
            "--print-value-only",
            "/portcullis/v1/policies/amount-ceiling",
        ])
        .output();
    get.expect("etcdctl runs").stdout.trim_ascii().to_vec()
}

#[test]
fn a_store_that_lost_a_policy_s_artifact_does_not_stop_a_gateway_that_has_it() {
    let (etcd, mut gateway) = running();
    assert!(gateway.terminate().success());
    let deleted = etcd
        .etcdctl()
        .args(["del", "--prefix", "/portcullis/v1/artifacts/"])
        .status();
    assert!(deleted.expect("etcdctl runs").success());
    // Another document for the same artifact, so that it is not the one that is in force already.
    etcd.put_document("amount-ceiling", &document("amount-ceiling", 2, &strict()));
    gateway.start_again();
    gateway.wait_until_ready();
    gateway.wait_for("amount-ceiling", 2);
}
