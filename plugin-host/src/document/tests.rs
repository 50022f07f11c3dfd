//! What a document may say, and how a wrong one is told.

mod candidate;
mod retirement;

use domain::risk::{FaultKind, Outcome};
use serde_json::{Value, json};
use testkit::builders::cny;

use super::*;
use crate::digest::Digest;

/// The document of the design, without a candidate.
pub(crate) fn value() -> Value {
    json!({
        "name": "velocity-limit", "sequence": 7, "version": "1.4.0", "contract": "portcullis:policy@0.1.0",
        "artifact": {"digest": Digest::of(b"component").to_string(), "size": 73213, "chunks": 1},
        "limits": {"fuel": 10_000_000, "deadline_ms": 10, "memory_bytes": 16_777_216},
        "failure_mode": {"default": "review", "deadline": "approve"},
        "priority": 100,
        "scope": {"merchants": ["*"], "currencies": ["CNY", "EUR"], "minimum_amount": {"CNY": 10000}},
        "parameters": {"max_count": 5},
        "grants": ["card", "device"],
        "not_before": "2026-01-01T00:00:00Z", "not_after": "2027-01-01T00:00:00Z",
        "published_at": "2026-01-01T00:00:00Z", "publisher": "risk-team",
    })
}

pub(crate) fn document() -> PolicyDocument {
    PolicyDocument::parse(value().to_string().as_bytes()).unwrap()
}

/// The error of the design's document with one value replaced, or removed where it is null.
fn error_with(pointer: &str, replacement: Value) -> String {
    let mut changed = value();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = changed.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if replacement.is_null() {
        parent.remove(key);
    } else {
        parent.insert(key.to_owned(), replacement);
    }
    match PolicyDocument::parse(changed.to_string().as_bytes()) {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_document_of_the_design_is_read() {
    let document = document();
    assert_eq!(document.name.as_str(), "velocity-limit");
    assert_eq!(document.artifact.chunks(), 1);
    let mode = document.failure_mode();
    assert_eq!(mode.outcome(FaultKind::Deadline, cny(1)), Outcome::Approve);
    assert_eq!(mode.outcome(FaultKind::Trap, cny(1)), Outcome::Review);
    assert_eq!(
        document.parameters.get("max_count"),
        Some(&ParameterValue::Integer(5))
    );
    assert!(document.grants.contains(PaymentPart::Card) && !document.grants.contains(PaymentPart::Metadata));
    assert_eq!(PolicyDocument::parse(&document.to_json()), Ok(document));
}

#[test]
fn what_is_left_out_has_its_default() {
    let mut bare = value();
    let fields = bare.as_object_mut().unwrap();
    for optional in [
        "limits",
        "priority",
        "scope",
        "parameters",
        "grants",
        "not_before",
        "not_after",
    ] {
        fields.remove(optional);
    }
    fields.insert("failure_mode".to_owned(), json!({"default": "decline"}));
    let document = PolicyDocument::parse(bare.to_string().as_bytes()).unwrap();
    assert_eq!(document.limits, Limits::default());
    assert_eq!(document.priority, DEFAULT_PRIORITY);
    assert_eq!(document.scope, Scope::default());
    assert_eq!(document.grants, Grants::NONE);
    assert_eq!(document.validity(Timestamp::MAX), Ok(()));
    // One limit alone leaves the others as they are.
    bare["limits"] = json!({"fuel": 5});
    let document = PolicyDocument::parse(bare.to_string().as_bytes()).unwrap();
    assert_eq!(document.limits.fuel(), 5);
    assert_eq!(document.limits.deadline_ms(), limits::DEFAULT_DEADLINE_MS);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table, one line per rule")]
fn an_error_names_the_path_what_was_found_and_what_was_expected() {
    for (pointer, replacement, expected) in [
        (
            "/name",
            json!("Velocity"),
            "name: found `Velocity`, expected 1 to 64 of `a-z 0-9 -`",
        ),
        ("/name", json!("-a"), "name: found `-a`"),
        ("/name", json!("a".repeat(65)), "name: found"),
        ("/name", Value::Null, "missing field `name`"),
        (
            "/sequence",
            json!(0),
            "sequence: found integer `0`, expected a whole number from 1",
        ),
        ("/sequence", json!(1_u64 << 53), "sequence: found integer"),
        (
            "/sequence",
            json!("7"),
            "sequence: found string \"7\", expected a whole number",
        ),
        ("/version", json!(""), "version: found ``, expected 1 to 64 bytes"),
        ("/version", json!("a\nb"), "version: found"),
        (
            "/contract",
            json!("wasi:http@0.2.0"),
            "contract: found `wasi:http@0.2.0`, expected a contract such as",
        ),
        ("/contract", json!("portcullis:policy@1"), "contract: found"),
        (
            "/artifact/digest",
            json!("sha256:00"),
            "artifact.digest: found `sha256:00`",
        ),
        (
            "/artifact/size",
            json!(0),
            "artifact.size: found integer `0`, expected a whole number from 1 to 67108864",
        ),
        (
            "/artifact/chunks",
            json!(2),
            "artifact: found chunks 2, expected 1 for a size of 73213",
        ),
        (
            "/limits/fuel",
            json!(1_000_000_001),
            "limits.fuel: found integer `1000000001`, expected a whole number from 1 to 1000000000",
        ),
        ("/limits/fuel", json!(-1), "limits.fuel: found integer `-1`"),
        ("/limits/deadline_ms", json!(1_001), "limits.deadline_ms: found"),
        (
            "/limits/memory_bytes",
            json!(65_535),
            "limits.memory_bytes: found",
        ),
        (
            "/limits/memory_byte",
            json!(1),
            "unknown field `memory_byte`, expected one of `fuel`, `deadline_ms`, `memory_bytes`; did you mean `memory_bytes`?",
        ),
        (
            "/failure_mode/default",
            Value::Null,
            "failure_mode: missing field `default`",
        ),
        (
            "/failure_mode/deadlines",
            json!("approve"),
            "did you mean `deadline`?",
        ),
        (
            "/failure_mode/default",
            json!("allow"),
            "failure_mode.default: unknown variant `allow`",
        ),
        (
            "/failure_mode/deadline",
            json!({"outcome": "approve", "up_to": {"CNY": -1}}),
            "failure_mode.deadline.up_to.CNY: found integer `-1`",
        ),
        ("/priority", json!(1_000_001), "priority: found"),
        ("/scope/merchant", json!([]), "did you mean `merchants`?"),
        (
            "/scope/minimum_amount/EUR",
            json!(0),
            "scope.minimum_amount.EUR: found integer `0`",
        ),
        (
            "/scope/minimum_amount/USD",
            json!(1),
            "scope: found a minimum amount in USD",
        ),
        (
            "/parameters/max_count",
            json!(1.5),
            "parameters.max_count: found floating point `1.5`, expected an integer, a string, a bool or a list of strings",
        ),
        (
            "/parameters/max_count",
            json!(u64::MAX),
            "parameters.max_count: found 18446744073709551615",
        ),
        ("/parameters/max count", json!(1), "found `max count`"),
        (
            "/parameters/texts",
            json!(["a", 1]),
            "parameters.texts[1]: found integer `1`, expected a string",
        ),
        (
            "/grants",
            json!(["cards"]),
            "grants[0]: unknown variant `cards`, expected one of `card`, `customer`, `device`, `metadata`; did you mean `card`?",
        ),
        (
            "/not_after",
            json!("2025-01-01T00:00:00Z"),
            "not_after: found 2025-01-01T00:00:00Z, expected a moment after `not_before`",
        ),
        (
            "/published_at",
            json!("yesterday"),
            "published_at: found `yesterday`, expected a moment of RFC 3339",
        ),
        ("/publishr", json!("x"), "did you mean `publisher`?"),
    ] {
        let error = error_with(pointer, replacement.clone());
        assert!(error.contains(expected), "{pointer} = {replacement}: {error}");
    }
}

#[test]
fn counts_and_bytes_are_bounded() {
    let many: serde_json::Map<String, Value> = (0..65).map(|n| (format!("p{n}"), json!(n))).collect();
    let error = error_with("/parameters", Value::Object(many));
    assert!(
        error.contains("parameters: found more than 64 entries"),
        "{error}"
    );
    let error = error_with("/parameters/text", json!("x".repeat(4_097)));
    assert!(error.contains("found a string of 4097 bytes"), "{error}");
    let error = error_with("/parameters/texts", json!(vec!["x"; 1_001]));
    assert!(error.contains("found more than 1000 strings"), "{error}");
    let spaces = vec![b' '; MAX_DOCUMENT_BYTES + 1];
    let error = PolicyDocument::parse(&spaces).unwrap_err();
    assert_eq!(error.code(), "document_too_large");
    // What is quoted in an error does not make it as long as the document.
    let error = error_with("/name", json!("x".repeat(200_000)));
    assert!(error.len() < 1_000, "{} bytes", error.len());
}

#[test]
fn a_key_that_comes_twice_is_refused() {
    let text = String::from_utf8(document().to_json()).unwrap();
    for (from, to) in [
        (r#""sequence":7"#, r#""sequence":7,"sequence":8"#),
        (r#""max_count":5"#, r#""max_count":5,"max_count":6"#),
    ] {
        assert!(text.contains(from));
        let error = PolicyDocument::parse(text.replace(from, to).as_bytes()).unwrap_err();
        assert_eq!(error.code(), "document_invalid");
    }
    let behind = format!("{text}{{}}");
    assert!(PolicyDocument::parse(behind.as_bytes()).is_err());
}

#[test]
fn what_publishing_adds_makes_no_other_document() {
    let one = document();
    let mut other = one.clone();
    other.sequence += 1;
    other.published_at = Timestamp::MAX;
    other.publisher = Publisher::parse("someone-else").unwrap();
    assert!(one.says_the_same_as(&other));
    other.priority += 1;
    assert!(!one.says_the_same_as(&other));
}
