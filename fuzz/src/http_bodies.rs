//! Requests to the HTTP interface, over fakes: methods, paths, queries, headers and bodies.
//!
//! The input is a request as one writes it down: `METHOD path?query`, a line for each header, an empty line, the body. No
//! request is answered with a 5xx, every error is a problem by RFC 9457 with a code that there is, and no answer holds a
//! card number.

use axum::body::Body;
use axum::http::response::Parts;
use axum::http::{HeaderName, HeaderValue, Method, Request, Uri};
use domain::CardNumber;
use domain::card::CardBrand;
use http_body_util::{BodyExt, Limited};
use portcullis_api::{Api, ProblemCode};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

use crate::fakes::World;

/// More than the longest answer: a payment repeats at most what it was asked with.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

thread_local! {
    /// Kept from input to input: to start one takes longer than a request.
    static RUNTIME: Option<Runtime> = Builder::new_current_thread().enable_time().build().ok();
}

/// Sends the request that the input describes, if it describes one, and looks at the answer.
pub fn run(data: &[u8]) {
    let Some(request) = request(data) else {
        return;
    };
    let secrets = Secrets {
        payers_card: payers_card(request.body()),
        merchant: merchant(request.body()),
        sent: String::from_utf8_lossy(data).into_owned(),
    };
    let is_head = request.method() == Method::HEAD;
    let request = request.map(Body::from);
    let api = World::new().api();
    RUNTIME.with(|runtime| {
        let Some(runtime) = runtime else {
            unreachable!("a runtime without input and output always starts");
        };
        let (head, body) = runtime.block_on(send(&api, request));
        check(&head, &body, is_head, &secrets);
    });
}

/// What must not come back.
struct Secrets {
    /// The number of the card that the body pays with.
    payers_card: Option<CardNumber>,
    /// The merchant that it names, who is no secret: many a merchant's number is digits that may look like a card's, and is
    /// repeated.
    merchant: String,
    /// All that was sent. Digits that were not are an id of the gateway's, which may look like a card number by chance.
    sent: String,
}

/// The request that the input describes. What hyper would not let through is none.
fn request(data: &[u8]) -> Option<Request<Vec<u8>>> {
    let mut rest = data;
    let first = std::str::from_utf8(line(&mut rest)?).ok()?;
    let (method, target) = first.split_once(' ')?;
    let mut request = Request::new(Vec::new());
    *request.method_mut() = method.parse::<Method>().ok()?;
    *request.uri_mut() = target.parse::<Uri>().ok().filter(|uri| !uri.path().is_empty())?;
    loop {
        let line = line(&mut rest).unwrap_or_default();
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at(colon);
        let name = HeaderName::from_bytes(name).ok()?;
        let value = HeaderValue::from_bytes(value.get(1..)?.trim_ascii()).ok()?;
        request.headers_mut().try_append(name, value).ok()?;
    }
    *request.body_mut() = rest.to_vec();
    Some(request)
}

/// Takes the next line, without its end.
fn line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    if rest.is_empty() {
        return None;
    }
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (line, behind) = rest.split_at(end);
    *rest = behind.get(1..).unwrap_or_default();
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}

/// The number of the card that a body pays with.
fn payers_card(body: &[u8]) -> Option<CardNumber> {
    let body: Value = serde_json::from_slice(body).ok()?;
    CardNumber::parse(body.pointer("/card/number")?.as_str()?).ok()
}

/// The merchant that a body names.
fn merchant(body: &[u8]) -> String {
    let body: Option<Value> = serde_json::from_slice(body).ok();
    let name = body.as_ref().and_then(|body| body.get("merchant_id")?.as_str());
    name.unwrap_or_default().to_owned()
}

async fn send(api: &Api, request: Request<Body>) -> (Parts, Vec<u8>) {
    let Ok(response) = api.router().oneshot(request).await;
    let (head, body) = response.into_parts();
    #[expect(clippy::disallowed_methods, reason = "wrapped in `Limited`")]
    let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
    let body = body.map(|body| body.to_bytes().to_vec());
    api.payments_ended().await;
    assert_eq!(api.payments_running(), 0);
    (head, body.unwrap_or_default())
}

fn check(head: &Parts, body: &[u8], is_head: bool, secrets: &Secrets) {
    let status = head.status;
    let text = String::from_utf8_lossy(body);
    assert!(!status.is_server_error(), "{status}: {text}");
    let header = |name: &str| {
        let value = head.headers.get(name).map(HeaderValue::to_str);
        value.and_then(Result::ok).unwrap_or_default()
    };
    assert!(!header("x-request-id").is_empty(), "every answer has an id");
    for value in head.headers.values() {
        check_text(&String::from_utf8_lossy(value.as_bytes()), secrets);
    }
    if is_head {
        assert!(body.is_empty(), "HEAD is answered without a body");
        return;
    }
    let Ok(json) = serde_json::from_slice::<Value>(body) else {
        assert!(status.is_success(), "an error that is no JSON: {status}: {text}");
        check_text(&text, secrets);
        return;
    };
    check_value(&json, secrets);
    if status.is_client_error() {
        assert_eq!(header("content-type"), "application/problem+json");
        assert_eq!(json["instance"], header("x-request-id"));
        check_problem(&json, status.as_u16());
    }
}

fn check_problem(problem: &Value, status: u16) {
    let documented = |code: &Value| {
        let code = code.as_str().unwrap_or_default();
        ProblemCode::ALL.into_iter().find(|known| known.as_str() == code)
    };
    let Some(code) = documented(&problem["code"]) else {
        panic!("an unknown code: {problem}");
    };
    assert_eq!(code.status().as_u16(), status, "{problem}");
    assert_eq!(problem["status"], status, "{problem}");
    assert_eq!(problem["title"], code.title(), "{problem}");
    assert_eq!(problem["type"], format!("/docs/errors/{}", code.as_str()));
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|detail| !detail.is_empty())
    );
    for error in problem["errors"].as_array().into_iter().flatten() {
        assert!(documented(&error["code"]).is_some(), "an unknown code: {problem}");
        assert!(
            error["path"].is_string() && error["message"].is_string(),
            "{problem}"
        );
    }
}

/// Every name and text of an answer. Numbers are amounts, and may be anything.
fn check_value(value: &Value, secrets: &Secrets) {
    match value {
        Value::String(text) => check_text(text, secrets),
        Value::Array(values) => values.iter().for_each(|value| check_value(value, secrets)),
        Value::Object(fields) => {
            for (name, value) in fields {
                check_text(name, secrets);
                check_value(value, secrets);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Neither the payer's number, however it is grouped, nor digits in one row that are somebody's.
fn check_text(text: &str, secrets: &Secrets) {
    if let Some(number) = &secrets.payers_card {
        let joined: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.')).collect();
        assert!(
            !joined.contains(number.expose()),
            "the payer's card number is in the answer"
        );
    }
    for digits in text.split(|c: char| !c.is_ascii_digit()) {
        let is_card = CardNumber::parse(digits).is_ok_and(|number| number.brand() != CardBrand::Other);
        assert!(
            !is_card || !secrets.sent.contains(digits) || secrets.merchant.contains(digits),
            "a card number is in the answer"
        );
    }
}
