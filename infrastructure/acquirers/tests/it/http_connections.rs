//! How a connection may fail, and what is known of the operation then.

use std::time::Duration;

use application::ports::{AcquirerAnswer, AcquirerError};
use testkit::builders::{cny, merchant_id, operation_id};
use testkit::tcp_proxy::TcpProxy;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::desk::{Desk, acquirer, authorize};
use crate::raw_server::{RawServer, approval, read_request};

const CARD: &str = "4242424242424242";

/// What an authorization comes to at this address.
async fn asked(url: &str, answer_timeout_ms: u64) -> Result<AcquirerAnswer, AcquirerError> {
    let acquirer = acquirer(url, |config| {
        config.answer_timeout_ms = answer_timeout_ms;
        config.connect_timeout_ms = answer_timeout_ms / 4;
    });
    authorize(&acquirer, &operation_id("op_1"), CARD, cny(100)).await
}

fn assert_not_sent(answer: &Result<AcquirerAnswer, AcquirerError>) {
    assert!(matches!(answer, Err(AcquirerError::NotSent { .. })), "{answer:?}");
}

fn assert_unknown(answer: &Result<AcquirerAnswer, AcquirerError>) {
    assert!(
        matches!(answer, Err(AcquirerError::OutcomeUnknown { .. })),
        "{answer:?}"
    );
}

/// Handles a connection by sending these bytes and closing it.
async fn sending(bytes: &'static [u8]) -> RawServer {
    RawServer::start(move |_, mut stream: TcpStream| async move {
        stream.write_all(bytes).await.ok();
    })
    .await
}

#[tokio::test]
async fn an_acquirer_that_takes_no_connection_was_sent_nothing() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert_not_sent(&asked(&url, 120_000).await);
}

#[tokio::test]
async fn a_name_that_leads_nowhere_was_sent_nothing() {
    let acquirer = acquirer("http://acquirer.invalid", |config| config.allow_plaintext = true);
    assert_not_sent(&authorize(&acquirer, &operation_id("op_1"), CARD, cny(100)).await);
}

#[tokio::test]
async fn a_handshake_that_never_ends_was_sent_nothing() {
    let silent = RawServer::start(|_, stream: TcpStream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let url = silent.url().replace("http://", "https://");
    assert_not_sent(&asked(&url, 2_000).await);
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_was_sent_nothing() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let plain = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.ok();
        }
    });
    assert_not_sent(&asked(&url, 120_000).await);
    plain.abort();
}

#[tokio::test]
async fn a_connection_that_closes_before_an_answer_is_tried_three_times_and_unknown() {
    for bytes in [&b""[..], b"HTTP/1.1 200 O", b"HTTP/1.1 200 OK\r\nContent-"] {
        let server = sending(bytes).await;
        assert_unknown(&asked(&server.url(), 120_000).await);
        assert_eq!(server.requests().len(), 3);
        for request in server.requests() {
            assert_eq!(request, server.requests()[0], "the same under the same key");
        }
    }
}

#[tokio::test]
async fn a_request_that_is_sent_again_gets_its_answer() {
    let server = RawServer::start(|number, mut stream: TcpStream| async move {
        if number == 2 {
            stream.write_all(approval("op_1").as_bytes()).await.ok();
        }
    })
    .await;
    let answer = asked(&server.url(), 120_000).await;
    assert!(
        matches!(answer, Ok(AcquirerAnswer::Approved { .. })),
        "{answer:?}"
    );
}

#[tokio::test]
async fn once_it_may_have_been_sent_a_refused_connection_leaves_it_unknown() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let taken = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // Whoever tries again finds nobody.
        drop(listener);
        read_request(&mut stream).await
    });
    assert_unknown(&asked(&url, 120_000).await);
    assert!(taken.await.unwrap().contains("idempotency-key: op_1"));
}

#[tokio::test]
async fn an_answer_that_is_none_is_not_asked_for_again() {
    let endless_head: &[u8] = Box::leak(
        format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(100_000))
            .into_bytes()
            .into_boxed_slice(),
    );
    let large: &[u8] = Box::leak(
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 70000\r\n\r\n{}",
            " ".repeat(70_000)
        )
        .into_bytes()
        .into_boxed_slice(),
    );
    let chunked: &[u8] = Box::leak(
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{}",
            format!("1000\r\n{}\r\n", " ".repeat(0x1000)).repeat(32)
        )
        .into_bytes()
        .into_boxed_slice(),
    );
    for bytes in [
        &b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 70\r\n\r\n{\"id\":"[..],
        b"\x16\x03\x01\x02\x00 this is no HTTP at all\r\n\r\n",
        b"HTTP/1.1 999999 \r\n\r\n",
        endless_head,
        large,
        chunked,
    ] {
        let server = sending(bytes).await;
        let answer = asked(&server.url(), 120_000).await;
        assert_unknown(&answer);
        assert_eq!(server.requests().len(), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn silence_ends_within_the_bound() {
    let silent = RawServer::start(|_, stream: TcpStream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    assert_unknown(&asked(&silent.url(), 2_000).await);
    assert_eq!(silent.requests().len(), 1);
}

#[tokio::test]
async fn an_answer_byte_by_byte_ends_within_the_bound() {
    let slow = RawServer::start(|_, mut stream: TcpStream| async move {
        // An answer that never ends, of bytes that always come.
        let mut pace = tokio::time::interval(Duration::from_millis(5));
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n";
        for byte in head.iter().chain(std::iter::repeat(&b' ')) {
            pace.tick().await;
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
        }
    })
    .await;
    assert_unknown(&asked(&slow.url(), 2_000).await);
}

#[tokio::test]
async fn without_a_free_connection_nothing_is_sent() {
    let silent = RawServer::start(|_, stream: TcpStream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let acquirer = acquirer(&silent.url(), |config| {
        config.max_connections = 1;
        config.connect_timeout_ms = 50;
    });
    let first = {
        let acquirer = acquirer.clone();
        tokio::spawn(async move { authorize(&acquirer, &operation_id("op_1"), CARD, cny(100)).await })
    };
    while silent.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_not_sent(&authorize(&acquirer, &operation_id("op_2"), CARD, cny(100)).await);
    first.abort();
    assert_eq!(silent.requests().len(), 1);
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = RawServer::answering(approval("op_1")).await;
    let acquirer = acquirer(&server.url(), |_| {});
    for _ in 0..5 {
        authorize(&acquirer, &operation_id("op_1"), CARD, cny(100))
            .await
            .unwrap();
    }
    // The first of each connection are kept.
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_died_while_nobody_used_them_are_replaced() {
    let desk = Desk::open().await;
    let proxy = TcpProxy::start(&desk.address.to_string());
    let acquirer = acquirer(&format!("http://{}", proxy.endpoint()), |_| {});
    for round in 0..5 {
        let id = operation_id(&format!("op_{round}"));
        authorize(&acquirer, &id, CARD, cny(100)).await.unwrap();
        proxy.cut();
        proxy.heal();
    }
    assert_eq!(desk.approved().await, 5);
    for entry in desk.ledger().await {
        assert_eq!(entry["card_last4"], "4242");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_leaves_the_outcome_unknown_until_somebody_inquires() {
    let desk = Desk::open().await;
    let proxy = TcpProxy::start(&desk.address.to_string());
    let acquirer = acquirer(&format!("http://{}", proxy.endpoint()), |config| {
        config.connect_timeout_ms = 1_000;
        config.answer_timeout_ms = 2_000;
    });
    proxy.freeze();
    let id = operation_id("op_1");
    assert_unknown(&authorize(&acquirer, &id, CARD, cny(100)).await);
    proxy.heal();
    // What the partition held back may come before the inquiry or after it: either way there is one truth.
    let patient = crate::desk::acquirer(&format!("http://{}", proxy.endpoint()), |_| {});
    let first = patient.inquire(&id, &merchant_id("m_1")).await.unwrap();
    let second = patient.inquire(&id, &merchant_id("m_1")).await.unwrap();
    assert_eq!(first, second);
    assert!(desk.approved().await <= 1);
}
