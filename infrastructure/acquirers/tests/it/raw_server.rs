//! A server that does what a test tells it to, byte by byte.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Takes connections until it is dropped, and keeps what was sent.
pub(crate) struct RawServer {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    taking: JoinHandle<()>,
}

impl RawServer {
    /// Handles every connection with its number, from zero, after its first request was read whole.
    pub(crate) async fn start<F, R>(handle: F) -> Self
    where
        F: Fn(usize, TcpStream) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let handle = Arc::new(handle);
        let taking = tokio::spawn(async move {
            for number in 0.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (kept, handle) = (Arc::clone(&kept), Arc::clone(&handle));
                tokio::spawn(async move {
                    let request = read_request(&mut stream).await;
                    if !request.is_empty() {
                        kept.lock().unwrap().push(request);
                    }
                    handle(number, stream).await;
                });
            }
        });
        Self {
            address,
            requests,
            taking,
        }
    }

    /// Answers every request of every connection with these bytes.
    pub(crate) async fn answering(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes: Arc<[u8]> = bytes.into().into();
        Self::start(move |_, mut stream| {
            let bytes = Arc::clone(&bytes);
            async move {
                loop {
                    if stream.write_all(&bytes).await.is_err() || read_request(&mut stream).await.is_empty() {
                        return;
                    }
                }
            }
        })
        .await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The first request of each connection.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.taking.abort();
    }
}

/// One request with its body; nothing where the other end has gone.
pub(crate) async fn read_request(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return text;
            }
        }
        match stream.read(&mut buffer).await {
            Ok(length) if length > 0 => read.extend_from_slice(&buffer[..length]),
            _ => return String::new(),
        }
    }
}

/// An answer with a JSON body.
pub(crate) fn json(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The answer that approves an operation.
pub(crate) fn approval(id: &str) -> String {
    json(
        "200 OK",
        &format!("{{\"id\":\"{id}\",\"status\":\"approved\",\"reference\":\"ref_{id}\"}}"),
    )
}
