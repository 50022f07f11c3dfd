//! What each answer of an acquirer is taken for.

use application::ports::{AcquirerAnswer, AcquirerError, CardKept, InquiryAnswer, KeepCardRequest};
use domain::payment::DeclineCode;
use domain::{CardExpiry, CardNumber};
use testkit::builders::{cny, merchant_id, operation_id, payment_id};

use crate::desk::{acquirer, authorize};
use crate::raw_server::{RawServer, approval, json};

const CARD: &str = "4242424242424242";

/// What an answer may be taken for.
#[derive(Debug, PartialEq, Eq)]
enum Taken {
    Approved,
    Declined(DeclineCode),
    NotSent,
    Unknown,
}

/// What an authorization comes to that is answered so, the error's text, and how often it was sent.
async fn taken(answer: &str) -> (Taken, String, usize) {
    let server = RawServer::start({
        // Each on a connection of its own, so that requests can be counted.
        let answer = answer.replacen("\r\n", "\r\nConnection: close\r\n", 1);
        move |_, mut stream: tokio::net::TcpStream| {
            let answer = answer.clone();
            async move {
                tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes())
                    .await
                    .ok();
            }
        }
    })
    .await;
    let acquirer = acquirer(&server.url(), |_| {});
    let answer = authorize(&acquirer, &operation_id("op_1"), CARD, cny(100)).await;
    let sent = server.requests();
    for request in &sent {
        assert!(request.contains("idempotency-key: op_1\r\n"), "{request}");
    }
    let (taken, reason) = match answer {
        Ok(AcquirerAnswer::Approved { .. }) => (Taken::Approved, String::new()),
        Ok(AcquirerAnswer::Declined { code }) => (Taken::Declined(code), String::new()),
        Err(AcquirerError::NotSent { reason }) => (Taken::NotSent, reason),
        Err(AcquirerError::OutcomeUnknown { reason }) => (Taken::Unknown, reason),
    };
    assert!(
        !reason.contains(CARD) && !reason.contains(char::is_control) && reason.len() < 800,
        "{reason}"
    );
    (taken, reason, sent.len())
}

#[tokio::test]
async fn an_answer_of_the_protocol_is_believed() {
    let (approved, ..) = taken(&approval("op_1")).await;
    assert_eq!(approved, Taken::Approved);
    for (code, expected) in [
        ("card_declined", DeclineCode::CardDeclined),
        ("insufficient_funds", DeclineCode::InsufficientFunds),
        ("not_permitted", DeclineCode::NotPermitted),
        // None of the protocol's, and one that is not the acquirer's to say.
        ("51", DeclineCode::CardDeclined),
        ("risk_policy", DeclineCode::CardDeclined),
        ("", DeclineCode::CardDeclined),
    ] {
        let body = format!("{{\"id\":\"op_1\",\"status\":\"declined\",\"code\":\"{code}\"}}");
        let (declined, ..) = taken(&json("200 OK", &body)).await;
        assert_eq!(declined, Taken::Declined(expected), "{code}");
    }
}

#[tokio::test]
async fn only_an_acquirer_that_says_so_refused() {
    let refused = "{\"id\":\"op_1\",\"status\":\"refused\",\"message\":\"amount\"}";
    for status in ["400 Bad Request", "403 Forbidden", "422 Unprocessable"] {
        let (answer, ..) = taken(&json(status, refused)).await;
        assert_eq!(answer, Taken::Declined(DeclineCode::NotPermitted), "{status}");
    }
    // Something between the two answers so.
    for status in [
        "400 Bad Request",
        "401 Unauthorized",
        "404 Not Found",
        "413 Too Large",
    ] {
        for body in [
            "{\"error\":\"no\"}",
            "{}",
            "",
            "{\"id\":\"op_2\",\"status\":\"refused\"}",
        ] {
            let (answer, reason, sent) = taken(&json(status, body)).await;
            assert_eq!((answer, sent), (Taken::Unknown, 1), "{status} {body}: {reason}");
        }
    }
}

#[tokio::test]
async fn an_acquirer_that_did_nothing_and_says_so_is_asked_again_and_then_was_sent_nothing() {
    let body = "{\"id\":\"op_1\",\"status\":\"not_processed\"}";
    for status in ["429 Too Many Requests", "503 Service Unavailable"] {
        let (answer, reason, sent) = taken(&json(status, body)).await;
        assert_eq!((answer, sent), (Taken::NotSent, 3), "{status}: {reason}");
    }
}

#[tokio::test]
async fn every_other_answer_leaves_the_outcome_unknown() {
    let not_processed = "{\"id\":\"op_1\",\"status\":\"not_processed\"}";
    let approved = "{\"id\":\"op_1\",\"status\":\"approved\",\"reference\":\"r\"}";
    for answer in [
        json("500 Internal Server Error", not_processed),
        json("502 Bad Gateway", not_processed),
        json("504 Gateway Timeout", ""),
        json("503 Service Unavailable", "{}"),
        json(
            "503 Service Unavailable",
            "{\"id\":\"op_2\",\"status\":\"not_processed\"}",
        ),
        json("429 Too Many Requests", ""),
        json("409 Conflict", "{\"id\":\"op_1\",\"status\":\"under_way\"}"),
        json("202 Accepted", "{\"id\":\"op_1\",\"status\":\"under_way\"}"),
        json("202 Accepted", approved),
        json("201 Created", approved),
        json("500 Internal Server Error", approved),
        json("200 OK", &approved.replace("op_1", "op_2")),
        json("200 OK", &approved.replace("\"r\"", "\"\"")),
        json(
            "200 OK",
            &approved.replace("\"r\"", &format!("\"{}\"", "r".repeat(129))),
        ),
        json("200 OK", &approved.replace("\"r\"", "\"a\\nb\"")),
        json("200 OK", &approved.replace("\"r\"", "7")),
        json("200 OK", "{\"id\":\"op_1\",\"status\":\"refused\"}"),
        json("200 OK", "{\"id\":\"op_1\",\"status\":\"never_received\"}"),
        json(
            "200 OK",
            "{\"id\":\"op_1\",\"status\":\"4242424242424242\\n\\u001b[31m\"}",
        ),
        json("200 OK", "{\"id\":\"op_1\",\"status\":\"approved\""),
        json("200 OK", "[]"),
        json("200 OK", &"[".repeat(60_000)),
        json("200 OK", "\u{fffd}"),
        json("200 OK", approved).replace("application/json", "text/html"),
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned(),
        "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
    ] {
        let (taken, reason, sent) = taken(&answer).await;
        assert_eq!((taken, sent), (Taken::Unknown, 1), "{answer}: {reason}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = RawServer::answering(approval("op_1")).await;
    for status in [
        "301 Moved",
        "302 Found",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let answer = format!(
            "HTTP/1.1 {status}\r\nLocation: {}/v1/operations\r\nContent-Length: 0\r\n\r\n",
            elsewhere.url()
        );
        let (taken, reason, _) = taken(&answer).await;
        assert_eq!(taken, Taken::Unknown, "{status}: {reason}");
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn an_inquiry_closes_a_name_by_the_words_of_the_protocol_alone() {
    let never = "{\"id\":\"op_1\",\"status\":\"never_received\"}";
    for (answer, expected) in [
        (json("200 OK", never), Some(InquiryAnswer::NeverReceived)),
        (
            json("200 OK", "{\"id\":\"op_1\",\"status\":\"under_way\"}"),
            Some(InquiryAnswer::UnderWay),
        ),
        (json("404 Not Found", never), None),
        (json("404 Not Found", ""), None),
        (
            json("422 Unprocessable", "{\"id\":\"op_1\",\"status\":\"refused\"}"),
            None,
        ),
        (json("200 OK", &never.replace("op_1", "op_2")), None),
        (json("200 OK", "{}"), None),
    ] {
        let server = RawServer::answering(answer.clone()).await;
        let acquirer = acquirer(&server.url(), |_| {});
        let told = acquirer.inquire(&operation_id("op_1"), &merchant_id("m_1")).await;
        assert_eq!(told.ok(), expected, "{answer}");
        let requests = server.requests();
        assert!(requests[0].starts_with("POST /v1/inquiries HTTP/1.1\r\n"));
        assert!(requests[0].ends_with("{\"operation_id\":\"op_1\",\"merchant_id\":\"m_1\"}"));
    }
}

#[tokio::test]
async fn a_card_is_kept_where_there_is_a_name_for_it() {
    for (answer, expected) in [
        (
            json(
                "200 OK",
                "{\"id\":\"pay_1\",\"status\":\"kept\",\"token\":\"tok\"}",
            ),
            Some("tok"),
        ),
        (json("200 OK", "{\"id\":\"pay_1\",\"status\":\"kept\"}"), None),
        (
            json(
                "200 OK",
                "{\"id\":\"pay_2\",\"status\":\"kept\",\"token\":\"tok\"}",
            ),
            None,
        ),
    ] {
        let server = RawServer::answering(answer).await;
        let acquirer = acquirer(&server.url(), |_| {});
        let kept = acquirer
            .keep_card(KeepCardRequest {
                payment_id: &payment_id("pay_1"),
                merchant_id: &merchant_id("m_1"),
                number: &CardNumber::parse(CARD).unwrap(),
                expiry: CardExpiry::new(12, 2030).unwrap(),
            })
            .await;
        match kept {
            Ok(CardKept::As(token)) => assert_eq!(Some(token.as_str()), expected),
            other => assert_eq!(expected, None, "{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_request_is_that_of_the_protocol() {
    let server = RawServer::answering(approval("op_1")).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "s3cret\n").unwrap();
    restrict(&file, 0o600);
    let url = format!("{}/bridge/", server.url());
    let acquirer = acquirer(&url, |config| config.token_file = file);
    authorize(&acquirer, &operation_id("op_1"), CARD, cny(100))
        .await
        .unwrap();
    let request = server.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("POST /bridge/v1/operations HTTP/1.1\r\n"),
        "{head}"
    );
    for header in [
        "idempotency-key: op_1",
        "authorization: Bearer s3cret",
        "content-type: application/json",
    ] {
        assert!(head.lines().any(|line| line == header), "{head}");
    }
    assert_eq!(
        body,
        "{\"kind\":\"authorize\",\"merchant_id\":\"m_1\",\"amount\":{\"minor_units\":100,\"currency\":\"CNY\"},\
         \"card\":{\"number\":\"4242424242424242\",\"expiry_month\":12,\"expiry_year\":2030}}"
    );
}

#[tokio::test]
async fn a_token_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "s3cret").unwrap();
    let open = |file: &std::path::Path| {
        let mut config = portcullis_acquirers::HttpConfig {
            url: "https://acquirer.example".to_owned(),
            ..Default::default()
        };
        config.token_file = file.to_owned();
        portcullis_acquirers::HttpAcquirer::open(&config)
            .map(drop)
            .map_err(|error| error.to_string())
    };
    restrict(&file, 0o644);
    let refused = open(&file).unwrap_err();
    assert!(
        refused.starts_with("acquirer.http.token_file: ") && refused.contains("chmod 600"),
        "{refused}"
    );
    restrict(&file, 0o640);
    assert_eq!(open(&file), Ok(()), "a group may read it");
    for (text, found) in [("", "an empty file"), ("a b", "other characters")] {
        std::fs::write(&file, text).unwrap();
        let refused = open(&file).unwrap_err();
        assert!(refused.contains(found), "{refused}");
    }
    let refused = open(folder.path()).unwrap_err();
    assert!(refused.contains("no regular file"), "{refused}");
}

#[test]
fn what_the_kind_does_not_use_is_not_looked_at() {
    let mut config = portcullis_acquirers::Config::default();
    config.http.max_connections = 0;
    assert!(portcullis_acquirers::open(&config).is_ok());
    config.kind = portcullis_acquirers::Kind::Http;
    let refused = portcullis_acquirers::open(&config).map(drop).unwrap_err();
    assert!(refused.to_string().starts_with("acquirer.http.max_connections: "));
}

fn restrict(file: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
}
