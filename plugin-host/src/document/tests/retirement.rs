//! What a document may say that retires a policy.

use serde_json::{Value, json};

use super::super::*;
use super::value;

fn retirement() -> Value {
    json!({
        "name": "velocity-limit", "sequence": 8, "retired": true, "reason": "replaced by card-velocity",
        "published_at": "2026-01-01T00:00:00Z", "publisher": "risk-team",
    })
}

fn read(document: &Value) -> Result<Statement, DocumentError> {
    Statement::parse(document.to_string().as_bytes())
}

#[test]
fn a_retirement_is_read_and_written() {
    let statement = read(&retirement()).unwrap();
    let Statement::Retirement(retirement) = &statement else {
        panic!("{statement:?}");
    };
    assert_eq!(
        retirement.reason.as_ref().unwrap().as_str(),
        "replaced by card-velocity"
    );
    assert_eq!(statement.sequence(), 8);
    assert_eq!(Statement::parse(&statement.to_json()), Ok(statement));
}

#[test]
fn a_release_is_no_retirement_and_a_retirement_no_release() {
    assert!(matches!(read(&value()), Ok(Statement::Release(_))));
    let mut retirement = retirement();
    retirement.as_object_mut().unwrap().remove("reason");
    let error = PolicyDocument::parse(retirement.to_string().as_bytes()).unwrap_err();
    assert!(error.to_string().contains("unknown field `retired`"), "{error}");
    let mut both = value();
    both["retired"] = json!(true);
    let error = read(&both).unwrap_err().to_string();
    assert!(error.contains("unknown field"), "{error}");
}

#[test]
fn what_a_retirement_may_not_say_is_told_with_its_path() {
    for (key, replacement, expected) in [
        ("retired", json!(false), "retired: found false, expected true"),
        ("retired", json!("yes"), "retired: "),
        ("sequence", json!(0), "sequence: "),
        ("sequence", Value::Null, "missing field `sequence`"),
        ("reason", json!(""), "reason: "),
        ("reson", json!("x"), "did you mean `reason`?"),
    ] {
        let mut wrong = retirement();
        let fields = wrong.as_object_mut().unwrap();
        if replacement.is_null() {
            fields.remove(key);
        } else {
            fields.insert(key.to_owned(), replacement);
        }
        let error = read(&wrong).unwrap_err().to_string();
        assert!(error.contains(expected), "{key}: {error}");
    }
    assert_eq!(Statement::parse(b"{").unwrap_err().code(), "document_invalid");
    assert_eq!(
        Statement::parse(&vec![b' '; MAX_DOCUMENT_BYTES + 1])
            .unwrap_err()
            .code(),
        "document_too_large"
    );
}
