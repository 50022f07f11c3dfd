//! A gateway that etcd knows by its certificate or by a password, with the rights of `docs/policy-store.md` and no others.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use portcullis_tests::build::portcullis;
use portcullis_tests::{Gateway, Payment, Policy, eventually};
use serde_json::Value;
use tempfile::TempDir;
use testkit::documentation;
use testkit::etcd::{Authority, Etcd, Setup};

/// An etcd with the users of the documentation.
struct Guarded {
    authority: Arc<Authority>,
    etcd: Etcd,
    folder: TempDir,
}

impl Guarded {
    fn start() -> Self {
        let authority = Arc::new(Authority::new());
        let etcd = Etcd::start(&Setup::with_certificates(&authority));
        let folder = TempDir::new().expect("a folder");
        secret(&folder.path().join("gateway-2.password"), "hunter2\n");
        secret(&folder.path().join("root.password"), "pw\n");
        documentation::run(
            &documentation::example("policy-store.md", "Rights in etcd"),
            folder.path(),
            &etcd.variables(Some(&authority.issue("root"))),
        );
        etcd.is_used_as_root();
        Self {
            authority,
            etcd,
            folder,
        }
    }

    fn location(&self) -> String {
        format!("etcd://{}", self.etcd.endpoint())
    }

    /// `portcullis policy …` as the publisher, whose certificate the flags name.
    fn policy(&self, arguments: &[&str]) -> Output {
        let publisher = self.authority.issue("risk-team");
        Command::new(portcullis())
            .arg("policy")
            .args(arguments)
            .args(["--store", &self.location()])
            .arg("--etcd-ca-file")
            .arg(self.authority.certificate())
            .arg("--etcd-certificate-file")
            .arg(publisher.certificate)
            .env("PORTCULLIS_POLICIES__ETCD__KEY_FILE", publisher.key)
            .output()
            .expect("the command runs")
    }

    fn publish(&self, policy: &Policy) {
        let wasm = policy.wasm().display().to_string();
        let pushed = self.policy(&["push", &wasm]);
        let errors = String::from_utf8_lossy(&pushed.stderr);
        assert!(pushed.status.success(), "{errors}");
    }

    /// A configuration beside its files, which it names by paths that begin there.
    fn configuration(&self, node: &str, certificate_of: &str, more: &str) -> PathBuf {
        let issued = self.authority.issue(certificate_of);
        let folder = self.folder.path();
        for (from, to) in [
            (self.authority.certificate(), "ca.pem".to_owned()),
            (issued.certificate, format!("{node}.pem")),
            (issued.key, format!("{node}.key")),
        ] {
            std::fs::copy(from, folder.join(to)).expect("a file");
        }
        let text = format!(
            "[policies]\nnode_id = \"{node}\"\n[policies.etcd]\nca_file = \"ca.pem\"\ncertificate_file = \"{node}.pem\"\nkey_file = \"{node}.key\"\n{more}"
        );
        let path = folder.join(format!("{node}.toml"));
        std::fs::write(&path, text).expect("a configuration");
        path
    }

    fn gateway(&self, configuration: &Path) -> Gateway {
        let configuration = configuration.display().to_string();
        Gateway::start_in(&self.location(), &[], &[("PORTCULLIS_CONFIG", &configuration)])
    }
}

fn secret(path: &Path, text: &str) {
    std::fs::write(path, text).expect("a secret");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
}

#[test]
fn gateways_known_by_certificate_and_by_password_follow_decide_and_report() {
    let guarded = Guarded::start();
    let policy = Policy::built("amount-ceiling").with("deadline_ms = 5", "deadline_ms = 1000");
    guarded.publish(&policy);
    let password = "user = \"gateway-2\"\npassword_file = \"gateway-2.password\"\n";
    let gateways = [
        guarded.gateway(&guarded.configuration("gateway-1", "gateway-1", "")),
        guarded.gateway(&guarded.configuration("gateway-2", "nobody", password)),
    ];
    for gateway in &gateways {
        gateway.wait_for("amount-ceiling", 1);
        assert_eq!(gateway.pay(&Payment::ordinary()).body["status"], "authorized");
    }
    guarded.publish(&policy.with("\"CNY=2000000\"", "\"CNY=10000\""));
    for gateway in &gateways {
        gateway.wait_for("amount-ceiling", 2);
        assert_eq!(gateway.pay(&Payment::ordinary()).body["status"], "declined");
    }
    eventually("both to report what they run", || {
        let status = guarded.policy(&["status", "--output", "json"]);
        let status: Value = serde_json::from_slice(&status.stdout).ok()?;
        let nodes = status["nodes"].as_array()?;
        let runs = |node: &Value| node["policies"][0]["sequence"] == 2;
        (nodes.len() == 2 && nodes.iter().all(runs)).then_some(())
    });
    for gateway in &gateways {
        let log = gateway.log().join("\n");
        assert!(!log.contains("hunter2") && !log.contains("denied"), "{log}");
    }
}

#[test]
fn what_is_wrong_with_the_access_is_said_by_check_config_and_at_the_start() {
    let guarded = Guarded::start();
    let check = |configuration: &Path| {
        let output = Command::new(portcullis())
            .args(["check-config", "--store", &guarded.location(), "--config"])
            .arg(configuration)
            .output()
            .expect("the command runs");
        (
            output.status.code(),
            String::from_utf8(output.stderr).expect("text"),
        )
    };
    let good = guarded.configuration("gateway-1", "gateway-1", "");
    assert_eq!(check(&good), (Some(0), String::new()));
    let key = guarded.folder.path().join("gateway-1.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("its mode");
    let (code, error) = check(&good);
    assert_eq!(code, Some(1));
    assert!(
        error.contains("policies.etcd.key_file: ") && error.contains("has mode 0644"),
        "{error}"
    );
    secret(&guarded.folder.path().join("wrong.password"), "wrong");
    let wrong = "user = \"gateway-2\"\npassword_file = \"wrong.password\"\n";
    let wrong = guarded.configuration("gateway-2", "nobody", wrong);
    assert_eq!(check(&wrong).0, Some(0), "only etcd knows its passwords");
    let served = Command::new(portcullis())
        .current_dir(guarded.folder.path())
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--store",
            &guarded.location(),
            "--config",
        ])
        .arg(wrong)
        .output()
        .expect("the command runs");
    let error = String::from_utf8_lossy(&served.stderr);
    assert!(
        !served.status.success() && error.contains("what is in `policies.etcd.password_file` is wrong"),
        "{error}"
    );
    assert!(!error.contains("hunter2"), "{error}");
}
