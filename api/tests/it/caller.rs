//! Sending a request through the router, without a socket.

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use portcullis_api::Api;
use serde_json::{Value, json};
use tower::ServiceExt;

/// More than the longest answer of a test.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// The card of most tests: a published test number.
pub(crate) const CARD_NUMBER: &str = "4242424242424242";

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The problem's own code, and the path and code of each error.
    pub(crate) fn problem(&self) -> (String, Vec<(String, String)>) {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{self:?}"
        );
        let body = self.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        let errors = errors.iter().map(|e| (text(&e["path"]), text(&e["code"])));
        (text(&body["code"]), errors.collect())
    }
}

pub(crate) async fn send(api: &Api, request: Request<Body>) -> Answer {
    let asked = (request.method().to_string(), request.uri().path().to_owned());
    let response = api.router().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    #[expect(clippy::disallowed_methods, reason = "wrapped in `Limited`")]
    let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await.unwrap();
    let answer = Answer {
        status: head.status,
        headers: head.headers,
        text: String::from_utf8(body.to_bytes().to_vec()).unwrap(),
    };
    crate::conformance::check(&asked.0, &asked.1, &answer);
    answer
}

pub(crate) async fn get(api: &Api, path: &str) -> Answer {
    send(api, Request::get(path).body(Body::empty()).unwrap()).await
}

pub(crate) async fn post(api: &Api, path: &str, body: &Value) -> Answer {
    post_text(api, path, body.to_string()).await
}

pub(crate) async fn patch(api: &Api, path: &str, body: &Value) -> Answer {
    let request = Request::patch(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    send(api, request).await
}

pub(crate) async fn delete(api: &Api, path: &str) -> Answer {
    send(api, Request::delete(path).body(Body::empty()).unwrap()).await
}

pub(crate) async fn post_text(api: &Api, path: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.into())
        .unwrap();
    send(api, request).await
}

/// A payment with every field.
pub(crate) fn full_payment() -> Value {
    json!({
        "merchant_id": "shop-1",
        "merchant_category": "5411",
        "amount": {"minor_units": 12900, "currency": "CNY"},
        "card": {"number": CARD_NUMBER, "expiry_month": 12, "expiry_year": 2030, "issuer_country": "US"},
        "customer": {"id": "c-9", "email": "a@example.com", "billing_country": "CN", "shipping_country": "DE"},
        "device": {"id": "d-3", "ip": "203.0.113.7", "ip_country": "CN", "user_agent": "Mozilla/5.0"},
        "metadata": {"order": "2026-17", "channel": "app"},
    })
}

/// A payment with the fields that it must have.
pub(crate) fn small_payment() -> Value {
    json!({
        "merchant_id": "shop-1",
        "amount": {"minor_units": 12900, "currency": "CNY"},
        "card": {"number": CARD_NUMBER, "expiry_month": 12, "expiry_year": 2030},
    })
}

/// A decision with the fields that it must have.
pub(crate) fn small_decision() -> Value {
    json!({"merchant_id": "shop-1", "amount": {"decimal": "129.00", "currency": "CNY"}})
}

/// The same body with one value put in, by dotted path.
pub(crate) fn with(mut body: Value, path: &str, value: Value) -> Value {
    let mut place = &mut body;
    for name in path.split('.') {
        place = place
            .as_object_mut()
            .unwrap()
            .entry(name)
            .or_insert_with(|| json!({}));
    }
    *place = value;
    body
}
