//! What bodies may hold.

use domain::Currency;
use domain::payment::{DeclineCode, PaymentEventKind};
use serde_json::{Map, Value, json};

use super::parts::IDENTIFIER;

pub(super) fn object(required: &[&str], properties: &Value) -> Value {
    json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties})
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// A field that may be null or left out.
#[expect(clippy::needless_pass_by_value, reason = "it is built where it is passed")]
pub(super) fn optional(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

pub(super) fn text(max_length: usize) -> Value {
    optional(json!({"type": "string", "minLength": 1, "maxLength": max_length}))
}

fn country() -> Value {
    optional(json!({"type": "string", "pattern": "^[A-Z]{2}$"}))
}

fn details(card: Value, is_decision: bool) -> Value {
    let mut properties = json!({
        "merchant_id": {"type": "string", "pattern": IDENTIFIER},
        "merchant_category": optional(json!({"type": "string", "pattern": "^[0-9]{4}$"})),
        "amount": reference("NewAmount"),
        "card": if is_decision { optional(card) } else { card },
        "customer": optional(object(&[], &json!({
            "id": text(512), "email": text(512), "billing_country": country(), "shipping_country": country(),
        }))),
        "device": optional(object(&[], &json!({
            "id": text(512),
            "ip": optional(json!({"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]})),
            "ip_country": country(),
            "user_agent": text(512),
        }))),
        "metadata": optional(json!({
            "type": "object",
            "maxProperties": 32,
            "propertyNames": {"minLength": 1, "maxLength": 256},
            "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 256},
        })),
    });
    if is_decision {
        super::set(
            &mut properties,
            "payment_id",
            optional(json!({"type": "string", "pattern": IDENTIFIER})),
        );
        object(&["merchant_id", "amount"], &properties)
    } else {
        object(&["merchant_id", "amount", "card"], &properties)
    }
}

fn event_types() -> Value {
    let kinds = PaymentEventKind::ALL.iter().map(|kind| kind.as_str());
    let names: Vec<&str> = std::iter::once("*").chain(kinds).collect();
    json!({"type": "array", "minItems": 1, "items": {"enum": names}})
}

/// Every body, by name.
pub(super) fn schemas() -> Map<String, Value> {
    let number =
        json!({"type": "string", "pattern": "^[0-9]{12,19}$", "description": "With its check digit"});
    let card = object(
        &["number", "expiry_month", "expiry_year"],
        &json!({
            "number": number,
            "expiry_month": {"type": "integer", "minimum": 1, "maximum": 12},
            "expiry_year": {"type": "integer", "minimum": 2000, "maximum": 2099},
            "issuer_country": country(),
        }),
    );
    let decided_card = object(
        &["number"],
        &json!({"number": number, "issuer_country": country()}),
    );
    let currencies: Vec<&str> = Currency::all().map(Currency::code).collect();
    let of_acquirer: Vec<&str> = DeclineCode::ALL
        .into_iter()
        .filter(|code| code.is_acquirers())
        .map(DeclineCode::as_str)
        .collect();
    let proof = object(
        &["eci", "cryptogram", "transaction_id"],
        &json!({
            "eci": {"type": "string", "pattern": "^[0-9]{2}$"},
            "cryptogram": {"type": "string", "minLength": 1},
            "transaction_id": {"type": "string", "minLength": 1},
        }),
    );
    let schemas = json!({
        "NewPayment": details(card, false),
        "NewDecision": details(decided_card, true),
        "NewAmount": {
            "description": "Either whole minor units or a decimal text",
            "oneOf": [
                object(&["minor_units", "currency"], &json!({
                    "minor_units": {"type": "integer", "minimum": 1}, "currency": {"enum": currencies},
                })),
                object(&["decimal", "currency"], &json!({
                    "decimal": {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?$"}, "currency": {"enum": currencies},
                })),
            ],
        },
        "NewWebhookEndpoint": object(&["merchant_id", "url"], &json!({
            "merchant_id": {"type": "string", "pattern": IDENTIFIER},
            "url": {"type": "string", "format": "uri", "maxLength": 2048},
            "event_types": optional(event_types()),
        })),
        "WebhookEndpointChange": object(&[], &json!({
            "url": optional(json!({"type": "string", "format": "uri", "maxLength": 2048})),
            "event_types": optional(event_types()),
            "status": optional(json!({"enum": ["enabled", "disabled"]})),
        })),
        "SecretRotation": object(&[], &json!({
            "previous_secret": optional(json!({
                "enum": ["keep", "revoke"], "description": "Whether the secret before goes on signing for 24 hours",
            })),
        })),
        "Remainder": {
            "description": "So much, or all that is left",
            "allOf": [object(&[], &json!({"amount": optional(reference("NewAmount"))}))],
        },
        "Nothing": object(&[], &json!({})),
        "Review": {
            "description": "With an API key nothing: the reviewer is its name. Without authentication who reviews",
            "allOf": [object(&[], &json!({"reviewer": {"type": "string", "minLength": 1, "maxLength": 128}}))],
        },
        "Confirmation": {"oneOf": [
            object(&["result", "authentication"], &json!({"result": {"const": "authenticated"}, "authentication": proof})),
            object(&["result"], &json!({"result": {"const": "failed"}})),
        ]},
        "Resolution": {"oneOf": [
            object(&["result", "acquirer_reference"], &json!({
                "result": {"const": "succeeded"}, "acquirer_reference": {"type": "string", "minLength": 1},
            })),
            object(&["result", "decline_code"], &json!({"result": {"const": "declined"}, "decline_code": {"enum": of_acquirer}})),
            object(&["result"], &json!({"result": {"const": "not_sent"}})),
        ]},
    });
    match schemas {
        Value::Object(schemas) => schemas,
        _ => Map::new(),
    }
}

/// A body that is taken.
pub(super) fn example(schema: &str) -> Value {
    let amount = json!({"minor_units": 12_900, "currency": "CNY"});
    match schema {
        "NewPayment" => json!({
            "merchant_id": "shop-1",
            "merchant_category": "5411",
            "amount": amount,
            "card": {"number": "4242424242424242", "expiry_month": 12, "expiry_year": 2030},
            "customer": {"id": "c-9", "email": "a@example.com", "billing_country": "CN", "shipping_country": "DE"},
            "device": {"id": "d-3", "ip": "203.0.113.7", "user_agent": "Mozilla/5.0"},
            "metadata": {"order": "2026-17"},
        }),
        "NewDecision" => json!({
            "payment_id": "order-17",
            "merchant_id": "shop-1",
            "amount": {"decimal": "129.00", "currency": "CNY"},
            "card": {"number": "4242424242424242"},
        }),
        "Remainder" => json!({"amount": amount}),
        "NewWebhookEndpoint" => json!({
            "merchant_id": "shop-1", "url": "https://shop.example/webhooks", "event_types": ["payment.captured"],
        }),
        "WebhookEndpointChange" => json!({"status": "disabled"}),
        "SecretRotation" => json!({"previous_secret": "revoke"}),
        "Confirmation" => json!({
            "result": "authenticated",
            "authentication": {"eci": "05", "cryptogram": "AAABBBCCC=", "transaction_id": "ds-1"},
        }),
        "Resolution" => json!({"result": "succeeded", "acquirer_reference": "acq-7"}),
        "Review" => json!({"reviewer": "ana"}),
        "NewListItem" => json!({
            "subject": "card",
            "value": "fp_4be04be04be04be04be04be04be04be0",
            "expires_at": "2099-12-31T00:00:00Z",
            "note": "chargebacks in February",
            "added_by": "ana",
        }),
        _ => json!({}),
    }
}
