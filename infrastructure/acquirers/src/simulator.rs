//! The simulator as a server of its own, with a ledger that survives it: whatever it answered is on its disk, so that what was
//! really charged can be counted whatever became of those who asked.
//!
//! It speaks the protocol of `docs/acquirers.md`, and at `GET /ledger` it tells what it did.

mod faults;
mod operations;
mod routes;
mod view;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};

use crate::ledger::journal::{DurableLedger, LedgerError};
pub use faults::{FaultShares, ShareError};

/// Connections at the same time; more wait to be taken.
const MAX_CONNECTIONS: usize = 1_024;

/// How long the head of a request may take. A connection that nobody uses is closed after that long, too.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);

/// How long requests may take to end at shutdown; lost answers are waited for by nobody.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// After how long a connection is taken again, where the last could not be: file descriptors that ran out come back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Settings of the simulator's process.
#[derive(Clone, Debug)]
pub struct SimulatorConfig {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The file of its ledger, which is made where there is none. It belongs to one process at a time.
    pub ledger_path: PathBuf,
    /// How many operations, and how many cards, it keeps. Default 1,000,000, some 500 MB. Those that come then are
    /// answered that they were not processed: to forget one is to charge it twice.
    pub max_operations: usize,
    /// After how many milliseconds every answer comes. Default 0.
    pub answer_ms: u64,
    /// After how many milliseconds the slow card is answered. Default 2000.
    pub slow_ms: u64,
    /// For how many milliseconds a connection stays open whose answer is lost. Default 60,000: longer than anybody waits.
    pub lost_ms: u64,
    /// What goes wrong by chance. Default: nothing.
    pub faults: FaultShares,
}

impl SimulatorConfig {
    /// The defaults, for a ledger.
    #[must_use]
    pub fn new(listen: SocketAddr, ledger_path: PathBuf) -> Self {
        Self {
            listen,
            ledger_path,
            max_operations: 1_000_000,
            answer_ms: 0,
            slow_ms: 2_000,
            lost_ms: 60_000,
            faults: FaultShares::default(),
        }
    }
}

/// Why the simulator does not run.
#[derive(Debug, Error)]
pub enum SimulatorError {
    /// The shares of faults are none.
    #[error(transparent)]
    Shares(#[from] ShareError),
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The address cannot be listened on.
    #[error("`{address}` cannot be listened on: {cause}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        cause: io::Error,
    },
    /// The task that reads the ledger has died.
    #[error("the ledger was not read to its end")]
    Interrupted,
}

/// What every request needs.
struct Simulator {
    ledger: DurableLedger,
    config: SimulatorConfig,
    /// Requests so far, by which faults are drawn.
    requests: AtomicU64,
}

/// A simulator whose ledger is read and whose address is bound.
pub struct SimulatorServer {
    listener: TcpListener,
    address: SocketAddr,
    simulator: Arc<Simulator>,
}

impl SimulatorServer {
    /// Reads the ledger and takes the address. Nothing is served yet.
    ///
    /// # Errors
    /// When the shares of faults mean nothing, the ledger cannot be read or is in use, or the address cannot be had.
    pub async fn bind(config: SimulatorConfig) -> Result<Self, SimulatorError> {
        config.faults.check()?;
        let (path, max) = (config.ledger_path.clone(), config.max_operations);
        let ledger = spawn_blocking(move || DurableLedger::open(&path, max))
            .await
            .map_err(|_| SimulatorError::Interrupted)??;
        let failed = |cause| SimulatorError::Bind {
            address: config.listen,
            cause,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self {
            listener,
            address,
            simulator: Arc::new(Simulator {
                ledger,
                config,
                requests: AtomicU64::new(0),
            }),
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`. What was charged by then is in the ledger; answers that take longer than 2 s are not waited for.
    pub async fn run_until(self, shutdown: impl Future<Output = ()> + Send) {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        tokio::pin!(shutdown);
        loop {
            let place = Arc::clone(&places).acquire_owned();
            let taken = async {
                let place = place.await.ok()?;
                Some((self.listener.accept().await, place))
            };
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                taken = taken => match taken {
                    Some((Ok((stream, _)), place)) => {
                        let served = serve(stream, &self.simulator, &graceful);
                        connections.spawn(async move {
                            served.await;
                            drop(place);
                        });
                    }
                    Some((Err(error), _)) => {
                        tracing::warn!(%error, "a connection was not taken");
                        sleep(ACCEPT_PAUSE).await;
                    }
                    // The semaphore is never closed.
                    None => break,
                },
            }
        }
        drop(self.listener);
        if timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
            tracing::info!("connections were closed whose answers were lost or late");
        }
        connections.shutdown().await;
        // The last reference: its drop waits for the thread that writes, which is no work for this one.
        drop(spawn_blocking(move || drop(self.simulator)).await);
    }
}

fn serve(
    stream: TcpStream,
    simulator: &Arc<Simulator>,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + Send + use<> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection stays with Nagle's algorithm");
    }
    let simulator = Arc::clone(simulator);
    let service = service_fn(move |request| routes::answer(Arc::clone(&simulator), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let connection = graceful.watch(connection);
    async move {
        // How one ended is the other end's business: most of the faults are a connection that breaks.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended");
        }
    }
}
