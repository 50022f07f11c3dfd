//! Documents and artifacts that are bad: each is refused by name, and the old release still decides.

use portcullis_tests::policies::publish;
use portcullis_tests::raw::{digest, document};
use portcullis_tests::{Etcd, Gateway, Payment, Policy};
use serde_json::{Value, json};

struct Scene {
    etcd: Etcd,
    gateway: Gateway,
    good: Policy,
}

impl Scene {
    /// A gateway on which `amount-ceiling` decides under sequence 1.
    fn start() -> Self {
        let etcd = Etcd::start();
        let good = Policy::built("amount-ceiling");
        publish(&etcd.location(), &[&good]);
        let gateway = Gateway::start(&etcd.location());
        gateway.wait_for("amount-ceiling", 1);
        Self { etcd, gateway, good }
    }

    /// The good document with something changed, under the next sequence.
    fn document(&self, change: impl FnOnce(&mut Value)) -> Value {
        let mut document = document("amount-ceiling", 2, &self.good);
        change(&mut document);
        document
    }

    /// Waits for the refusal, and sees that the old release still decides. Says the refusal's message.
    fn refused(&self, code: &str) -> String {
        self.refused_saying(code, "")
    }

    /// The same of the refusal that says this.
    fn refused_saying(&self, code: &str, needle: &str) -> String {
        let message = self
            .gateway
            .wait_for_refusal_saying("amount-ceiling", code, needle);
        let answer = self.gateway.pay(&Payment::ordinary());
        assert_eq!(
            (answer.status, &answer.body["status"]),
            (201, &"authorized".into()),
            "{}",
            answer.text
        );
        assert_eq!(
            answer.body["risk"]["policies"][0]["sequence"], 1,
            "the old release decides"
        );
        message
    }
}

#[test]
fn bad_artifacts_are_refused_by_name_and_the_old_release_decides() {
    let scene = Scene::start();

    // A digest that does not match: the stored bytes are others than the document names.
    let wrong = format!("sha256:{}", "ab".repeat(32));
    scene.etcd.put_artifact(&wrong, &scene.good);
    scene.etcd.put_document(
        "amount-ceiling",
        &scene.document(|d| d["artifact"]["digest"] = json!(wrong)),
    );
    let message = scene.refused("digest_mismatch");
    assert!(
        message.contains(&wrong) && message.contains(&digest(&scene.good)),
        "{message}"
    );

    // A truncated chunk.
    let bytes = std::fs::read(scene.good.wasm()).expect("an artifact");
    let short = Policy::of(&bytes[..bytes.len() - 100], "");
    let altered = format!("sha256:{}", "cd".repeat(32));
    scene.etcd.put_artifact(&altered, &short);
    scene.etcd.put_document(
        "amount-ceiling",
        &scene.document(|d| d["artifact"]["digest"] = json!(altered)),
    );
    let message = scene.refused("chunk_size");
    assert!(message.contains(&(bytes.len() - 100).to_string()), "{message}");

    // A chunk that is not there.
    let missing = format!("sha256:{}", "ef".repeat(32));
    scene.etcd.put_document(
        "amount-ceiling",
        &scene.document(|d| d["artifact"]["digest"] = json!(missing)),
    );
    assert!(scene.refused("chunk_missing").contains("chunk 0"));

    // Bytes that are no WebAssembly.
    let text = Policy::of(b"#!/bin/sh\necho I am a policy\n", "");
    scene.etcd.put_artifact(&digest(&text), &text);
    scene
        .etcd
        .put_document("amount-ceiling", &document("amount-ceiling", 2, &text));
    let message = scene.refused("not_a_component");
    assert!(
        message.contains("no WebAssembly") && message.contains("#!/bin/s"),
        "{message}"
    );

    // A component of another world.
    let other = Policy::misbehaving("other-world");
    scene.etcd.put_artifact(&digest(&other), &other);
    scene
        .etcd
        .put_document("amount-ceiling", &document("amount-ceiling", 2, &other));
    let message = scene.refused("contract_mismatch");
    assert!(
        message.contains("`describe`") && message.contains("noon-temperature"),
        "{message}"
    );

    // A component that wants the network.
    let network = Policy::of(
        &wat::parse_str(r#"(component (import "wasi:sockets/network@0.2.6" (instance)))"#)
            .expect("a component"),
        "",
    );
    scene.etcd.put_artifact(&digest(&network), &network);
    scene
        .etcd
        .put_document("amount-ceiling", &document("amount-ceiling", 2, &network));
    assert!(
        scene
            .refused("forbidden_import")
            .contains("wasi:sockets/network@0.2.6")
    );

    // And a good one comes into force after all of them.
    let good = scene.document(|d| d["parameters"] = json!({"ceilings": ["CNY=10000"]}));
    scene.etcd.put_document("amount-ceiling", &good);
    scene.gateway.wait_for("amount-ceiling", 2);
    assert_eq!(scene.gateway.pay(&Payment::ordinary()).body["status"], "declined");
}

#[test]
fn bad_documents_are_refused_by_name_and_the_old_release_decides() {
    let scene = Scene::start();
    scene.etcd.put_artifact(&digest(&scene.good), &scene.good);
    for (code, change, needle) in [
        ("name_mismatch", json!({"name": "another"}), "`another`"),
        ("document_invalid", json!({"limit": {}}), "did you mean `limits`"),
        ("document_invalid", json!({"limits": {"fuel": 0}}), "limits.fuel"),
        (
            "other_contract",
            json!({"contract": "portcullis:policy@9.0.0"}),
            "9.0.0",
        ),
        (
            "expired",
            json!({"not_after": "2020-01-01T00:00:00Z"}),
            "2020-01-01",
        ),
        (
            "not_yet_valid",
            json!({"not_before": "2099-01-01T00:00:00Z"}),
            "2099-01-01",
        ),
        (
            "unknown_parameter",
            json!({"parameters": {"ceiling": ["CNY=1"]}}),
            "parameters.ceiling",
        ),
        (
            "parameter_kind",
            json!({"parameters": {"ceilings": 5}}),
            "list of strings",
        ),
        ("chunk_missing", json!({"candidate": candidate()}), "candidate: "),
    ] {
        let changed = scene.document(|document| {
            for (key, value) in change.as_object().expect("an object") {
                document[key] = value.clone();
            }
        });
        scene.etcd.put_document("amount-ceiling", &changed);
        let _said = scene.refused_saying(code, needle);
    }
    scene.etcd.put_value("amount-ceiling", b"not even JSON");
    let message = scene.refused("envelope_invalid");
    assert!(message.contains("line 1"), "{message}");
}

/// A candidate as the design writes it.
fn candidate() -> Value {
    json!({
        "artifact": {"digest": format!("sha256:{}", "00".repeat(32)), "size": 1, "chunks": 1},
        "version": "1.5.0", "stage": "shadow", "percent": 5,
        "gates": {"max_fault_ratio": 0.001, "max_p99_us": 500, "max_decision_drift": 0.02},
    })
}

#[test]
fn an_older_sequence_is_a_replay() {
    let scene = Scene::start();
    scene.etcd.put_artifact(&digest(&scene.good), &scene.good);
    scene
        .etcd
        .put_document("amount-ceiling", &scene.document(|d| d["sequence"] = json!(5)));
    scene.gateway.wait_for("amount-ceiling", 5);
    scene
        .etcd
        .put_document("amount-ceiling", &scene.document(|d| d["sequence"] = json!(4)));
    let message = scene
        .gateway
        .wait_for_refusal("amount-ceiling", "sequence_replayed");
    assert!(
        message.contains("at least 5") && message.contains("found 4"),
        "{message}"
    );
    assert_eq!(
        scene.gateway.policy("amount-ceiling").expect("listed")["in_force"]["sequence"],
        5
    );
}

#[test]
fn refusals_are_in_the_status_the_log_and_the_metrics() {
    let scene = Scene::start();
    scene.etcd.put_value("amount-ceiling", b"{}");
    let message = scene
        .gateway
        .wait_for_refusal("amount-ceiling", "envelope_invalid");
    let logged = scene.gateway.log().iter().any(|line| {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        line["policy.name"] == "amount-ceiling"
            && line["code"] == "envelope_invalid"
            && line["level"] == "WARN"
    });
    assert!(logged, "{}", scene.gateway.log().join("\n"));
    let metrics = scene.gateway.get("/metrics").text;
    assert!(
        metrics.contains("portcullis_policy_loads_total{result=\"envelope_invalid\"} 1"),
        "{metrics}"
    );
    assert!(metrics.contains("portcullis_policies_refused 1"), "{metrics}");
    let status = portcullis_tests::eventually("the node's report", || {
        let output = portcullis_tests::raw::run(&["policy", "status", "--store", &scene.etcd.location()]);
        let text = String::from_utf8(output.stdout).expect("text");
        text.contains("envelope_invalid").then_some(text)
    });
    assert!(
        status.contains("refused") && status.contains(message.get(..20).expect("a message")),
        "{status}"
    );
}

#[test]
fn push_refuses_what_a_node_would_refuse_before_anything_is_written() {
    let etcd = Etcd::start();
    let manifest = "name = \"bad\"\nversion = \"1.0.0\"\n[failure_mode]\ndefault = \"review\"\n";
    let other = std::fs::read(Policy::misbehaving("other-world").wasm()).expect("a component");
    for (bytes, code) in [
        (&b"no wasm"[..], "not_a_component"),
        (&other, "contract_mismatch"),
    ] {
        let pushed = Policy::of(bytes, manifest).push(&etcd.location());
        let said = String::from_utf8_lossy(&pushed.stderr).into_owned();
        assert_eq!(pushed.status.code(), Some(3), "{said}");
        assert!(said.contains(code), "{said}");
    }
    let keys = etcd
        .etcdctl()
        .args(["get", "--prefix", "--keys-only", "/portcullis/"])
        .output()
        .expect("etcdctl runs");
    assert!(
        keys.stdout.is_empty(),
        "{}",
        String::from_utf8_lossy(&keys.stdout)
    );
}
