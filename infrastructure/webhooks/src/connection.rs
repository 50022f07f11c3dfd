//! A connection to an endpoint: to an address that was checked, and to no other.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, crypto};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Host;

use crate::addresses::AddressRules;
use crate::resolver::Resolver;
use crate::url_rules::Target;

/// Addresses of one name that are tried; more are left out.
const MAX_ADDRESSES: usize = 8;

/// Why webhooks cannot be sent as the configuration has it.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The file of further authorities cannot be read.
    #[error("webhooks.ca_file: `{path}` has no certificates as PEM: {reason}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Setup(rustls::Error),
}

/// Why there is no connection. The texts are for the merchant's developer: they name no address, since a name's answers inside
/// the gateway's network are not for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum ConnectError {
    #[error("the name was not found")]
    NoAddress,
    #[error("the name leads to an address that is not public")]
    NotAllowed,
    #[error("no connection was made")]
    NotConnected,
    #[error("TLS was not agreed on: is the certificate valid for the name?")]
    Tls,
}

pub(crate) trait Stream: Read + Write + Send + Unpin {}
impl<T: Read + Write + Send + Unpin> Stream for T {}

/// Makes connections.
#[derive(Clone)]
pub(crate) struct Connector {
    resolver: Arc<dyn Resolver>,
    addresses: AddressRules,
    tls: TlsConnector,
}

impl Connector {
    pub(crate) fn new(
        resolver: Arc<dyn Resolver>,
        addresses: AddressRules,
        ca_file: &std::path::Path,
    ) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        // What the system has that cannot be read is left out; without any, no endpoint is trusted but those of `ca_file`.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if !ca_file.as_os_str().is_empty() {
            let failed = |reason: String| TlsError::CaFile {
                path: ca_file.to_owned(),
                reason,
            };
            let certificates = CertificateDer::pem_file_iter(ca_file)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| failed(error.to_string()))?;
            if certificates.is_empty() {
                return Err(failed("there is none".to_owned()));
            }
            for certificate in certificates {
                roots
                    .add(certificate)
                    .map_err(|error| failed(error.to_string()))?;
            }
        }
        if roots.is_empty() {
            tracing::warn!("no authorities are trusted: no webhook goes out by https");
        }
        let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            resolver,
            addresses,
            tls: TlsConnector::from(Arc::new(config)),
        })
    }

    pub(crate) async fn connect(&self, target: &Target) -> Result<Box<dyn Stream>, ConnectError> {
        let addresses = self.addresses_of(&target.host).await?;
        let mut connected = None;
        for address in addresses.into_iter().take(MAX_ADDRESSES) {
            if let Ok(stream) = TcpStream::connect(SocketAddr::new(address, target.port)).await {
                connected = Some(stream);
                break;
            }
        }
        let stream = connected.ok_or(ConnectError::NotConnected)?;
        if !target.is_https {
            return Ok(Box::new(TokioIo::new(stream)));
        }
        let name = match &target.host {
            Host::Domain(name) => ServerName::try_from(name.clone()).map_err(|_| ConnectError::Tls)?,
            Host::Ipv4(address) => ServerName::IpAddress(IpAddr::V4(*address).into()),
            Host::Ipv6(address) => ServerName::IpAddress(IpAddr::V6(*address).into()),
        };
        let stream = self
            .tls
            .connect(name, stream)
            .await
            .map_err(|_| ConnectError::Tls)?;
        Ok(Box::new(TokioIo::new(stream)))
    }

    /// All of them must be allowed: a name that leads outside and inside is up to no good.
    async fn addresses_of(&self, host: &Host<String>) -> Result<Vec<IpAddr>, ConnectError> {
        let addresses = match host {
            Host::Ipv4(address) => vec![IpAddr::V4(*address)],
            Host::Ipv6(address) => vec![IpAddr::V6(*address)],
            Host::Domain(name) => {
                let found = self.resolver.resolve(name).await;
                found.map_err(|_| ConnectError::NoAddress)?
            }
        };
        if addresses.is_empty() {
            return Err(ConnectError::NoAddress);
        }
        if addresses.iter().any(|address| !self.addresses.allow(*address)) {
            return Err(ConnectError::NotAllowed);
        }
        Ok(addresses)
    }
}
