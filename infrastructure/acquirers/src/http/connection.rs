//! Connections to the acquirer: TLS, and bounds on how long one takes to stand and how many are kept.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Uri;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::{ClientConfig, crypto};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower::{BoxError, Service};

use super::OpenHttpError;
use super::files;
use crate::config::HttpConfig;

/// How long a connection that nobody uses is kept. Shorter than the 60 s after which balancers commonly close one, so that few are
/// found dead.
const IDLE_FOR: Duration = Duration::from_secs(30);

/// After how long TCP asks whether the other end is still there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(15);

/// The largest head of an answer, in bytes; also how much of a body is read at once.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// The most headers of an answer. An acquirer's have some ten.
const MAX_HEADERS: usize = 64;

pub(super) type Client = legacy::Client<Connector, Full<Bytes>>;

/// Opens connections, each within the bound: name, TCP and TLS together.
#[derive(Clone)]
pub(super) struct Connector {
    inner: HttpsConnector<HttpConnector>,
    within: Duration,
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (within, connecting) = (self.within, self.inner.call(uri));
        Box::pin(async move {
            match timeout(within, connecting).await {
                Ok(connected) => connected,
                Err(_) => Err(format!("no connection within {} ms", within.as_millis()).into()),
            }
        })
    }
}

/// How the acquirer is known: by the authorities of the file, or by those that the system trusts.
pub(super) fn tls(ca_file: &Path) -> Result<ClientConfig, OpenHttpError> {
    let failed = |error: &dyn std::fmt::Display| OpenHttpError::Tls(error.to_string());
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?;
    let builder = match files::authorities(ca_file)? {
        Some(roots) => builder.with_root_certificates(roots),
        None => builder.with_native_roots().map_err(|error| failed(&error))?,
    };
    // Nothing is sent before the handshake has ended: rustls sends early data only where it is told to.
    Ok(builder.with_no_client_auth())
}

/// A client that sends nothing twice by itself.
pub(super) fn client(config: &HttpConfig, tls: ClientConfig) -> Client {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(KEEPALIVE_AFTER));
    tcp.set_connect_timeout(Some(config.connect_timeout()));
    let inner = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        // Which of the two it is, the address says, and that was checked.
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    let connector = Connector {
        inner,
        within: config.connect_timeout(),
    };
    legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_FOR)
        .pool_max_idle_per_host(config.max_connections)
        // What is sent again, and what the error is then, is decided in one place: see `call`.
        .retry_canceled_requests(false)
        .http1_max_buf_size(MAX_HEAD_BYTES)
        .http1_max_headers(MAX_HEADERS)
        .build(connector)
}
