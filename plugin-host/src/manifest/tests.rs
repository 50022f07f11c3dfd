//! What an author may write, and how a slip is told.

use domain::risk::{FaultKind, Outcome};

use testkit::builders::cny;

use super::*;
use crate::digest::Digest;
use crate::document::{ParameterValue, PaymentPart};

const WHOLE: &str = r#"
name = "velocity-limit"
version = "1.0.0"
priority = 100
parameters = { max_count = 5, list = ["a", "b"], on = true, text = "x" }
grants = ["card", "device"]
[limits]
fuel = 2_000_000
deadline_ms = 10
memory_bytes = 16777216
[failure_mode]
default = "review"
deadline = "approve"
refused = { outcome = "approve", up_to = { CNY = 10000 }, above = "decline" }
[scope]
merchants = ["*"]
currencies = ["CNY", "EUR"]
minimum_amount = { CNY = 10000 }
[validity]
not_before = "2026-01-01T00:00:00Z"
not_after = 2027-01-01T00:00:00Z
"#;

const LEAST: &str = "name = \"a\"\nversion = \"1\"\n[failure_mode]\ndefault = \"decline\"\n";

fn error(text: &str) -> String {
    Manifest::parse("policy.toml", text).unwrap_err().to_string()
}

#[test]
fn a_whole_manifest_is_read() {
    let manifest = Manifest::parse("policy.toml", WHOLE).unwrap();
    assert_eq!(manifest.name.as_str(), "velocity-limit");
    assert_eq!(manifest.limits.fuel(), 2_000_000);
    assert_eq!(
        manifest.parameters.get("list"),
        Some(&ParameterValue::Texts(vec!["a".to_owned(), "b".to_owned()]))
    );
    assert!(manifest.grants.contains(PaymentPart::Device));
    let mode = manifest.failure_outcomes.failure_mode();
    assert_eq!(mode.outcome(FaultKind::Deadline, cny(1)), Outcome::Approve);
    assert_eq!(mode.outcome(FaultKind::Refused, cny(10_000)), Outcome::Approve);
    assert_eq!(mode.outcome(FaultKind::Refused, cny(10_001)), Outcome::Decline);
    let window = manifest.validity;
    assert_eq!(window.not_after().unwrap().unix_millis(), 1_798_761_600_000);
    assert_eq!(window.not_before().unwrap().unix_millis(), 1_767_225_600_000);
}

#[test]
fn name_version_and_failure_mode_are_all_that_is_needed() {
    let manifest = Manifest::parse("policy.toml", LEAST).unwrap();
    assert_eq!(manifest.limits, Limits::default());
    assert_eq!(manifest.scope, Scope::default());
    assert_eq!(manifest.priority, 100);
    for missing in ["name", "version", "default"] {
        let text: String = LEAST
            .lines()
            .filter(|line| !line.starts_with(missing))
            .map(|line| format!("{line}\n"))
            .collect();
        assert!(
            error(&text).contains(&format!("missing field `{missing}`")),
            "{missing}"
        );
    }
}

#[test]
fn an_error_names_file_line_column_and_path() {
    for (from, to, expected) in [
        (
            "fuel = 2_000_000",
            "fuel = 0",
            "policy.toml:8:8: limits.fuel: found integer `0`, expected a whole number from 1 to 1000000000",
        ),
        ("[limits]", "[limit]", "did you mean `limits`?"),
        (
            "deadline = \"approve\"",
            "deadlin = \"approve\"",
            "did you mean `deadline`?",
        ),
        (
            "max_count = 5",
            "max_count = 1.5",
            "parameters.max_count: found floating point `1.5`",
        ),
        ("max_count = 5", "max_count = 2026-01-01", "parameters.max_count"),
        (
            "priority = 100",
            "priority = \"high\"",
            "priority: found string \"high\", expected a whole number",
        ),
        (
            "CNY = 10000 }, above",
            "YUAN = 10000 }, above",
            "failure_mode.refused.up_to.YUAN: found `YUAN`, expected a currency of ISO 4217",
        ),
        (
            "above = \"decline\"",
            "above = \"approve\"",
            "failure_mode.refused.above: found `approve` above the amount",
        ),
        ("fuel = 2_000_000", "fuel = = 1", "policy.toml:8:"),
        (
            "\"2026-01-01T00:00:00Z\"",
            "\"2028-01-01T00:00:00Z\"",
            "validity.not_after: found 2027",
        ),
        (
            "2027-01-01T00:00:00Z",
            "2027-01-01",
            "not_after: found `2027-01-01`, expected a moment of RFC 3339",
        ),
        (
            "name = \"velocity-limit\"",
            "name = \"Velocity\"",
            "policy.toml:2:8: name: found `Velocity`",
        ),
    ] {
        assert!(WHOLE.contains(from), "{from}");
        let error = error(&WHOLE.replace(from, to));
        assert!(error.contains(expected), "{to}: {error}");
    }
}

#[test]
fn a_manifest_and_an_artifact_make_a_document_that_is_read_back() {
    let manifest = Manifest::parse("policy.toml", WHOLE).unwrap();
    let document = manifest.document(
        ContractName::parse("portcullis:policy@0.1.0").unwrap(),
        ArtifactRef::new(Digest::of(b"component"), 9).unwrap(),
        3,
        Timestamp::from_unix_millis(1_767_225_600_000),
        Publisher::parse("risk-team").unwrap(),
    );
    assert_eq!(PolicyDocument::parse(&document.to_json()), Ok(document));
}
