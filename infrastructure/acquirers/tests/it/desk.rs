//! Where tests sit: a simulator on a free port of the loopback, its ledger, and an acquirer that speaks to it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use application::ports::{Acquirer, AcquirerAnswer, AcquirerError, AuthorizationRequest, CardSource};
use domain::{CardExpiry, CardNumber, Money, OperationId};
use portcullis_acquirers::simulator::{SimulatorConfig, SimulatorServer};
use portcullis_acquirers::{Config, HttpConfig, Kind, open};
use serde_json::Value;
use tempfile::TempDir;
use testkit::builders::merchant_id;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running simulator; it ends with the test's runtime, or when it is stopped.
pub(crate) struct Desk {
    pub(crate) address: SocketAddr,
    pub(crate) folder: TempDir,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Desk {
    pub(crate) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut SimulatorConfig)) -> Self {
        Self::in_folder(tempfile::tempdir().unwrap(), change).await
    }

    pub(crate) async fn in_folder(folder: TempDir, change: impl FnOnce(&mut SimulatorConfig)) -> Self {
        let mut config = SimulatorConfig::new(([127, 0, 0, 1], 0).into(), ledger_path(folder.path()));
        change(&mut config);
        let server = SimulatorServer::bind(config).await.unwrap();
        let address = server.local_addr();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(server.run_until(async move {
            stopped.await.ok();
        }));
        Self {
            address,
            folder,
            stop,
            served,
        }
    }

    /// Ends the server in order, and gives back its folder.
    pub(crate) async fn stop(self) -> TempDir {
        self.stop.send(()).unwrap();
        self.served.await.unwrap();
        self.folder
    }

    /// What it did, by its own account.
    pub(crate) async fn ledger(&self) -> Vec<Value> {
        let page = get(self.address, "/ledger").await;
        assert_eq!(page["next"], Value::Null);
        page["operations"].as_array().unwrap().clone()
    }

    /// How many operations moved money.
    pub(crate) async fn approved(&self) -> usize {
        let ledger = self.ledger().await;
        ledger
            .iter()
            .filter(|entry| entry["outcome"] == "approved")
            .count()
    }

    pub(crate) fn acquirer(&self) -> Arc<dyn Acquirer> {
        acquirer(&format!("http://{}", self.address), |_| {})
    }
}

pub(crate) fn ledger_path(folder: &Path) -> PathBuf {
    folder.join("ledger.jsonl")
}

/// An acquirer at an address. Its bounds are wide, so that a loaded machine does not reach them, where a test does not
/// narrow them.
pub(crate) fn acquirer(url: &str, change: impl FnOnce(&mut HttpConfig)) -> Arc<dyn Acquirer> {
    let mut config = Config {
        kind: Kind::Http,
        ..Config::default()
    };
    config.http.url = url.to_owned();
    config.http.connect_timeout_ms = 30_000;
    config.http.answer_timeout_ms = 120_000;
    change(&mut config.http);
    open(&config).unwrap()
}

/// Authorizes for the merchant `m_1`.
pub(crate) async fn authorize(
    acquirer: &Arc<dyn Acquirer>,
    id: &OperationId,
    card: &str,
    amount: Money,
) -> Result<AcquirerAnswer, AcquirerError> {
    acquirer
        .authorize(AuthorizationRequest {
            operation_id: id,
            merchant_id: &merchant_id("m_1"),
            amount,
            card: CardSource::Card {
                number: &CardNumber::parse(card).unwrap(),
                expiry: CardExpiry::new(12, 2030).unwrap(),
            },
            authentication: None,
        })
        .await
}

/// The body of an answer to a request of one line.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Value {
    let request = format!("GET {path} HTTP/1.1\r\nHost: simulator\r\nConnection: close\r\n\r\n");
    let (_, body) = exchange(address, &request).await;
    serde_json::from_str(&body).unwrap()
}

/// The status and the body of an answer to a request as it stands.
pub(crate) async fn exchange(address: SocketAddr, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

/// A `POST` with a JSON body.
pub(crate) async fn post(address: SocketAddr, path: &str, key: &str, body: &str) -> (u16, String) {
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: simulator\r\nConnection: close\r\nIdempotency-Key: {key}\r\nContent-Type: \
         application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    exchange(address, &request).await
}
