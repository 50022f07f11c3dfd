//! Many bodies on one HTTP/2 connection.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use portcullis_api::Config;

use super::{connect, read_until, start, write};
use crate::caller::small_payment;
use crate::fakes::World;

/// A body that is announced and never comes, or one that comes whole.
enum TestBody {
    Never,
    Whole(Option<Bytes>),
}

impl Body for TestBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.get_mut() {
            Self::Never => Poll::Pending,
            Self::Whole(body) => Poll::Ready(body.take().map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }
}

async fn open(address: SocketAddr) -> SendRequest<TestBody> {
    let stream = TokioIo::new(connect(address).await);
    let (client, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    client
}

fn request(address: SocketAddr, method: &str, path: &str, body: TestBody) -> hyper::Request<TestBody> {
    hyper::Request::builder()
        .method(method)
        .uri(format!("http://{address}{path}"))
        .header("content-type", "application/json")
        .body(body)
        .unwrap()
}

#[tokio::test]
async fn streams_that_send_no_body_hold_up_no_other_connection() {
    let config = Config {
        max_connections: 5,
        ..Config::for_tests()
    };
    let running = start(&World::new(), config).await;
    let mut clients = Vec::new();
    let mut waiting = Vec::new();
    for _ in 0..4 {
        let mut client = open(running.address).await;
        for _ in 0..50 {
            let silent = request(running.address, "POST", "/v1/payments", TestBody::Never);
            waiting.push(tokio::spawn(client.send_request(silent)));
        }
        // Streams are opened in order: once this one is answered, the others have been.
        let last = request(running.address, "GET", "/healthz", TestBody::Whole(None));
        assert_eq!(client.send_request(last).await.unwrap().status(), 200);
        clients.push(client);
    }
    let mut honest = open(running.address).await;
    for _ in 0..3 {
        let body = TestBody::Whole(Some(small_payment().to_string().into()));
        let payment = request(running.address, "POST", "/v1/payments", body);
        assert_eq!(honest.send_request(payment).await.unwrap().status(), 201);
    }
    assert!(waiting.iter().all(|silent| !silent.is_finished()));
}

#[tokio::test]
async fn bodies_of_one_connection_wait_for_each_other() {
    let config = Config {
        max_connections: 1,
        ..Config::for_tests()
    };
    let running = start(&World::new(), config).await;
    let mut client = open(running.address).await;
    let mut answers = Vec::new();
    for _ in 0..200 {
        let body = TestBody::Whole(Some(small_payment().to_string().into()));
        let payment = request(running.address, "POST", "/v1/payments", body);
        client.ready().await.unwrap();
        answers.push(tokio::spawn(client.send_request(payment)));
    }
    for answer in answers {
        assert_eq!(answer.await.unwrap().unwrap().status(), 201);
    }
}

#[tokio::test]
async fn http_1_1_without_a_host_is_refused() {
    let running = start(&World::new(), Config::for_tests()).await;
    let mut stream = connect(running.address).await;
    write(&mut stream, "GET /healthz HTTP/1.1\r\n\r\n").await;
    let answer = read_until(&mut stream, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let mut old = connect(running.address).await;
    write(&mut old, "GET /healthz HTTP/1.0\r\n\r\n").await;
    assert!(read_until(&mut old, "\"ok\"}").await.starts_with("HTTP/1.0 200"));
}
