//! Parameters, headers and an example of a problem.

use application::ports::DeliveryState;
use domain::feature::Subject;
use domain::payment::PaymentStatus;
use domain::risk::Outcome;
use serde_json::{Value, json};

use crate::problem::ProblemCode;

/// A name of a thing.
pub(super) const IDENTIFIER: &str = "^[A-Za-z0-9_.-]{1,64}$";

/// An idempotency key with quotes, in which some characters are escaped, or without.
const KEY: &str = r#"^("([ !#-\[\]-~]|\\["\\])+"|[!#-\[\]-~]([ !#-\[\]-~]*[!#-\[\]-~])?)$"#;

pub(super) fn parameters() -> Value {
    let path = |name: &str, description: &str, pattern: &str| {
        json!({
            "name": name, "in": "path", "required": true, "description": description,
            "schema": {"type": "string", "pattern": pattern},
        })
    };
    let query = |name: &str, description: &str, schema: Value| json!({"name": name, "in": "query", "description": description, "schema": schema});
    let millis = || json!({"type": "integer", "minimum": 0, "maximum": u64::MAX});
    let statuses = PaymentStatus::ALL.map(PaymentStatus::as_str);
    json!({
        "payment_id": path("id", "The payment's `id`", IDENTIFIER),
        "webhook_endpoint_id": path("id", "The endpoint's `id`", IDENTIFIER),
        "webhook_delivery_id": path("id", "The delivery's `id`", IDENTIFIER),
        "state": query("state", "In this state alone", json!({"enum": DeliveryState::ALL.map(DeliveryState::as_str)})),
        "policy": path("name", "The policy's name", "^[^/]{1,128}$"),
        "operation": path("operation", "The operation's `id`", IDENTIFIER),
        "decision": path("decision", "The decision's `id`, which is `risk.decision_id` of its answer", IDENTIFIER),
        "about_payment": query("payment_id", "About this payment alone", json!({"type": "string", "pattern": IDENTIFIER})),
        "outcome": query("outcome", "With this outcome alone", json!({"enum": Outcome::ALL.map(Outcome::as_str)})),
        "list": path("list", "The list's name", IDENTIFIER),
        "list_subject": {
            "name": "subject", "in": "query", "required": true, "description": "What kind of subject the value is",
            "schema": {"enum": Subject::ALL.map(Subject::as_str)},
        },
        "list_value": {
            "name": "value", "in": "query", "required": true, "description": "The value, in any spelling",
            "schema": {"type": "string", "minLength": 1},
        },
        "code": path("code", "The problem's `code`", "^[a-z_]{1,64}$"),
        "merchant_id": query("merchant_id", "Of this merchant alone", json!({"type": "string", "pattern": IDENTIFIER})),
        "status": query("status", "In this status alone", json!({"enum": statuses})),
        "created_from": query("created_from", "Created at this time or later, in milliseconds since 1970", millis()),
        "created_before": query("created_before", "Created before this time, in milliseconds since 1970", millis()),
        "cursor": query("cursor", "The `next_cursor` of a page, to read on behind it", json!({"type": "string"})),
        "limit": query("limit", "How many items a page has at most", json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 20})),
        "idempotency_key": {
            "name": "Idempotency-Key", "in": "header",
            "description": "1 to 255 printable characters, with or without quotes. The same request under the same key is done once and answered \
                alike; another request under it is refused.",
            "schema": {"type": "string", "pattern": KEY},
            "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
        },
        "x_request_id": {
            "name": "x-request-id", "in": "header", "description": "A name for the request in answers and logs: 1 to 64 of `A-Z a-z 0-9 _ - .`. Anything else is replaced by a made one.",
            "schema": {},
        },
    })
}

pub(super) fn headers() -> Value {
    let text = |description: &str| json!({"description": description, "schema": {"type": "string"}});
    json!({
        "x-request-id": text("The request's name in the log"),
        "Location": text("Where the payment is"),
        "Idempotency-Replayed": text("`true` on an answer that was given before"),
        "Retry-After": {"description": "After how many seconds to send it again", "schema": {"type": "integer", "minimum": 1}},
        "WWW-Authenticate": text("`Bearer`"),
    })
}

/// What an answer with this code looks like.
pub(super) fn problem_example(code: Option<ProblemCode>) -> Value {
    let code = code.unwrap_or(ProblemCode::Internal);
    json!({
        "type": format!("/docs/errors/{}", code.as_str()),
        "title": code.title(),
        "status": code.status().as_u16(),
        "detail": "What happened this time, in a sentence.",
        "instance": "req_5f1c0e9d7b3a4286000000000011",
        "code": code.as_str(),
    })
}
