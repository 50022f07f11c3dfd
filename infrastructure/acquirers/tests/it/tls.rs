//! TLS to the acquirer: whom it is spoken with, and that nothing is said before.

use std::path::Path;
use std::sync::Arc;

use application::ports::{AcquirerAnswer, AcquirerError};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use testkit::builders::{cny, operation_id};
use testkit::etcd::{Authority, Issued};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::desk::{Desk, acquirer, authorize};

/// Speaks TLS with this certificate before a simulator, and gives back its port.
async fn terminate(issued: &Issued, desk: &Desk) -> u16 {
    let chain = CertificateDer::pem_file_iter(&issued.certificate)
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let key = PrivateKeyDer::from_pem_file(&issued.key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let (port, behind) = (listener.local_addr().unwrap().port(), desk.address);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut server = TcpStream::connect(behind).await.unwrap();
                tokio::io::copy_bidirectional(&mut stream, &mut server).await.ok();
            });
        }
    });
    port
}

async fn ask(host: &str, port: u16, ca_file: &Path) -> Result<AcquirerAnswer, AcquirerError> {
    let acquirer = acquirer(&format!("https://{host}:{port}"), |config| {
        config.ca_file = ca_file.to_owned();
    });
    authorize(&acquirer, &operation_id("op_1"), "4242424242424242", cny(100)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acquirer_of_the_authority_is_spoken_to() {
    let authority = Authority::new();
    let desk = Desk::open().await;
    let port = terminate(&authority.issue("acquirer"), &desk).await;
    for host in ["127.0.0.1", "localhost"] {
        let answer = ask(host, port, &authority.certificate()).await;
        assert!(
            matches!(answer, Ok(AcquirerAnswer::Approved { .. })),
            "{host}: {answer:?}"
        );
    }
    assert_eq!(desk.approved().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_else_hears_of_a_card() {
    let (authority, other) = (Authority::new(), Authority::new());
    let desk = Desk::open().await;
    let right = terminate(&authority.issue("acquirer"), &desk).await;
    let expired = terminate(&authority.issue_expired("acquirer"), &desk).await;
    for (port, ca_file) in [
        (right, other.certificate()),
        (expired, authority.certificate()),
        // What the system trusts.
        (right, Path::new("").to_owned()),
    ] {
        let answer = ask("127.0.0.1", port, &ca_file).await;
        let Err(AcquirerError::NotSent { reason }) = answer else {
            panic!("{answer:?}");
        };
        assert!(reason.contains("certificate"), "{reason}");
    }
    assert!(desk.ledger().await.is_empty());
}

#[tokio::test]
async fn an_authority_that_is_none_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    for (text, found) in [
        ("", "there is none"),
        ("no PEM", "there is none"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "",
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        let config = portcullis_acquirers::HttpConfig {
            url: "https://acquirer.example".to_owned(),
            ca_file: file.clone(),
            ..Default::default()
        };
        let refused = portcullis_acquirers::HttpAcquirer::open(&config)
            .map(drop)
            .unwrap_err()
            .to_string();
        assert!(
            refused.starts_with("acquirer.http.ca_file: ") && refused.contains(found),
            "{refused}"
        );
    }
}
