//! TLS and users: what is taken, and what each mistake is told as.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_plugin_host::store::layout::DEFAULT_PREFIX;
use portcullis_plugin_host::store::{EtcdConfig, OpenError, PolicyStore, StoreError, StoreLocation};
use tempfile::TempDir;
use testkit::etcd::{Authority, Etcd, Issued, Setup};
use testkit::tcp_proxy::TcpProxy;

use crate::etcd_process;
use crate::fixtures::*;

use super::put;

/// An authority of its own, and an etcd that asks for its certificates.
async fn with_certificates() -> Option<(Arc<Authority>, Arc<Etcd>)> {
    let authority = Arc::new(Authority::new());
    let etcd = etcd_process::own(Setup::with_certificates(&authority)).await?;
    Some((authority, etcd))
}

fn known(authority: &Authority) -> EtcdConfig {
    EtcdConfig {
        ca_file: authority.certificate(),
        ..EtcdConfig::default()
    }
}

/// As whoever this certificate is of.
pub(super) fn shows(authority: &Authority, issued: &Issued) -> EtcdConfig {
    EtcdConfig {
        certificate_file: issued.certificate.clone(),
        key_file: issued.key.clone(),
        ..known(authority)
    }
}

pub(super) async fn open(endpoint: &str, config: &EtcdConfig) -> Result<Arc<dyn PolicyStore>, OpenError> {
    let location: StoreLocation = format!("etcd://{endpoint}").parse().unwrap();
    location.open(config).await
}

/// Why nothing can be read so.
async fn unread(endpoint: &str, config: &EtcdConfig) -> StoreError {
    let store = match open(endpoint, config).await {
        Ok(store) => store,
        Err(OpenError::Store(error)) => return error,
        Err(error) => panic!("{error}"),
    };
    let reading = tokio::time::timeout(PATIENCE, store.list());
    reading.await.expect("every call ends").unwrap_err()
}

/// A file with a secret in it, for its owner alone to read.
pub(super) fn secret(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

#[tokio::test]
async fn documents_are_written_read_and_watched_over_tls() {
    let Some((authority, etcd)) = with_certificates().await else {
        return;
    };
    let config = shows(&authority, &authority.issue("gateway"));
    let store = open(&etcd.endpoint(), &config).await.unwrap();
    let revision = put(store.as_ref(), vec![new("a")]).await.unwrap();
    let mut watch = store.watch(revision).await.unwrap();
    put(store.as_ref(), vec![new("b")]).await.unwrap();
    let (_, changed) = change(watch.as_mut()).await;
    assert_eq!(sequences(&changed), [("b".to_owned(), Some(1))]);
    assert_eq!(store.list().await.unwrap().documents.len(), 2);
}

#[tokio::test]
async fn an_etcd_that_we_do_not_know_is_told_from_one_that_does_not_know_us() {
    let Some((authority, etcd)) = with_certificates().await else {
        return;
    };
    let strangers = Authority::new();
    let endpoint = etcd.endpoint();
    for (config, expected) in [
        (known(&strangers), "`policies.etcd.ca_file`"),
        (
            known(&authority),
            "`policies.etcd.certificate_file` and `key_file`",
        ),
        (
            EtcdConfig {
                ca_file: authority.certificate(),
                ..shows(&strangers, &strangers.issue("gateway"))
            },
            "`--trusted-ca-file`",
        ),
        (
            shows(&authority, &authority.issue_expired("gateway")),
            "it has expired",
        ),
        (EtcdConfig::default(), "set `policies.etcd.ca_file`"),
    ] {
        let error = unread(&endpoint, &config).await;
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_certificate_of_etcd_that_has_expired_is_told() {
    let authority = Arc::new(Authority::new());
    let expired = authority.issue_expired("etcd");
    let mut setup = Setup::with_certificates(&authority);
    for (flag, file) in [("--cert-file", expired.certificate), ("--key-file", expired.key)] {
        setup.flags.extend([flag.to_owned(), file.display().to_string()]);
    }
    let Some(etcd) = etcd_process::own(setup).await else {
        return;
    };
    let config = shows(&authority, &authority.issue("gateway"));
    let error = unread(&etcd.endpoint(), &config).await.to_string();
    assert!(error.contains("etcd's certificate has expired"), "{error}");
}

#[tokio::test]
async fn tls_to_an_etcd_that_speaks_none_is_told() {
    let Some(etcd) = etcd_process::own(Setup::default()).await else {
        return;
    };
    let error = unread(&etcd.endpoint(), &known(&Authority::new())).await;
    assert!(
        error.to_string().contains("etcd does not speak TLS there"),
        "{error}"
    );
}

#[tokio::test]
async fn a_handshake_that_is_reset_is_told_as_a_server_without_tls() {
    let server = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let endpoint = server.local_addr().unwrap().to_string();
    // Closed with what was sent unread, which the kernel makes a reset of.
    std::thread::spawn(move || {
        while let Ok((connection, _)) = server.accept() {
            let _sent = connection.peek(&mut [0]);
        }
    });
    let error = unread(&endpoint, &known(&Authority::new())).await.to_string();
    assert!(error.contains("reset by peer"), "{error}");
    assert!(error.contains("etcd does not speak TLS there"), "{error}");
}

#[tokio::test]
async fn a_server_that_stops_in_the_handshake_of_tls_is_given_up() {
    let Some((authority, etcd)) = with_certificates().await else {
        return;
    };
    // The kernel takes the connection; nobody ever answers on it.
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let config = shows(&authority, &authority.issue("gateway"));
    let error = unread(&silent.local_addr().unwrap().to_string(), &config).await;
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");

    etcd.freeze();
    let store = open(&etcd.endpoint(), &config).await.unwrap();
    let reading = tokio::time::timeout(PATIENCE, store.list()).await;
    let error = reading.expect("every call ends").unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    etcd.thaw();
    eventually("etcd thaws", || async { store.list().await.ok() }).await;
}

#[tokio::test]
async fn a_handshake_of_tls_that_nobody_goes_on_with_is_given_up_for_a_new_one() {
    let Some((authority, etcd)) = with_certificates().await else {
        return;
    };
    let proxy = TcpProxy::start(&etcd.endpoint());
    let config = shows(&authority, &authority.issue("gateway"));
    proxy.freeze();
    let store = open(&proxy.endpoint(), &config).await.unwrap();
    let error = store.list().await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    proxy.strand();
    let listing = eventually("a new handshake", || async { store.list().await.ok() }).await;
    assert_eq!(listing.documents.len(), 0);
}

#[tokio::test]
async fn what_cannot_be_a_certificate_a_key_or_a_password_is_refused_before_anything_is_asked() {
    let (authority, folder) = (Authority::new(), TempDir::new().unwrap());
    let (ours, other) = (authority.issue("gateway"), authority.issue("other"));
    let noise = secret(folder.path(), "noise", "no PEM");
    let empty = secret(folder.path(), "empty", "\n");
    let exposed = folder.path().join("exposed");
    fs::copy(&ours.key, &exposed).unwrap();
    fs::set_permissions(&exposed, fs::Permissions::from_mode(0o644)).unwrap();
    let good = shows(&authority, &ours);
    let with = |change: &dyn Fn(&mut EtcdConfig)| {
        let mut config = good.clone();
        change(&mut config);
        config.options().unwrap_err().to_string()
    };
    for (error, parts) in [
        (
            with(&|c| c.ca_file = "missing.pem".into()),
            [
                "policies.etcd.ca_file: missing.pem: cannot be read",
                "No such file",
            ],
        ),
        (
            with(&|c| c.ca_file = noise.clone()),
            ["policies.etcd.ca_file: ", "BEGIN CERTIFICATE"],
        ),
        (
            with(&|c| c.ca_file = PathBuf::new()),
            ["policies.etcd.certificate_file: ", "`ca_file` is not"],
        ),
        (
            with(&|c| c.key_file = PathBuf::new()),
            ["policies.etcd.certificate_file: ", "`key_file` is not"],
        ),
        (
            with(&|c| c.certificate_file = PathBuf::new()),
            ["policies.etcd.key_file: ", "`certificate_file` is not"],
        ),
        (
            with(&|c| c.key_file = exposed.clone()),
            ["policies.etcd.key_file: ", "has mode 0644"],
        ),
        (
            with(&|c| c.key_file = noise.clone()),
            ["policies.etcd.key_file: ", "BEGIN PRIVATE KEY"],
        ),
        (
            with(&|c| c.key_file = other.key.clone()),
            [
                "policies.etcd.certificate_file: ",
                "does not go with the key in `key_file`",
            ],
        ),
        (
            with(&|c| c.user = "gateway".to_owned()),
            ["policies.etcd.user: ", "`password_file` is not"],
        ),
        (
            with(&|c| (c.user, c.password_file) = ("gateway".to_owned(), empty.clone())),
            ["policies.etcd.password_file: ", "expected a password"],
        ),
    ] {
        for part in parts {
            assert!(error.contains(part), "{error}");
        }
    }
    // A group may read it: so Kubernetes mounts a secret.
    fs::set_permissions(&exposed, fs::Permissions::from_mode(0o440)).unwrap();
    let mut config = good.clone();
    config.key_file = exposed;
    config.options().unwrap();
}

#[tokio::test]
async fn no_secret_is_in_what_is_logged() {
    let folder = TempDir::new().unwrap();
    let authority = Authority::new();
    let issued = authority.issue("gateway");
    let config = EtcdConfig {
        user: "gateway".to_owned(),
        password_file: secret(folder.path(), "password", "hunter2\n"),
        ..shows(&authority, &issued)
    };
    let options = config.options().unwrap();
    let (user, password) = options.credentials.clone().unwrap();
    assert_eq!((user.as_str(), password.as_str()), ("gateway", "hunter2"));
    let shown = format!("{options:?} {config:?}");
    assert!(shown.contains("gateway") && !shown.contains("hunter2"), "{shown}");
    let key = fs::read_to_string(&issued.key).unwrap();
    let secret_line = key.lines().nth(1).unwrap();
    assert!(!shown.contains(secret_line), "{shown}");
}

#[tokio::test]
async fn an_etcd_that_is_away_does_not_hinder_a_start_with_a_password() {
    let Some(etcd) = etcd_process::own(Setup::default()).await else {
        return;
    };
    let folder = TempDir::new().unwrap();
    etcd.enable_users();
    let policies = format!("{DEFAULT_PREFIX}/policies/");
    etcd.ctl_line("user add gateway:right");
    etcd.ctl_line("role add gateway");
    etcd.ctl_line(&format!(
        "role grant-permission --prefix=true gateway read {policies}"
    ));
    etcd.ctl_line("user grant-role gateway gateway");
    let as_gateway = |password: &str| EtcdConfig {
        user: "gateway".to_owned(),
        password_file: secret(folder.path(), password, password),
        ..EtcdConfig::default()
    };
    etcd.kill();
    let store = open(&etcd.endpoint(), &as_gateway("right")).await.unwrap();
    let mistaken = open(&etcd.endpoint(), &as_gateway("wrong")).await.unwrap();
    let error = store.list().await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    let again = Arc::clone(&etcd);
    tokio::task::spawn_blocking(move || again.start_again())
        .await
        .unwrap();
    eventually("etcd is back", || async { store.list().await.ok() }).await;
    let error = mistaken.list().await.unwrap_err();
    assert!(matches!(error, StoreError::Denied { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("`policies.etcd.password_file` is wrong"),
        "{error}"
    );
    // One that is there says so at once.
    let refused = open(&etcd.endpoint(), &as_gateway("wrong")).await.err().unwrap();
    assert!(
        matches!(refused, OpenError::Store(StoreError::Denied { .. })),
        "{refused}"
    );
    let nobody = unread(&etcd.endpoint(), &EtcdConfig::default()).await;
    assert!(nobody.to_string().contains("name one with"), "{nobody}");
}
