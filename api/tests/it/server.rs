//! The server over real sockets: bounds on connections, and the end.

mod many_streams;

use std::net::{SocketAddr, TcpStream as Client};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use portcullis_api::{Config, Drained, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::caller::small_payment;
use crate::fakes::World;

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Drained>,
}

async fn start(world: &World, config: Config) -> Running {
    run(Server::bind(config, world.state()).await.unwrap())
}

fn run(server: Server) -> Running {
    let address = server.local_addr();
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(server.run(async { stopped.await.unwrap_or_default() }));
    Running { address, stop, ended }
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

async fn write(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

/// Reads until the text was seen, or the end of the stream.
async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(text) {
        let mut piece = [0; 4_096];
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => break,
            Ok(length) => read.extend_from_slice(&piece[..length]),
        }
    }
    String::from_utf8_lossy(&read).into_owned()
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    read_until(stream, "\u{0}never\u{0}").await
}

fn post_payment() -> String {
    let body = small_payment().to_string();
    format!(
        "POST /v1/payments HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

const COMPLETE: Drained = Drained {
    connections_left: 0,
    payments_left: 0,
};

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request() {
    let running = start(&World::new(), Config::for_tests()).await;
    let mut stream = connect(running.address).await;
    for _ in 0..2 {
        write(&mut stream, "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert!(
            read_until(&mut stream, "\"ok\"}")
                .await
                .starts_with("HTTP/1.1 200")
        );
    }
    running.stop.send(()).unwrap();
    assert_eq!(running.ended.await.unwrap(), COMPLETE);
}

fn is_answered(client: &Client) -> bool {
    client.peek(&mut [0]).is_ok()
}

#[tokio::test]
async fn answers_that_are_ready_together_leave_behind_each_other() {
    const TOGETHER: usize = 8;
    let clients: Arc<std::sync::OnceLock<Vec<Client>>> = Arc::default();
    let served = Arc::new(AtomicUsize::new(0));
    let answered_before = Arc::new(AtomicUsize::new(0));
    let mut state = World::new().state();
    let (seen, count, found) = (clients.clone(), served.clone(), answered_before.clone());
    state.render_metrics = Arc::new(move || {
        let answered = seen.wait().iter().filter(|client| is_answered(client)).count();
        count.fetch_add(1, Ordering::Relaxed);
        found.fetch_add(answered, Ordering::Relaxed);
        String::new()
    });
    let server = Server::bind(Config::for_tests(), state).await.unwrap();
    let mut asking = Vec::new();
    for _ in 0..TOGETHER {
        // Whether or not anybody accepts the connection yet.
        let mut stream = connect(server.local_addr()).await;
        write(&mut stream, "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await;
        asking.push(stream.into_std().unwrap());
    }
    let clients = clients.get_or_init(|| asking);
    let running = run(server);
    while !clients.iter().all(is_answered) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(served.load(Ordering::Relaxed), TOGETHER);
    assert_eq!(answered_before.load(Ordering::Relaxed), 0);
    running.stop.send(()).unwrap();
    assert_eq!(running.ended.await.unwrap(), COMPLETE);
}

#[tokio::test]
async fn shutdown_closes_idle_connections_and_the_listener() {
    let running = start(&World::new(), Config::for_tests()).await;
    let mut used = connect(running.address).await;
    write(&mut used, "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    read_until(&mut used, "\"ok\"}").await;
    let mut silent = connect(running.address).await;
    running.stop.send(()).unwrap();
    assert_eq!(read_to_end(&mut used).await, "");
    assert_eq!(read_to_end(&mut silent).await, "");
    assert_eq!(running.ended.await.unwrap(), COMPLETE);
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn shutdown_lets_a_payment_end_and_answers_it() {
    let world = World::new();
    let running = start(&world, Config::for_tests()).await;
    world.acquirer.hold();
    let mut stream = connect(running.address).await;
    write(&mut stream, &post_payment()).await;
    world.acquirer.called(1).await;
    running.stop.send(()).unwrap();
    world.acquirer.release();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(running.ended.await.unwrap(), COMPLETE);
    assert_eq!(world.repository.statuses(), ["authorized"]);
}

#[tokio::test]
async fn shutdown_waits_for_a_payment_whose_client_has_gone() {
    let world = World::new();
    let running = start(&world, Config::for_tests()).await;
    world.acquirer.hold();
    let mut stream = connect(running.address).await;
    write(&mut stream, &post_payment()).await;
    world.acquirer.called(1).await;
    drop(stream);
    running.stop.send(()).unwrap();
    world.acquirer.release();
    assert_eq!(running.ended.await.unwrap(), COMPLETE);
    assert_eq!(world.repository.statuses(), ["authorized"]);
}

#[tokio::test]
async fn a_drain_that_takes_too_long_says_what_is_left() {
    let world = World::new();
    let config = Config {
        drain_timeout_ms: 20,
        ..Config::for_tests()
    };
    let running = start(&world, config).await;
    world.acquirer.hold();
    let mut stream = connect(running.address).await;
    write(&mut stream, &post_payment()).await;
    world.acquirer.called(1).await;
    running.stop.send(()).unwrap();
    let drained = running.ended.await.unwrap();
    assert_eq!((drained.connections_left, drained.payments_left), (1, 1));
    assert!(!drained.is_complete());
    assert_eq!(read_to_end(&mut stream).await, "", "the connection is cut off");
}

#[tokio::test]
async fn while_the_load_balancer_is_told_requests_are_still_taken() {
    let config = Config {
        drain_delay_ms: 3_600_000,
        ..Config::for_tests()
    };
    let running = start(&World::new(), config).await;
    running.stop.send(()).unwrap();
    loop {
        let mut stream = connect(running.address).await;
        write(
            &mut stream,
            "GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        )
        .await;
        let answer = read_to_end(&mut stream).await;
        if answer.contains("draining") {
            assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
            break;
        }
    }
    running.ended.abort();
}

#[tokio::test]
async fn a_client_that_never_ends_its_head_is_cut_off() {
    let config = Config {
        header_read_timeout_ms: 30,
        idle_timeout_ms: 30,
        ..Config::for_tests()
    };
    let running = start(&World::new(), config).await;
    for beginning in ["", "PRI * HT", "GET /healthz HTTP/1.1\r\nho"] {
        let mut stream = connect(running.address).await;
        write(&mut stream, beginning).await;
        read_to_end(&mut stream).await;
    }
}

#[tokio::test]
async fn an_http_2_connection_without_requests_is_closed() {
    let config = Config {
        header_read_timeout_ms: 30,
        idle_timeout_ms: 30,
        ..Config::for_tests()
    };
    let running = start(&World::new(), config).await;
    let mut stream = connect(running.address).await;
    // The preface and an empty SETTINGS frame.
    write(
        &mut stream,
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0",
    )
    .await;
    read_to_end(&mut stream).await;
}

#[tokio::test]
async fn http_2_is_served_on_the_same_port() {
    let running = start(&World::new(), Config::for_tests()).await;
    let stream = TokioIo::new(connect(running.address).await);
    let (mut client, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    let client_task = tokio::spawn(connection);
    let url = format!("http://{}/v1/payments", running.address);
    let request = hyper::Request::post(url)
        .header("content-type", "application/json")
        .body(small_payment().to_string())
        .unwrap();
    let answer = client.send_request(request).await.unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.version(), hyper::Version::HTTP_2);
    running.stop.send(()).unwrap();
    drop(answer);
    assert_eq!(running.ended.await.unwrap(), COMPLETE);
    client_task.await.unwrap().unwrap();
}

#[tokio::test]
async fn connections_beyond_the_bound_wait_their_turn() {
    let config = Config {
        max_connections: 1,
        ..Config::for_tests()
    };
    let running = start(&World::new(), config).await;
    let mut first = connect(running.address).await;
    let mut second = connect(running.address).await;
    write(
        &mut second,
        "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    )
    .await;
    write(&mut first, "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    read_until(&mut first, "\"ok\"}").await;
    let mut one = [0; 1];
    let nothing_yet = second.try_read(&mut one);
    assert!(nothing_yet.is_err(), "the only place is taken");
    drop(first);
    assert!(read_to_end(&mut second).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_head_with_too_much_in_it_is_refused() {
    let running = start(&World::new(), Config::for_tests()).await;
    let many: String = (0..65).map(|n| format!("x-{n}: 1\r\n")).collect();
    let fat = format!("x-fat: {}\r\n", "x".repeat(20_000));
    for headers in [many, fat] {
        let mut stream = connect(running.address).await;
        // The server may close while it is still being written to.
        let head = format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        drop(stream.write_all(head.as_bytes()).await);
        let answer = read_to_end(&mut stream).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn an_address_that_is_taken_is_told() {
    let world = World::new();
    let first = Server::bind(Config::for_tests(), world.state()).await.unwrap();
    let config = Config {
        listen: first.local_addr(),
        ..Config::for_tests()
    };
    let Err(refused) = Server::bind(config, world.state()).await else {
        panic!("bound twice");
    };
    assert_eq!(
        refused.to_string(),
        format!("cannot listen on {}", first.local_addr())
    );
}
