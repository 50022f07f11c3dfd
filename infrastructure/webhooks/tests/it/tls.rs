//! Endpoints behind TLS.

use std::sync::Arc;

use application::ports::DeliveryState;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use testkit::etcd::Authority;
use tokio_rustls::TlsAcceptor;

use crate::receiver::Receiver;
use crate::scene::Scene;

/// An endpoint on the loopback whose certificate is for `localhost`.
async fn receiver(authority: &Authority) -> Receiver {
    let issued = authority.issue("receiver");
    let certificate = CertificateDer::from_pem_file(&issued.certificate).unwrap();
    let key = PrivateKeyDer::from_pem_file(&issued.key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Receiver::start_tls(TlsAcceptor::from(Arc::new(config))).await
}

fn scene() -> Scene {
    let mut scene = Scene::new();
    scene.config.allow_http = false;
    let mut names = scene.names.0.lock().unwrap();
    for name in ["localhost", "other.example"] {
        names.insert(name.to_owned(), vec!["127.0.0.1".parse().unwrap()]);
    }
    drop(names);
    scene
}

#[tokio::test]
async fn an_endpoint_with_a_certificate_of_a_trusted_authority_is_sent_to() {
    let authority = Authority::new();
    let mut receiver = receiver(&authority).await;
    let mut scene = scene();
    scene.config.ca_file = authority.certificate();
    let url = format!("https://localhost:{}/in", receiver.address.port());
    let endpoint = scene.endpoint("we_1", &url).await;
    let running = scene.start();
    scene.declined("pay_1").await;
    receiver.next().await;
    scene.all(&endpoint, 1, DeliveryState::Succeeded).await;
    running.stop().await;
}

#[tokio::test]
async fn an_endpoint_that_is_not_who_it_should_be_is_sent_nothing() {
    let authority = Authority::new();
    for (name, is_trusted) in [("localhost", false), ("other.example", true)] {
        let mut receiver = receiver(&authority).await;
        let mut scene = scene();
        if is_trusted {
            scene.config.ca_file = authority.certificate();
        }
        let url = format!("https://{name}:{}/in", receiver.address.port());
        let endpoint = scene.endpoint("we_1", &url).await;
        let running = scene.start();
        scene.declined("pay_1").await;
        let tried = scene.tried(&endpoint, 1).await;
        let error = tried.attempts[0].error.as_deref();
        assert_eq!(
            error,
            Some("TLS was not agreed on: is the certificate valid for the name?"),
            "{name}"
        );
        running.stop().await;
        assert!(receiver.rest().is_empty());
    }
}
