//! What a gateway's user may do in etcd, and that it may do nothing else: by the lines of `docs/policy-store.md`.

use std::process::{Command, Output};
use std::sync::Arc;

use portcullis_plugin_host::artifact::{self, Artifact};
use portcullis_plugin_host::node_status::NodeId;
use portcullis_plugin_host::store::{EtcdConfig, PolicyStore, StoreError, Transaction};
use tempfile::TempDir;
use testkit::documentation::{example, run};
use testkit::etcd::{Authority, Etcd, Issued, Setup};

use crate::etcd_process;
use crate::fixtures::*;

use super::access::{open, secret, shows};

/// An etcd whose users and roles are those of the documentation, switched on.
struct Granted {
    authority: Arc<Authority>,
    etcd: Arc<Etcd>,
    folder: TempDir,
}

impl Granted {
    async fn start() -> Option<Self> {
        let authority = Arc::new(Authority::new());
        let etcd = etcd_process::own(Setup::with_certificates(&authority)).await?;
        let folder = TempDir::new().unwrap();
        secret(folder.path(), "gateway-2.password", "hunter2\n");
        secret(folder.path(), "root.password", "pw\n");
        let shown = authority.issue("root");
        run(
            &example("policy-store.md", "Rights in etcd"),
            folder.path(),
            &etcd.variables(Some(&shown)),
        );
        etcd.is_used_as_root();
        Some(Self {
            authority,
            etcd,
            folder,
        })
    }

    /// Known by a certificate of this name.
    fn certificate(&self, name: &str) -> EtcdConfig {
        shows(&self.authority, &self.authority.issue(name))
    }

    /// Known by a password, over a connection whose certificate is of somebody whom etcd does not know.
    fn password(&self) -> EtcdConfig {
        EtcdConfig {
            user: "gateway-2".to_owned(),
            password_file: self.folder.path().join("gateway-2.password"),
            ..self.certificate("somebody")
        }
    }

    async fn open(&self, config: &EtcdConfig) -> Arc<dyn PolicyStore> {
        open(&self.etcd.endpoint(), config).await.unwrap()
    }

    /// `etcdctl` as whoever this certificate is of.
    fn etcdctl(&self, shown: &Issued, user: &[&str], arguments: &[&str]) -> Output {
        Command::new("etcdctl")
            .envs(self.etcd.variables(Some(shown)))
            .args(user)
            .args(arguments)
            .output()
            .unwrap()
    }
}

/// A document, its artifact, and a history, written by a publisher.
async fn published(granted: &Granted) -> Artifact {
    let publisher = granted.open(&granted.certificate("risk-team")).await;
    let artifact = Artifact::new(noise(100_000, 3)).unwrap();
    let transaction = Transaction {
        artifacts: vec![artifact.clone()],
        documents: vec![new("a")],
    };
    publisher.put(transaction).await.unwrap();
    artifact
}

fn assert_denied<T: std::fmt::Debug>(answer: Result<T, StoreError>, says: &str) {
    let error = answer.unwrap_err();
    assert!(matches!(error, StoreError::Denied { .. }), "{error}");
    assert!(error.to_string().contains(says), "{error}");
}

#[tokio::test]
async fn a_gateway_can_follow_the_store_and_report_with_the_rights_of_the_documentation() {
    let Some(granted) = Granted::start().await else {
        return;
    };
    let artifact = published(&granted).await;
    for (node, config) in [
        ("gateway-1", granted.certificate("gateway-1")),
        ("gateway-2", granted.password()),
    ] {
        let store = granted.open(&config).await;
        let listing = store.list().await.unwrap();
        assert_eq!(listing.documents.len(), 1);
        artifact::fetch(store.as_ref(), artifact.reference())
            .await
            .unwrap();
        store.watch(listing.revision).await.unwrap();
        let node = NodeId::parse(node).unwrap();
        // Three times: a lease is made, kept alive, and the status under it changed.
        for status in [&b"{}"[..], b"{}", b"{\"a\":1}"] {
            store.report(&node, status).await.unwrap();
        }
    }
    let publisher = granted.open(&granted.certificate("risk-team")).await;
    assert_eq!(publisher.nodes().await.unwrap().len(), 2);
    assert_eq!(publisher.last_sequence(&name("a")).await, Ok(1));
    let revision = publisher.list().await.unwrap().documents[0].mod_revision;
    super::put(publisher.as_ref(), vec![write("a", 2, Some(revision))])
        .await
        .unwrap();
}

#[tokio::test]
async fn etcd_refuses_a_gateway_everything_else() {
    let Some(granted) = Granted::start().await else {
        return;
    };
    let artifact = published(&granted).await;
    let prefix = "/portcullis/v1";
    let chunk = format!("{prefix}/artifacts/{}/000000", artifact.reference().digest());
    for (node, other, shown, user) in [
        ("gateway-1", "gateway-2", "gateway-1", &[][..]),
        (
            "gateway-2",
            "gateway-1",
            "somebody",
            &["--user", "gateway-2:hunter2"],
        ),
    ] {
        let shown = granted.authority.issue(shown);
        let own = format!("{prefix}/nodes/{node}");
        let allowed = granted.etcdctl(&shown, user, &["put", &own, "{}"]);
        assert!(allowed.status.success(), "{allowed:?}");
        let in_prefix = |key: &str| format!("{prefix}/{key}");
        for arguments in [
            &["put", &in_prefix("policies/a"), "x"][..],
            &["put", &in_prefix("policies/b"), "x"],
            &["del", &in_prefix("policies/a")],
            &["del", "--prefix", &in_prefix("policies/")],
            &["put", &in_prefix("policies-history/a/1"), "x"],
            &["get", &in_prefix("policies-history/a/1")],
            &["del", &in_prefix("policies-history/a/1")],
            &["put", &chunk, "x"],
            &["del", &chunk],
            &["put", &in_prefix(&format!("nodes/{other}")), "x"],
            &["del", &in_prefix(&format!("nodes/{other}"))],
            &["get", &in_prefix(&format!("nodes/{other}"))],
            &["get", "--prefix", &in_prefix("nodes/")],
            &["get", "--prefix", prefix],
            &["get", "--prefix", ""],
            &["get", "/other"],
            &["put", "/other", "x"],
            &["user", "add", "mallory:x"],
            &[
                "role",
                "grant-permission",
                "portcullis-gateway",
                "readwrite",
                "/other",
            ],
            &["auth", "disable"],
        ] {
            let refused = granted.etcdctl(&shown, user, arguments);
            let errors = String::from_utf8_lossy(&refused.stderr);
            assert!(
                !refused.status.success() && errors.contains("permission denied"),
                "{node} {arguments:?}: {errors}"
            );
        }
    }
}

#[tokio::test]
async fn a_right_that_is_missing_is_named_with_the_command_that_gives_it() {
    let Some(granted) = Granted::start().await else {
        return;
    };
    let artifact = published(&granted).await;
    let store = granted.open(&granted.certificate("gateway-1")).await;
    let node = NodeId::parse("gateway-7").unwrap();
    assert_denied(
        store.report(&node, b"{}").await,
        "has `write` on `/portcullis/v1/nodes/gateway-7`",
    );
    assert_denied(
        super::put(store.as_ref(), vec![new("b")]).await,
        "has `--prefix=true readwrite` on `/portcullis/v1/policies/`, `/portcullis/v1/policies-history/`",
    );
    assert_denied(
        store.nodes().await,
        "`etcdctl role grant-permission ROLE --prefix=true read KEY`",
    );
    assert_denied(
        store.last_sequence(&name("a")).await,
        "`/portcullis/v1/policies-history/a/`",
    );

    granted
        .etcd
        .ctl_line("role revoke-permission portcullis-gateway --prefix=true /portcullis/v1/policies/");
    granted
        .etcd
        .ctl_line("role revoke-permission portcullis-gateway --prefix=true /portcullis/v1/artifacts/");
    let missing = "the user that our certificate's common name stands for has `--prefix=true read` on `/portcullis/v1/policies/`";
    assert_denied(store.list().await, missing);
    assert_denied(store.watch(1).await.map(drop), missing);
    let digest = artifact.reference().digest();
    assert_denied(
        store.chunk(digest, 0).await,
        &format!("has `read` on `/portcullis/v1/artifacts/{digest}/000000`"),
    );
    let by_password = granted.open(&granted.password()).await;
    assert_denied(by_password.list().await, "the user `gateway-2` has");
}
