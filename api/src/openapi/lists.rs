//! What lists take and show.

use domain::feature::Subject;
use serde_json::{Map, Value, json};

use super::requests::{object as taken, optional, text as bounded};
use super::responses::{moment, nullable, object, page, text};

/// By name.
pub(super) fn schemas() -> Map<String, Value> {
    let subject = json!({"enum": Subject::ALL.map(Subject::as_str)});
    let value = json!({
        "type": "string", "minLength": 1,
        "description": "A fingerprint, an address or a range of them, or a text of at most 320 bytes",
    });
    let new = taken(
        &["subject", "value"],
        &json!({
            "subject": subject,
            "value": value,
            "expires_at": optional(json!({"type": "string", "format": "date-time"})),
            "note": bounded(500),
            "added_by": {"type": "string", "minLength": 1, "maxLength": 128},
        }),
    );
    let item = object(&json!({
        "list": text(),
        "subject": subject,
        "value": text(),
        "expires_at": nullable(moment()),
        "note": nullable(text()),
        "added_by": text(),
        "added_at": moment(),
    }));
    let schemas = json!({
        "NewListItem": {
            "description": "With an API key without `added_by`, which is its name. A card is listed by its fingerprint, never by its number",
            "allOf": [new],
        },
        "ListItem": item,
        "ListItemPage": page("ListItem"),
    });
    match schemas {
        Value::Object(schemas) => schemas,
        _ => Map::new(),
    }
}
