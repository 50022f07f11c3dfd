//! Every answer that a test sees is held against the OpenAPI document: its status, its media type, its body, its headers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::caller::Answer;

/// The document of an interface with the settings of most tests.
pub(crate) fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| portcullis_api::openapi_document(&portcullis_api::Config::for_tests()))
}

/// The operation that serves a path, if one does.
fn operation(method: &str, path: &str) -> Option<(&'static str, &'static Value)> {
    let method = if method == "HEAD" { "GET" } else { method }.to_ascii_lowercase();
    let paths = document()["paths"].as_object().unwrap();
    // A name in the path may be anything; a path without one comes first.
    let mut fitting: Vec<_> = paths
        .iter()
        .filter(|(template, _)| fits(template, path))
        .collect();
    fitting.sort_by_key(|(template, _)| template.matches('{').count());
    let (template, path) = fitting.first()?;
    Some((template.as_str(), path.get(&method)?))
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template
            .iter()
            .zip(&path)
            .all(|(expected, found)| expected == found || (expected.starts_with('{') && !found.is_empty()))
}

/// Compiled once a schema.
fn validator(place: &str, schema: &Value) -> Arc<Validator> {
    static VALIDATORS: Mutex<Option<HashMap<String, Arc<Validator>>>> = Mutex::new(None);
    let mut validators = VALIDATORS.lock().unwrap();
    let validators = validators.get_or_insert_default();
    let compile = || {
        let whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [schema],
            "components": document()["components"],
        });
        Arc::new(jsonschema::validator_for(&whole).unwrap())
    };
    Arc::clone(validators.entry(place.to_owned()).or_insert_with(compile))
}

/// Stops the test where an answer is not what the document says.
pub(crate) fn check(method: &str, path: &str, answer: &Answer) {
    let Some((template, operation)) = operation(method, path) else {
        assert!(
            matches!(answer.status.as_u16(), 404 | 405 | 414),
            "{method} {path}: {answer:?}"
        );
        return;
    };
    let status = answer.status.as_u16();
    let place = format!("{method} {template} {status}");
    let described = &operation["responses"][status.to_string()];
    assert!(
        described.is_object(),
        "{place} is not in the document: {answer:?}"
    );
    assert!(!answer.header("x-request-id").is_empty(), "{place}: {answer:?}");
    let must = ["Retry-After", "WWW-Authenticate", "Location"];
    for header in must
        .iter()
        .filter(|name| described["headers"].get(**name).is_some())
    {
        // A status can stand for several codes, of which some have no time to come back.
        let is_there = answer.headers.contains_key(*header) || *header == "Retry-After";
        assert!(is_there, "{place} lacks {header}: {answer:?}");
    }
    if answer.headers.contains_key("retry-after") {
        assert!(
            described["headers"].get("Retry-After").is_some(),
            "{place}: {answer:?}"
        );
    }
    if described.get("content").is_none() {
        assert!(answer.text.is_empty(), "{place}: {answer:?}");
        assert!(
            !answer.headers.contains_key("content-type"),
            "{place}: {answer:?}"
        );
        return;
    }
    let media_type = answer.header("content-type");
    let content = &described["content"][media_type];
    assert!(
        content.is_object(),
        "{place} as {media_type} is not in the document: {answer:?}"
    );
    if method == "HEAD" || !media_type.ends_with("json") {
        return;
    }
    let body = answer.json();
    if let Err(error) = validator(&place, &content["schema"]).validate(&body) {
        panic!("{place}: {error} at {}: {answer:?}", error.instance_path());
    }
}
