//! Signed policies: keys from the command line, trusted by the gateway's configuration, and what it takes and refuses then.

use std::path::PathBuf;
use std::process::Output;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_tests::raw::{digest, document, run};
use portcullis_tests::{Etcd, Gateway, Payment, Policy};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder with keys and configurations.
struct Keyring {
    folder: TempDir,
}

impl Keyring {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Makes a key, and says what the command told a script.
    fn make(&self, name: &str, algorithm: &str) -> Value {
        let output = run(&[
            "policy",
            "keygen",
            "--algorithm",
            algorithm,
            "--out",
            &self.path(name),
            "--output",
            "json",
        ]);
        succeeded(&output);
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// Writes a configuration that asks for the signatures of so many keys, each with further settings.
    fn configuration(&self, name: &str, threshold: u32, keys: &[(&Value, &str)]) -> PathBuf {
        let mut text = format!("[policies.signatures]\nthreshold = {threshold}\n");
        for (key, further) in keys {
            let key = key["configuration"].as_str().expect("a configuration");
            text.push_str(&format!("\n{key}\n{further}\n"));
        }
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("a configuration");
        path
    }
}

fn gateway(etcd: &Etcd, configuration: &std::path::Path) -> Gateway {
    let configuration = configuration.display().to_string();
    let gateway = Gateway::start_in(&etcd.location(), &[], &[("PORTCULLIS_CONFIG", &configuration)]);
    gateway.wait_until_ready();
    gateway
}

fn succeeded(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// Publishes a policy with further arguments.
fn push(etcd: &Etcd, policy: &Policy, arguments: &[&str]) -> Output {
    let (wasm, store) = (policy.wasm().display().to_string(), etcd.location());
    let all = ["policy", "push", &wasm, "--store", &store, "--publisher", "e2e"];
    run(&[&all[..], arguments].concat())
}

/// The envelope that is stored.
fn stored(etcd: &Etcd, name: &str) -> Value {
    let key = format!("/portcullis/v1/policies/{name}");
    let get = etcd
        .etcdctl()
        .args(["get", "--print-value-only", &key])
        .output()
        .expect("etcdctl runs");
    serde_json::from_slice(&get.stdout).expect("an envelope")
}

/// Waits for the refusal, and sees that the release of this sequence decides. Says the refusal's message.
fn refused(gateway: &Gateway, code: &str, in_force: u64) -> String {
    let message = gateway.wait_for_refusal("amount-ceiling", code);
    decides(gateway, in_force);
    message
}

fn decides(gateway: &Gateway, sequence: u64) {
    let answer = gateway.pay(&Payment::ordinary());
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.body["risk"]["policies"][0]["sequence"], sequence);
}

#[test]
fn a_signed_policy_comes_into_force_and_any_other_leaves_it_there() {
    let (etcd, keyring) = (Etcd::start(), Keyring::new());
    let team = keyring.make("team", "ed25519");
    let chief = keyring.make("chief", "sm2");
    keyring.make("stranger", "ed25519");
    let only_others = "policies = [\"velocity-*\"]";
    let narrow = keyring.make("narrow", "ed25519");
    let keys = [(&team, ""), (&chief, ""), (&narrow, only_others)];
    let configuration = keyring.configuration("gateway.toml", 1, &keys);
    let gateway = gateway(&etcd, &configuration);
    let policy = Policy::built("amount-ceiling");
    succeeded(&push(&etcd, &policy, &["--key", &keyring.path("team.key")]));
    gateway.wait_for("amount-ceiling", 1);
    decides(&gateway, 1);
    let signed = stored(&etcd, "amount-ceiling");
    assert_eq!(signed["signatures"][0]["keyid"], team["keyid"]);

    // By hand, past every tool: nobody signed it.
    etcd.put_document("amount-ceiling", &document("amount-ceiling", 2, &policy));
    let message = refused(&gateway, "signature_missing", 1);
    assert!(message.contains("policy push --key"), "{message}");
    // The right signature of another document.
    let mut moved = signed.clone();
    let payload = document("amount-ceiling", 3, &policy).to_string();
    moved["payload"] = json!(STANDARD.encode(payload));
    etcd.put_value("amount-ceiling", moved.to_string().as_bytes());
    refused(&gateway, "signature_invalid", 1);
    // Another type of payload.
    let mut swapped = signed;
    swapped["payloadType"] = json!("application/vnd.in-toto+json");
    etcd.put_value("amount-ceiling", swapped.to_string().as_bytes());
    refused(&gateway, "payload_type", 1);
    // By a key that nobody trusts here, and by one that is trusted with other policies.
    let next = Policy::built("amount-ceiling").with("version = \"1.0.0\"", "version = \"1.1.0\"");
    for (key, code) in [
        ("stranger.key", "signature_untrusted"),
        ("narrow.key", "signature_key_not_allowed"),
    ] {
        succeeded(&push(&etcd, &next, &["--key", &keyring.path(key)]));
        refused(&gateway, code, 1);
    }
    let metrics = gateway.get("/metrics").text;
    assert!(
        metrics.contains("portcullis_policy_loads_total{result=\"signature_missing\"} 1"),
        "{metrics}"
    );

    // The chief signs what is there, with the other algorithm: what was refused comes into force.
    let sign = ["policy", "sign", "amount-ceiling", "--store", &etcd.location()];
    let chief_key = keyring.path("chief.key");
    let chief_signs = ["--key", &chief_key, "--digest", &digest(&next)];
    succeeded(&run(&[&sign[..], &chief_signs].concat()));
    let sequence = sequence_of(&etcd);
    gateway.wait_for("amount-ceiling", sequence);
    decides(&gateway, sequence);
    assert!(gateway.policy("amount-ceiling").expect("listed")["refused"].is_null());
}

/// The sequence of the document that is stored.
fn sequence_of(etcd: &Etcd) -> u64 {
    let envelope = stored(etcd, "amount-ceiling");
    let payload = STANDARD
        .decode(envelope["payload"].as_str().expect("a payload"))
        .expect("base64");
    let document: Value = serde_json::from_slice(&payload).expect("a document");
    document["sequence"].as_u64().expect("a sequence")
}

#[test]
fn push_refuses_what_the_nodes_of_a_configuration_would_not_take() {
    let (etcd, keyring) = (Etcd::start(), Keyring::new());
    let (one, two) = (keyring.make("one", "ed25519"), keyring.make("two", "sm2"));
    keyring.make("stranger", "sm2");
    let configuration = keyring.configuration("gateway.toml", 2, &[(&one, ""), (&two, "")]);
    let configuration = configuration.display().to_string();
    let policy = Policy::built("amount-ceiling");
    let [first, second, other] = ["one.key", "two.key", "stranger.key"].map(|name| keyring.path(name));
    let config = ["--config", &configuration];
    for (keys, code) in [
        (&[][..], "signature_missing"),
        (&["--key", &first], "signatures_too_few"),
        (&["--key", &other], "signature_untrusted"),
    ] {
        for dry_run in [&["--dry-run"][..], &[]] {
            let pushed = push(&etcd, &policy, &[&config, keys, dry_run].concat());
            let said = String::from_utf8_lossy(&pushed.stderr);
            assert_eq!(pushed.status.code(), Some(3), "{said}");
            assert!(said.contains(code), "{said}");
        }
    }
    let keys = etcd
        .etcdctl()
        .args(["get", "--prefix", "--keys-only", "/portcullis/v1/policies"])
        .output()
        .expect("etcdctl runs");
    assert!(keys.stdout.is_empty(), "nothing was written");
    let both = [&config[..], &["--key", &first, "--key", &second]].concat();
    succeeded(&push(&etcd, &policy, &both));
    let listed = run(&[
        "policy",
        "list",
        "--store",
        &etcd.location(),
        "--config",
        &configuration,
        "--output",
        "json",
    ]);
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let listed = &listed["policies"][0];
    assert_eq!(listed["signatures"], json!([one["keyid"], two["keyid"]]));
    assert!(listed["refused"].is_null(), "{listed}");
}

#[test]
fn a_key_is_rotated_without_a_moment_in_which_a_policy_is_missing() {
    let (etcd, keyring) = (Etcd::start(), Keyring::new());
    let (old, new) = (keyring.make("2025", "ed25519"), keyring.make("2026", "ed25519"));
    let policy = Policy::built("amount-ceiling");
    succeeded(&push(&etcd, &policy, &["--key", &keyring.path("2025.key")]));
    let before = keyring.configuration("before.toml", 1, &[(&old, "")]);
    let mut node = gateway(&etcd, &before);
    node.wait_for("amount-ceiling", 1);
    // Both are trusted, and the new key signs what the old one had signed.
    let during = keyring.configuration("during.toml", 1, &[(&old, ""), (&new, "")]);
    let over = "not_after = \"2026-01-01T00:00:00Z\"";
    let after = keyring.configuration("after.toml", 1, &[(&old, over), (&new, "")]);
    node.terminate();
    let node = gateway(&etcd, &during);
    node.wait_for("amount-ceiling", 1);
    // A node on which the old key has ended already takes nothing that it alone has signed.
    let early = gateway(&etcd, &after);
    let message = early.wait_for_refusal("amount-ceiling", "signature_key_expired");
    assert!(message.contains("`2025`"), "{message}");
    let sign = ["policy", "sign", "amount-ceiling", "--store", &etcd.location()];
    let signed = run(&[&sign[..], &["--key", &keyring.path("2026.key")]].concat());
    succeeded(&signed);
    let said = String::from_utf8_lossy(&signed.stdout).into_owned();
    assert!(
        said.contains("sequence 1") && said.contains("signatures: 2"),
        "{said}"
    );
    early.wait_for("amount-ceiling", 1);
    decides(&early, 1);
    decides(&node, 1);
}

#[test]
fn a_key_is_made_once_and_its_private_half_is_for_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let keyring = Keyring::new();
    let made = keyring.make("team", "ed25519");
    let private = made["private_key_file"].as_str().expect("a path");
    let mode = std::fs::metadata(private).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let secret = std::fs::read_to_string(private).expect("a key");
    let again = run(&["policy", "keygen", "--out", &keyring.path("team")]);
    assert_eq!(again.status.code(), Some(1));
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(said.contains("not overwritten"), "{said}");
    assert_eq!(std::fs::read_to_string(private).expect("a key"), secret);
    assert!(!made.to_string().contains("PRIVATE KEY-----"), "{made}");
}

#[test]
fn a_key_that_is_none_is_told_before_the_gateway_starts() {
    let keyring = Keyring::new();
    let team = keyring.make("team", "ed25519");
    let check = |text: &str| {
        std::fs::write(keyring.path("gateway.toml"), text).expect("a configuration");
        run(&["check-config", "--config", &keyring.path("gateway.toml")])
    };
    let with_file =
        |file: &str| format!("[[policies.signatures.keys]]\nname = \"team\"\npublic_key_file = \"{file}\"\n");
    // Beside the configuration, whatever the working directory is.
    succeeded(&check(&with_file("team.pub")));
    succeeded(&check(team["configuration"].as_str().expect("a configuration")));
    for (text, needles) in [
        (
            with_file("nowhere.pub"),
            ["keys[0].public_key_file", "nowhere.pub"],
        ),
        (
            with_file("team.key"),
            ["keys[0].public_key_file", "a private key belongs"],
        ),
        (
            with_file("team.pub").replace("public_key_file", "public_key_fil"),
            ["public_key_fil", "did you mean `public_key_file`?"],
        ),
        (
            "[policies.signatures]\nthreshold = 2\n".to_owned(),
            ["policies.signatures.threshold", "no key is trusted"],
        ),
    ] {
        let output = check(&text);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        for needle in needles {
            assert!(said.contains(needle), "`{needle}` is not in: {said}");
        }
    }
}
