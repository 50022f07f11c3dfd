//! An endpoint on the loopback that answers as it is told to, and writes down what it was sent.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

/// Longer than anything here takes on a machine that is loaded many times over.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The largest request that is read: more than any event.
const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// What was sent.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// How a request is answered.
#[derive(Clone, Debug)]
pub(crate) enum Behaviour {
    /// These bytes, then the end.
    Answer(String),
    /// Nothing, and the connection stays open.
    Hang,
    /// Nothing, and the connection ends.
    Close,
}

pub(crate) fn status(line: &str) -> Behaviour {
    Behaviour::Answer(format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\n\r\n"))
}

/// The endpoint.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    received: mpsc::Receiver<Received>,
    behaviours: Arc<Mutex<VecDeque<Behaviour>>>,
}

impl Receiver {
    /// One that takes everything, unless it is told otherwise.
    pub(crate) async fn start() -> Self {
        Self::listen(None).await
    }

    /// The same behind TLS.
    pub(crate) async fn start_tls(acceptor: TlsAcceptor) -> Self {
        Self::listen(Some(acceptor)).await
    }

    async fn listen(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, received) = mpsc::channel(1_000);
        let behaviours = Arc::new(Mutex::new(VecDeque::new()));
        let told = Arc::clone(&behaviours);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (sender, told, tls) = (sender.clone(), Arc::clone(&told), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, sender, told).await,
                        // Whoever does not trust it leaves in the handshake.
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, sender, told).await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            address,
            received,
            behaviours,
        }
    }

    /// Says of the next requests how they are answered.
    pub(crate) fn then(&self, behaviours: impl IntoIterator<Item = Behaviour>) {
        self.behaviours.lock().unwrap().extend(behaviours);
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/in", self.address)
    }

    pub(crate) async fn next(&mut self) -> Received {
        let received = tokio::time::timeout(PATIENCE, self.received.recv()).await;
        received.expect("nothing was sent").unwrap()
    }

    /// What has come beside what was asked for.
    pub(crate) fn rest(&mut self) -> Vec<Received> {
        std::iter::from_fn(|| self.received.try_recv().ok()).collect()
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    sender: mpsc::Sender<Received>,
    behaviours: Arc<Mutex<VecDeque<Behaviour>>>,
) {
    let Some(received) = read(&mut stream).await else {
        return;
    };
    let behaviour = behaviours.lock().unwrap().pop_front();
    sender.send(received).await.unwrap();
    match behaviour.unwrap_or_else(|| status("204 No Content")) {
        Behaviour::Answer(bytes) => {
            // The other end may have seen enough.
            let _written = stream.write_all(bytes.as_bytes()).await;
            let _ended = stream.shutdown().await;
        }
        Behaviour::Hang => {
            // Until the other end goes.
            let _ended = stream.read(&mut [0; 1]).await;
        }
        Behaviour::Close => {}
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Received> {
    let mut bytes = Vec::new();
    loop {
        if let Some(head_ends) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..head_ends].to_vec()).unwrap();
            let mut lines = head.split("\r\n");
            let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
            let pair = |line: &str| {
                let (name, value) = line.split_once(':').unwrap();
                (name.to_ascii_lowercase(), value.trim().to_owned())
            };
            let headers: HashMap<String, String> = lines.map(pair).collect();
            let length: usize = headers["content-length"].parse().unwrap();
            let body = &bytes[head_ends + 4..];
            if body.len() >= length {
                let body = body.to_vec();
                return Some(Received { path, headers, body });
            }
        }
        assert!(bytes.len() < MAX_REQUEST_BYTES, "a request that never ends");
        let mut piece = [0; 4_096];
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&piece[..read]),
        }
    }
}
