//! The server: accepts connections within bounds, and at shutdown lets what was begun come to its end.

mod connection;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::connection::Connections;
use crate::api_state::ApiState;
use crate::config::Config;
use crate::routes::Api;

/// How long accepting pauses when the process has no file descriptor left: connections that end meanwhile give some back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why the server could not start.
#[derive(Debug, Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    /// The configured address.
    pub address: SocketAddr,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

/// How the server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Drained {
    /// Connections that were cut off with a request on them.
    pub connections_left: usize,
    /// Payments that still ran. Their operations are durable, and stay open where the answer is missing.
    pub payments_left: usize,
}

impl Drained {
    /// Whether everything that was begun came to its end.
    #[must_use]
    pub const fn is_complete(self) -> bool {
        self.connections_left == 0 && self.payments_left == 0
    }
}

/// A bound socket, not yet served.
pub struct Server {
    api: Api,
    config: Config,
    listener: TcpListener,
    local_addr: SocketAddr,
}

impl Server {
    /// Listens. Connections wait in the kernel's queue until [`Server::run`].
    ///
    /// # Errors
    /// When the address is taken or not this machine's.
    pub async fn bind(config: Config, state: ApiState) -> Result<Self, BindError> {
        let refused = |source| BindError {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(refused)?;
        let local_addr = listener.local_addr().map_err(refused)?;
        Ok(Self {
            api: Api::new(&config, state),
            config,
            listener,
            local_addr,
        })
    }

    /// Where it listens; tells the port where the configured one was 0.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown`, then drains: `/readyz` turns 503, the listener closes, idle connections close, requests
    /// and payments end or the time is up.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Drained {
        let Self {
            api,
            config,
            listener,
            ..
        } = self;
        let connections = Connections::new(&config, api.router());
        let slots = Arc::new(Semaphore::new(
            config.max_connections.clamp(1, Semaphore::MAX_PERMITS),
        ));
        {
            let mut accepting = pin!(accept_all(listener, slots, &connections));
            tokio::select! {
                () = &mut accepting => {}
                () = shutdown => {
                    api.begin_drain();
                    let delay = Duration::from_millis(config.drain_delay_ms);
                    tracing::info!(drain.delay_ms = config.drain_delay_ms, "shutting down");
                    // Still accepting, until the time is up. A delay of 0 does not take one more.
                    if !delay.is_zero() {
                        drop(tokio::time::timeout(delay, &mut accepting).await);
                    }
                }
            }
        }
        let limit = Duration::from_millis(config.drain_timeout_ms);
        drain(&api, &connections, limit).await
    }
}

async fn accept_all(listener: TcpListener, slots: Arc<Semaphore>, connections: &Connections) {
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            return; // The semaphore is never closed.
        };
        let stream = accept(&listener).await;
        // Answers are small and whole: waiting to fill a segment would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "connection without TCP_NODELAY");
        }
        connections.serve(stream, slot);
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The connection was gone before it was accepted; the next one is not concerned.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

async fn drain(api: &Api, connections: &Connections, limit: Duration) -> Drained {
    connections.close();
    let ended = async {
        connections.ended().await;
        api.payments_ended().await;
    };
    let in_time = tokio::time::timeout(limit, ended).await.is_ok();
    let drained = if in_time {
        Drained {
            connections_left: 0,
            payments_left: 0,
        }
    } else {
        Drained {
            connections_left: connections.open(),
            payments_left: api.payments_running(),
        }
    };
    if !drained.is_complete() {
        tracing::warn!(
            drain.connections_left = drained.connections_left,
            drain.payments_left = drained.payments_left,
            "the time to drain is up"
        );
        connections.cut_off();
    }
    drained
}

/// What every connection is told: end when idle, or end now.
#[derive(Clone, Default)]
struct Signals {
    closing: CancellationToken,
    cut_off: CancellationToken,
    tracker: TaskTracker,
}
