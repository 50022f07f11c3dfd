//! A merchant's own system: takes webhooks on the loopback, answers as it is told to, and writes down what came.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use ureq::http::{HeaderMap, HeaderName, HeaderValue};

/// For how long a sender may say nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body as it came.
    pub body: Vec<u8>,
    /// What it was answered with.
    pub answered: u16,
}

impl Received {
    /// A header, empty where it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The event in it.
    ///
    /// # Panics
    /// When it is no JSON.
    #[must_use]
    pub fn event(&self) -> Value {
        serde_json::from_slice(&self.body).expect("an event")
    }
}

/// Listens until the test ends.
pub struct WebhookReceiver {
    url: String,
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

impl WebhookReceiver {
    /// One that takes everything, unless it is told otherwise.
    ///
    /// # Panics
    /// When there is no port to listen on.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let received = Arc::new(Mutex::new(Vec::new()));
        let answers = Arc::new(Mutex::new(VecDeque::new()));
        let (writes, told) = (Arc::clone(&received), Arc::clone(&answers));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (writes, told) = (Arc::clone(&writes), Arc::clone(&told));
                thread::spawn(move || serve(stream, &writes, &told));
            }
        });
        Self {
            url: format!("http://{address}/webhooks"),
            received,
            answers,
        }
    }

    /// Where it takes webhooks.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Answers the next ones with these statuses; then it takes everything again.
    pub fn answer_next_with(&self, statuses: &[u16]) {
        lock(&self.answers).extend(statuses);
    }

    /// What has come so far.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        lock(&self.received).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One request; one that is not whole is none.
fn serve(stream: TcpStream, received: &Mutex<Vec<Received>>, answers: &Mutex<VecDeque<u16>>) -> Option<()> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut reader = BufReader::new(stream);
    let mut headers = HeaderMap::new();
    reader.read_line(&mut String::new()).ok()?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_str(value.trim()).ok()?);
    }
    let length = headers.get("content-length")?.to_str().ok()?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let answered = lock(answers).pop_front().unwrap_or(204);
    lock(received).push(Received {
        headers,
        body,
        answered,
    });
    let answer = format!("HTTP/1.1 {answered} told\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    reader.get_mut().write_all(answer.as_bytes()).ok()
}
