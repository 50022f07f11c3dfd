//! The whole life of a policy at the command line, on both stores: published, refused, compared, rolled back, lost, retired,
//! collected.

use std::process::Output;

use portcullis_tests::policies::publish;
use portcullis_tests::raw::run;
use portcullis_tests::{Etcd, Gateway, Payment, Policy, eventually};
use serde_json::Value;
use tempfile::TempDir;

const OLD: &str = "\"CNY=2000000\"";
const STRICTER: &str = "\"CNY=10000\"";
const NAME: &str = "amount-ceiling";

/// Somebody at a shell with a store, a key and the gateways' configuration.
struct Desk {
    store: String,
    folder: TempDir,
}

/// What a command said, and how it ended.
struct Said {
    code: Option<i32>,
    text: String,
    json: Value,
}

impl Desk {
    fn new(store: String) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let desk = Self { store, folder };
        let team = desk.keygen("team");
        desk.keygen("stranger");
        let configuration = team["configuration"].as_str().expect("a configuration");
        std::fs::write(desk.path("gateway.toml"), configuration).expect("a configuration");
        desk
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn keygen(&self, name: &str) -> Value {
        let made = run(&["policy", "keygen", "--out", &self.path(name), "--output", "json"]);
        serde_json::from_slice(&made.stdout).expect("JSON")
    }

    fn gateway(&self) -> Gateway {
        let gateway = Gateway::start_in(
            &self.store,
            &[],
            &[("PORTCULLIS_CONFIG", &self.path("gateway.toml"))],
        );
        gateway.wait_until_ready();
        gateway
    }

    /// A `policy` command on the store, as whoever holds the trusted key runs it.
    fn policy(&self, arguments: &[&str]) -> Said {
        let config = self.path("gateway.toml");
        let all = [
            "policy",
            arguments[0],
            "--store",
            &self.store,
            "--config",
            &config,
        ];
        said(&run(&[&all[..], &arguments[1..]].concat()))
    }

    /// One that publishes, signed by the trusted key.
    fn publishes(&self, arguments: &[&str]) -> Said {
        let key = self.path("team.key");
        self.policy(
            &[
                arguments,
                &["--key", &key, "--publisher", "e2e", "--output", "json"],
            ]
            .concat(),
        )
    }
}

fn said(output: &Output) -> Said {
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(!text.contains("panicked"), "{text}");
    Said {
        code: output.status.code(),
        json: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
        text,
    }
}

#[track_caller]
fn ended(said: &Said, code: i32, needles: &[&str]) {
    assert_eq!(said.code, Some(code), "{}", said.text);
    for needle in needles {
        assert!(said.text.contains(needle), "`{needle}` is not in:\n{}", said.text);
    }
}

fn file(policy: &Policy) -> String {
    policy.wasm().display().to_string()
}

/// The policy, with time for a busy machine.
fn built() -> Policy {
    Policy::built(NAME).with("deadline_ms = 5", "deadline_ms = 1000")
}

fn pays(gateways: &[Gateway], status: &str) {
    for gateway in gateways {
        assert_eq!(gateway.pay(&Payment::ordinary()).body["status"], status);
    }
}

/// `delete` takes the document away by hand.
fn lives(store: String, gateways: usize, delete: impl Fn()) {
    let desk = Desk::new(store);
    let gateways: Vec<Gateway> = std::iter::repeat_with(|| desk.gateway()).take(gateways).collect();
    let policy = built();
    let first = desk.publishes(&["push", &file(&policy), "--wait", "--timeout", "60s"]);
    ended(&first, 0, &[]);
    assert_eq!(first.json["fleet"]["end"], "converged", "{}", first.text);
    assert_eq!(first.json["fleet"]["nodes"], gateways.len());
    pays(&gateways, "authorized");

    // Signed by a key that no gateway trusts, and pushed by somebody who does not know whom they trust.
    let slipped = policy.with(OLD, STRICTER).with("1.0.0", "1.0.9");
    let wasm = file(&slipped);
    let stranger = desk.path("stranger.key");
    let push = [
        "policy",
        "push",
        &wasm,
        "--store",
        &desk.store,
        "--key",
        &stranger,
    ];
    let refused = said(&run(&[&push[..], &["--wait", "--timeout", "60s"]].concat()));
    ended(
        &refused,
        4,
        &[
            "published amount-ceiling 1.0.9",
            "signature_untrusted",
            "not converged",
        ],
    );
    pays(&gateways, "authorized");
    let status = desk.policy(&["status", "--check"]);
    ended(
        &status,
        4,
        &["in force, newer refused", "2 (differs)", "not converged"],
    );

    let stricter = built().with(OLD, STRICTER).with("1.0.0", "1.1.0");
    let second = desk.publishes(&["push", &file(&stricter), "--wait", "--timeout", "60s"]);
    ended(&second, 0, &[]);
    pays(&gateways, "declined");
    let status = desk.policy(&["status", "--check", "--output", "json"]);
    ended(&status, 0, &[]);
    assert_eq!(status.json["converged"], true, "{}", status.text);
    assert_eq!(
        status.json["nodes"][0]["policies"][0]["stands"], "as_stored",
        "{}",
        status.text
    );

    compares(&desk, &stricter);
    goes_back(&desk, &gateways);
    is_lost_and_retired(&desk, &gateways, &delete);
    collects(&desk);
}

fn compares(desk: &Desk, stricter: &Policy) {
    let history = desk.policy(&["history", NAME, "--output", "json"]);
    ended(&history, 0, &[]);
    let documents = history.json["documents"].as_array().expect("documents");
    let verified: Vec<Option<bool>> = documents.iter().map(|one| one["verified"].as_bool()).collect();
    assert_eq!(
        verified,
        [Some(true), Some(false), Some(true)],
        "{}",
        history.text
    );
    ended(
        &desk.policy(&["history", NAME]),
        0,
        &["do not hold", "hold", "e2e", "1.1.0"],
    );

    let diff = desk.policy(&["diff", NAME, "--from", "1"]);
    ended(
        &diff,
        1,
        &[
            "--- amount-ceiling 1.0.0, sequence 1",
            "parameters.ceilings",
            "CNY=10000",
            "version",
        ],
    );
    ended(
        &desk.policy(&["diff", NAME]),
        1,
        &["version: \"1.0.9\" → \"1.1.0\""],
    );
    ended(&desk.policy(&["diff", NAME, "--from", "3"]), 0, &[]);
    let same = desk.policy(&["diff", "--file", &file(stricter)]);
    ended(&same, 0, &[]);
    let diff = desk.policy(&["diff", "--file", &file(&built()), "--output", "json"]);
    ended(&diff, 1, &[]);
    let changes = diff.json["changes"].as_array().expect("changes");
    assert!(
        changes
            .iter()
            .any(|change| change["path"] == "parameters.ceilings"),
        "{}",
        diff.text
    );
    ended(
        &desk.policy(&["diff", NAME, "--from", "99"]),
        2,
        &["no sequence 99"],
    );
}

fn goes_back(desk: &Desk, gateways: &[Gateway]) {
    // What was before is not what somebody with a trusted key has signed, and nobody is to vouch for it by accident.
    let refused = desk.publishes(&["rollback", NAME]);
    ended(&refused, 3, &["signature_untrusted"]);
    let looked = desk.publishes(&["rollback", NAME, "--to", "1", "--dry-run"]);
    ended(&looked, 0, &[]);
    assert_eq!(looked.json["policies"][0]["version"], "1.0.0", "{}", looked.text);
    pays(gateways, "declined");
    let back = desk.publishes(&["rollback", NAME, "--to", "1", "--wait", "--timeout", "60s"]);
    ended(&back, 0, &[]);
    assert_eq!(back.json["policies"][0]["sequence"], 4, "{}", back.text);
    pays(gateways, "authorized");
    let again = desk.publishes(&["rollback", NAME, "--to", "3", "--wait", "--timeout", "60s"]);
    ended(&again, 0, &[]);
    pays(gateways, "declined");
}

fn is_lost_and_retired(desk: &Desk, gateways: &[Gateway], delete: &impl Fn()) {
    delete();
    for gateway in gateways {
        let _said = gateway.wait_for_refusal(NAME, "document_gone");
    }
    pays(gateways, "declined");
    let status = eventually("the nodes to report it", || {
        let status = desk.policy(&["status", "--check"]);
        status.text.contains("document gone").then_some(status)
    });
    ended(&status, 4, &["in force, document gone", "retires nothing"]);

    let unreasoned = desk.publishes(&["retire", NAME, "--yes"]);
    ended(&unreasoned, 2, &["--reason"]);
    let retire = ["retire", NAME, "--reason", "replaced by another", "--yes"];
    let retired = desk.publishes(&[&retire[..], &["--wait", "--timeout", "60s"]].concat());
    ended(&retired, 0, &[]);
    assert_eq!(retired.json["policies"][0]["retired"], true, "{}", retired.text);
    assert_eq!(retired.json["policies"][0]["sequence"], 6, "{}", retired.text);
    pays(gateways, "authorized");
    ended(
        &desk.policy(&["status", "--check"]),
        0,
        &["retired", "replaced by another", "converged"],
    );
    let listed = desk.policy(&["list", "--output", "json"]);
    assert_eq!(
        listed.json["policies"],
        Value::Array(Vec::new()),
        "{}",
        listed.text
    );
    ended(
        &desk.policy(&["list", "--all"]),
        0,
        &["amount-ceiling", "retired"],
    );
    ended(
        &desk.policy(&["history", NAME]),
        0,
        &["retirement", "retired it: replaced by another"],
    );
}

fn collects(desk: &Desk) {
    let looked = desk.policy(&["gc", "--keep", "1", "--dry-run", "--output", "json"]);
    ended(&looked, 0, &[]);
    let expected = (looked.json["artifacts"].clone(), looked.json["history"].clone());
    assert_eq!(expected.0.as_array().map(Vec::len), Some(1), "{}", looked.text);
    assert_eq!(expected.1.as_array().map(Vec::len), Some(5), "{}", looked.text);
    let collected = desk.policy(&["gc", "--keep", "1", "--output", "json"]);
    ended(&collected, 0, &[]);
    assert_eq!(
        (
            collected.json["artifacts"].clone(),
            collected.json["history"].clone()
        ),
        expected
    );
    ended(&desk.policy(&["gc", "--keep", "1"]), 0, &["deleted 0 artifacts"]);
    // It comes back from its source, under the next sequence.
    let back = desk.publishes(&["push", &file(&built()), "--wait", "--timeout", "60s"]);
    ended(&back, 0, &[]);
    assert_eq!(back.json["policies"][0]["sequence"], 7, "{}", back.text);
}

#[test]
fn a_policy_lives_and_ends_in_etcd() {
    let etcd = Etcd::start();
    lives(etcd.location(), 2, || {
        let deleted = etcd
            .etcdctl()
            .args(["del", "/portcullis/v1/policies/amount-ceiling"])
            .status();
        assert!(deleted.expect("etcdctl runs").success());
    });
}

#[test]
fn a_policy_lives_and_ends_in_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = format!("dir:{}", folder.path().display());
    lives(store, 1, || {
        std::fs::remove_file(folder.path().join("policies/amount-ceiling")).expect("the document is there");
    });
}

/// A store without a gateway on it.
fn is_tried(store: String) {
    let desk = Desk::new(store);
    let policy = built();
    let unheard = desk.publishes(&["push", &file(&policy), "--wait", "--timeout", "1s"]);
    ended(&unheard, 4, &[]);
    assert_eq!(unheard.json["fleet"]["end"], "no_node", "{}", unheard.text);
    let next = built().with(OLD, STRICTER).with("1.0.0", "2.0.0");
    let candidate = ["push", &file(&next), "--candidate", "--stage", "canary"];
    ended(&desk.publishes(&candidate), 1, &["--percent"]);
    let tried = desk.publishes(&[&candidate[..], &["--percent", "5", "--max-p99-us", "900"]].concat());
    ended(&tried, 0, &[]);
    let document = &tried.json["policies"][0]["document"];
    assert_eq!(document["version"], "1.0.0", "{}", tried.text);
    let on_trial = &document["candidate"];
    assert_eq!(
        (&on_trial["version"], &on_trial["stage"]),
        (&"2.0.0".into(), &"canary".into())
    );
    assert_eq!(
        (&on_trial["percent"], &on_trial["gates"]["max_p99_us"]),
        (&5.into(), &900.into())
    );
    let more = desk.publishes(&["promote", NAME, "--percent", "20"]);
    ended(&more, 0, &[]);
    assert_eq!(
        more.json["policies"][0]["document"]["candidate"]["percent"], 20,
        "{}",
        more.text
    );
    ended(
        &desk.policy(&["history", NAME]),
        0,
        &["candidate", "had 2.0.0 as canary on 20 %"],
    );
    let promoted = desk.publishes(&["promote", NAME]);
    ended(&promoted, 0, &[]);
    let document = &promoted.json["policies"][0]["document"];
    assert_eq!(
        (&document["version"], &document["candidate"]),
        (&"2.0.0".into(), &Value::Null)
    );
    ended(&desk.publishes(&["promote", NAME]), 1, &["no candidate"]);
    // Unsigned, and so not to be vouched for.
    publish(&desk.store, &[&policy]);
    ended(
        &desk.publishes(&[&candidate[..], &["--percent", "5"]].concat()),
        3,
        &["signature_missing"],
    );
}

#[test]
fn a_candidate_is_tried_and_promoted_in_etcd() {
    let etcd = Etcd::start();
    is_tried(etcd.location());
}

#[test]
fn a_candidate_is_tried_and_promoted_in_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    is_tried(format!("dir:{}", folder.path().display()));
}
