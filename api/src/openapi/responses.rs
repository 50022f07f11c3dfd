//! What answers hold: every field of `response`, no more and no less. Tests compare what is really answered.

use application::ports::{DeliveryState, DisabledReason};
use domain::Currency;
use domain::payment::{DeclineCode, OperationKind, PaymentEventKind, PaymentStatus};
use domain::risk::{FaultKind, Outcome};
use serde_json::{Map, Value, json};

/// An object with just these fields.
pub(super) fn object(properties: &Value) -> Value {
    let required: Vec<&String> = properties
        .as_object()
        .map(|fields| fields.keys().collect())
        .unwrap_or_default();
    json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties})
}

/// An object of which some fields may be missing.
fn partly(missing: &[&str], properties: &Value) -> Value {
    let mut object = object(properties);
    if let Some(Value::Array(required)) = object.get_mut("required") {
        required.retain(|name| name.as_str().is_none_or(|name| !missing.contains(&name)));
    }
    object
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

#[expect(clippy::needless_pass_by_value, reason = "it is built where it is passed")]
pub(super) fn nullable(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

#[expect(clippy::needless_pass_by_value, reason = "it is built where it is passed")]
fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

pub(super) fn text() -> Value {
    json!({"type": "string"})
}

fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

pub(super) fn moment() -> Value {
    json!({"type": "string", "format": "date-time"})
}

pub(super) fn page(of: &str) -> Value {
    object(
        &json!({"data": list(reference(of)), "has_more": {"type": "boolean"}, "next_cursor": nullable(text())}),
    )
}

/// Every answer, by name.
pub(super) fn schemas() -> Map<String, Value> {
    let mut schemas = Map::new();
    for part in [payments(), risk(), policies(), webhooks(), others()] {
        if let Value::Object(part) = part {
            schemas.extend(part);
        }
    }
    schemas
}

fn payments() -> Value {
    let decline_codes = DeclineCode::ALL.map(DeclineCode::as_str);
    let country = || nullable(text());
    json!({
        "Payment": partly(&["operation"], &json!({
            "id": text(),
            "status": {"enum": PaymentStatus::ALL.map(PaymentStatus::as_str)},
            "decline_code": nullable(json!({"enum": decline_codes})),
            "operation": reference("Operation"),
            "merchant_id": text(),
            "merchant_category": nullable(text()),
            "amount": reference("Amount"),
            "amounts": object(&json!({
                "authorized": count(), "captured": count(), "refunded": count(), "capturable": count(), "refundable": count(),
            })),
            "card": nullable(object(&json!({
                "bin": text(), "last4": text(), "brand": text(), "fingerprint": text(), "issuer_country": country(),
            }))),
            "customer": nullable(object(&json!({
                "id": nullable(text()), "email": nullable(text()), "billing_country": country(), "shipping_country": country(),
            }))),
            "device": nullable(object(&json!({
                "id": nullable(text()), "ip": nullable(text()), "ip_country": country(), "user_agent": nullable(text()),
            }))),
            "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
            "risk": reference("Risk"),
            "review": nullable(object(&json!({
                "verdict": {"enum": ["approved", "rejected"]}, "reviewer": text(), "reviewed_at": moment(),
            }))),
            "operations": list(reference("Operation")),
            "expires_at": nullable(moment()),
            "created_at": moment(),
            "updated_at": moment(),
        })),
        "Operation": object(&json!({
            "id": text(),
            "kind": {"enum": OperationKind::ALL.map(OperationKind::as_str)},
            "status": {"enum": ["sent", "succeeded", "declined", "not_sent", "unknown"]},
            "amount": reference("Amount"),
            "acquirer_reference": nullable(text()),
            "decline_code": nullable(json!({"enum": decline_codes})),
            "created_at": moment(),
            "updated_at": moment(),
        })),
        "Amount": object(&json!({
            "minor_units": {"type": "integer", "minimum": 1},
            "currency": {"enum": Currency::all().map(Currency::code).collect::<Vec<_>>()},
            "decimal": text(),
        })),
        "PaymentPage": page("Payment"),
        "Event": object(&json!({
            "id": text(),
            "type": {"enum": PaymentEventKind::ALL.map(PaymentEventKind::as_str)},
            "occurred_at": moment(),
            "data": object(&json!({
                "payment_id": text(),
                "merchant_id": text(),
                "status": {"enum": PaymentStatus::ALL.map(PaymentStatus::as_str)},
                "operation_id": nullable(text()),
                "amount": reference("Amount"),
                "captured_minor_units": count(),
                "refunded_minor_units": count(),
            })),
        })),
        "EventPage": page("Event"),
    })
}

fn risk() -> Value {
    let outcome = json!({"enum": Outcome::ALL.map(Outcome::as_str)});
    json!({
        "Risk": object(&json!({
            "decision_id": text(),
            "outcome": outcome,
            "score": count(),
            "reasons": list(object(&json!({"policy": text(), "code": text(), "message": text()}))),
            "policies": list(partly(&["score", "fault"], &json!({
                "name": text(),
                "version": text(),
                "sequence": count(),
                "digest": text(),
                "outcome": outcome,
                "score": count(),
                "fault": object(&json!({"kind": {"enum": FaultKind::ALL.map(FaultKind::as_str)}})),
                "signals": list(object(&json!({"code": text(), "detail": text()}))),
                "fuel_used": count(),
                "elapsed_us": count(),
            }))),
            "policy_revision": count(),
            "decided_at": moment(),
        })),
        "Decision": object(&json!({"payment_id": text(), "risk": reference("Risk")})),
    })
}

fn policies() -> Value {
    let release = || json!({"version": text(), "sequence": count(), "digest": text()});
    let answer = object(&json!({
        "outcome": {"enum": Outcome::ALL.map(Outcome::as_str)},
        "score": nullable(count()),
        "fault": nullable(json!({"enum": FaultKind::ALL.map(FaultKind::as_str)})),
        "reasons": list(text()),
    }));
    let in_force = json!({
        "version": text(), "sequence": count(), "digest": text(), "summary": text(), "since": moment(),
    });
    let candidate = json!({
        "version": text(), "digest": text(), "stage": text(), "percent": {"type": "number"},
        "state": {"enum": ["running", "sent_back"]}, "since": moment(),
        "sent_back": nullable(object(&json!({"gate": text(), "since": moment(), "reason": text()}))),
        "evaluations": count(), "faults": count(), "p99_us": nullable(count()), "compared": count(), "differing": count(),
        "rescored": count(), "dropped": count(),
        "differences": list(object(&json!({"payment_id": text(), "at": moment(), "in_force": answer, "candidate": answer}))),
    });
    let quarantine = json!({
        "since": moment(), "fault_ratio": {"type": "number"}, "evaluations": count(), "faults": count(), "last_fault": text(),
        "instead": nullable(object(&release())),
    });
    let refused =
        json!({"sequence": nullable(count()), "code": text(), "message": text(), "since": moment()});
    let retired = json!({"sequence": count(), "reason": nullable(text()), "since": moment()});
    json!({
        "Nodes": object(&json!({"data": list(object(&json!({
            "id": text(), "version": text(), "started_at": moment(), "policy_revision": nullable(count()),
            "policies": {"type": "object", "additionalProperties": count()},
        })))})),
        "Policies": object(&json!({"policy_revision": nullable(count()), "policies": list(reference("Policy"))})),
        "Policy": object(&json!({
            "name": text(),
            "state": {"enum": [
                "in_force", "in_force_newer_loading", "in_force_newer_refused", "quarantined", "quarantined_newer_loading",
                "quarantined_newer_refused", "loading", "refused", "retired", "absent",
            ]},
            "loading": {"type": "boolean"},
            "in_force": nullable(object(&in_force)),
            "refused": nullable(object(&refused)),
            "quarantine": nullable(object(&quarantine)),
            "retired": nullable(object(&retired)),
            "candidate": nullable(object(&candidate)),
        })),
    })
}

fn webhooks() -> Value {
    let kinds: Vec<&str> = PaymentEventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let event_type = std::iter::once("*")
        .chain(kinds.iter().copied())
        .collect::<Vec<_>>();
    json!({
        "WebhookEndpoint": partly(&["secret"], &json!({
            "id": text(),
            "merchant_id": text(),
            "url": text(),
            "event_types": list(json!({"enum": event_type})),
            "status": {"enum": ["enabled", "disabled"]},
            "disabled_reason": nullable(json!({"enum": DisabledReason::ALL.map(DisabledReason::as_str)})),
            "failing_since": nullable(moment()),
            "previous_secret_until": nullable(moment()),
            "created_at": moment(),
            "secret": {"type": "string", "pattern": "^whsec_"},
        })),
        "WebhookEndpointPage": page("WebhookEndpoint"),
        "WebhookDelivery": object(&json!({
            "id": text(),
            "endpoint_id": text(),
            "event_id": text(),
            "event_type": {"enum": kinds},
            "state": {"enum": DeliveryState::ALL.map(DeliveryState::as_str)},
            "next_attempt_at": nullable(moment()),
            "attempts_made": count(),
            "attempts": list(object(&json!({
                "at": moment(), "duration_ms": count(), "status": nullable(count()), "error": nullable(text()),
            }))),
            "created_at": moment(),
        })),
        "WebhookDeliveryPage": page("WebhookDelivery"),
    })
}

fn others() -> Value {
    json!({
        "Problem": partly(&["payment_id", "errors"], &json!({
            "type": text(),
            "title": text(),
            "status": {"type": "integer"},
            "detail": text(),
            "instance": text(),
            "code": text(),
            "payment_id": text(),
            "errors": list(object(&json!({"path": text(), "code": text(), "message": text()}))),
        })),
        "Health": object(&json!({"status": {"const": "ok"}})),
        "Readiness": object(&json!({
            "status": {"enum": ["ready", "not_ready", "draining"]},
            "checks": list(object(&json!({"name": text(), "status": {"enum": ["ok", "failed"]}}))),
        })),
        "Document": {"type": "object"},
    })
}
