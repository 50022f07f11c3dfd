//! One connection: HTTP/1 or HTTP/2 by its first bytes, watched so that none stays open for nothing.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::HOST;
use axum::http::{StatusCode, Version};
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tower::ServiceExt;

use super::Signals;
use crate::admission::ConnectionBodies;
use crate::config::{Config, at_least_one_ms};

/// How many headers a request may have: browsers and proxies send some 30 together.
const MAX_HEADERS: usize = 64;
/// The largest head of a request, in bytes: the longest path, a fat cookie from a shared domain, and the rest.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// How many HTTP/2 requests one connection may have open: what a busy client keeps in flight, and no more than a
/// fraction of what the node takes. Clients assume 100 until they are told, and RFC 9113 advises against less.
const MAX_STREAMS: u32 = 100;
/// How much of one HTTP/2 body may be under way before it is read, in bytes: a payment with room to spare.
const STREAM_WINDOW_BYTES: u32 = 16 * 1024;
/// The same for all bodies of a connection together: what streams that wait for their turn have sent never keeps the
/// others from sending. 1.6 MiB.
const CONNECTION_WINDOW_BYTES: u32 = MAX_STREAMS * STREAM_WINDOW_BYTES;
/// How often a silent HTTP/2 peer is asked whether it lives, and how long it may take to answer.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// All connections of a server.
pub(super) struct Connections {
    builder: Builder<TokioExecutor>,
    router: Router,
    first_request: Duration,
    idle: Duration,
    signals: Signals,
}

impl Connections {
    pub(super) fn new(config: &Config, router: Router) -> Self {
        let header_read = at_least_one_ms(config.header_read_timeout_ms);
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(header_read)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD_BYTES);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX))
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT);
        Self {
            builder,
            router,
            first_request: header_read,
            idle: at_least_one_ms(config.idle_timeout_ms),
            signals: Signals::default(),
        }
    }

    /// Serves a connection on a task of its own, which holds the slot until it ends.
    pub(super) fn serve(&self, stream: TcpStream, slot: OwnedSemaphorePermit) {
        let builder = self.builder.clone();
        let router = self.router.clone();
        let watch = Watch {
            first_request: self.first_request,
            idle: self.idle,
            signals: self.signals.clone(),
        };
        self.signals.tracker.spawn(async move {
            watch.run(&builder, stream, router).await;
            drop(slot);
        });
    }

    /// Idle connections close now, the others after their present requests.
    pub(super) fn close(&self) {
        self.signals.closing.cancel();
        self.signals.tracker.close();
    }

    pub(super) async fn ended(&self) {
        self.signals.tracker.wait().await;
    }

    pub(super) fn open(&self) -> usize {
        self.signals.tracker.len()
    }

    /// Whatever is still open closes now.
    pub(super) fn cut_off(&self) {
        self.signals.cut_off.cancel();
    }
}

/// How many requests a connection has begun and ended.
#[derive(Default)]
struct Activity {
    begun: AtomicU64,
    ended: AtomicU64,
}

/// Counts a request as ended, also when it is dropped half way.
struct Ending(Arc<Activity>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

impl Activity {
    fn begin(self: &Arc<Self>) -> Ending {
        self.begun.fetch_add(1, Ordering::Relaxed);
        Ending(Arc::clone(self))
    }

    /// Whether no request was begun since `seen`, which is brought up to date, and none is being served.
    fn is_idle_since(&self, seen: &mut u64) -> bool {
        let ended = self.ended.load(Ordering::Relaxed);
        let begun = self.begun.load(Ordering::Relaxed);
        let idle = begun == *seen && begun == ended;
        *seen = begun;
        idle
    }
}

struct Watch {
    first_request: Duration,
    idle: Duration,
    signals: Signals,
}

impl Watch {
    /// Hyper bounds the time for the head of an HTTP/1 request. The rest is watched here: a client that never sends its
    /// first byte, an HTTP/2 connection without requests, a client that does not take its answers.
    async fn run(self, builder: &Builder<TokioExecutor>, stream: TcpStream, router: Router) {
        let activity = Arc::new(Activity::default());
        let bodies = ConnectionBodies::new();
        let service = service_fn(|mut request: Request<Incoming>| {
            request.extensions_mut().insert(bodies.clone());
            serve(router.clone(), request, activity.begin())
        });
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let mut closing = pin!(self.signals.closing.cancelled());
        let mut cut_off = pin!(self.signals.cut_off.cancelled());
        let mut look = pin!(tokio::time::sleep(self.first_request));
        let mut seen = 0;
        let mut told_to_close = false;
        let mut found_idle = false;
        loop {
            tokio::select! {
                result = connection.as_mut() => {
                    if let Err(error) = result {
                        tracing::debug!(%error, "connection failed");
                    }
                    return;
                }
                () = &mut closing, if !told_to_close => {
                    told_to_close = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = &mut cut_off => return,
                () = &mut look => {
                    let idle = activity.is_idle_since(&mut seen);
                    if idle && found_idle {
                        return; // It was told to close a whole period ago.
                    }
                    if idle {
                        connection.as_mut().graceful_shutdown();
                    }
                    found_idle = idle;
                    look.as_mut().reset(tokio::time::Instant::now() + self.idle);
                }
            }
        }
    }
}

async fn serve(router: Router, request: Request<Incoming>, ending: Ending) -> Result<Response, Infallible> {
    if request.version() == Version::HTTP_11 && !request.headers().contains_key(HOST) {
        // RFC 9112, 3.2. No client forgets it by accident; like the other faults of a head it gets no text.
        let mut refused = Response::new(Body::empty());
        *refused.status_mut() = StatusCode::BAD_REQUEST;
        return Ok(refused);
    }
    let response = router.oneshot(request.map(Body::new)).await;
    drop(ending);
    response
}
