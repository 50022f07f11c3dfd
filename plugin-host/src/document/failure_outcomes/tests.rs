//! How a failure mode is read and written.

use domain::Currency;

use super::*;
use crate::document::strict::from_json;

fn read(json: &str) -> FailureOutcomes {
    from_json(json.as_bytes()).unwrap()
}

fn error(json: &str) -> String {
    match from_json::<FailureOutcomes>(json.as_bytes()) {
        Ok(_) => "accepted".to_owned(),
        Err(error) => format!("{}: {}", error.path, error.message),
    }
}

fn money(minor_units: i64, currency: &str) -> Money {
    Money::new(minor_units, Currency::parse(currency).unwrap()).unwrap()
}

#[test]
fn a_kind_that_was_not_chosen_takes_the_default() {
    let outcomes = read(r#"{"deadline": "approve", "default": "decline"}"#);
    for kind in FaultKind::ALL {
        let expected = match kind {
            FaultKind::Deadline => Outcome::Approve,
            _ => Outcome::Decline,
        };
        let outcome = outcomes.failure_mode().outcome(kind, money(1, "CNY"));
        assert_eq!(outcome, expected, "{kind}");
    }
    let written = serde_json::to_string(&outcomes).unwrap();
    assert_eq!(written, r#"{"default":"decline","deadline":"approve"}"#);
}

#[test]
fn approve_stands_up_to_an_amount_and_is_written_in_the_order_of_currencies() {
    let outcomes = read(
        r#"{"default": {"above": "decline", "up_to": {"EUR": 1000, "CNY": 10000}, "outcome": "approve"},
            "trap": {"outcome": "approve", "up_to": {"JPY": 5}},
            "refused": {"outcome": "challenge"}}"#,
    );
    for (kind, amount, expected) in [
        (FaultKind::Deadline, money(10_000, "CNY"), Outcome::Approve),
        (FaultKind::Deadline, money(10_001, "CNY"), Outcome::Decline),
        (FaultKind::Deadline, money(1_000, "EUR"), Outcome::Approve),
        (FaultKind::Deadline, money(1, "USD"), Outcome::Decline),
        (FaultKind::Trap, money(5, "JPY"), Outcome::Approve),
        (FaultKind::Trap, money(6, "JPY"), Outcome::Review),
        (FaultKind::Refused, money(6, "JPY"), Outcome::Challenge),
    ] {
        let outcome = outcomes.failure_mode().outcome(kind, amount);
        assert_eq!(outcome, expected, "{kind} {amount:?}");
    }
    let written = serde_json::to_string(&outcomes).unwrap();
    assert_eq!(
        written,
        concat!(
            r#"{"default":{"outcome":"approve","up_to":{"CNY":10000,"EUR":1000},"above":"decline"},"#,
            r#""trap":{"outcome":"approve","up_to":{"JPY":5},"above":"review"},"refused":"challenge"}"#
        )
    );
    assert_eq!(read(&written), outcomes);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table, one line per rule")]
fn an_error_says_where_it_is() {
    let up_to = |fields: &str| format!(r#"{{"default": "review", "deadline": {{"outcome": {fields}}}}}"#);
    for (json, expected) in [
        ("{}".to_owned(), ".: missing field `default`"),
        (
            r#"{"deadline": "approve"}"#.to_owned(),
            ".: missing field `default`",
        ),
        (
            r#"{"default": "allow"}"#.to_owned(),
            "default: unknown variant `allow`",
        ),
        (
            r#"{"default": 1}"#.to_owned(),
            "default: found integer `1`, expected an outcome, or an object of `outcome`",
        ),
        (
            r#"{"default": "review", "timeout": "approve"}"#.to_owned(),
            "unknown field `timeout`, expected one of `default`, `trap`, `out_of_fuel`,",
        ),
        (
            r#"{"default": "review", "default": "approve"}"#.to_owned(),
            "duplicate field `default`",
        ),
        (
            r#"{"default": "review", "trap": "review", "trap": "approve"}"#.to_owned(),
            "duplicate field `trap`",
        ),
        (
            up_to(r#""approve", "up_to": {"XYZ": 1}"#),
            "deadline.up_to.XYZ: found `XYZ`, expected a currency of ISO 4217",
        ),
        (
            up_to(r#""approve", "up_to": {"CNY": -1}"#),
            "deadline.up_to.CNY: found integer `-1`, expected a whole number from 1 to",
        ),
        (
            up_to(r#""approve", "up_to": {"CNY": 0}"#),
            "deadline.up_to.CNY: found integer `0`",
        ),
        (
            up_to(r#""approve", "up_to": {"CNY": 1, "CNY": 2}"#),
            "deadline.up_to: found `CNY` twice",
        ),
        (
            up_to(r#""approve", "up_to": {"XAU": 1}"#),
            "deadline.up_to: found an amount in XAU, but XAU has no minor unit",
        ),
        (
            up_to(r#""approve", "up_to": {}"#),
            "deadline.up_to: found no amount",
        ),
        (
            up_to(r#""approve", "up_to": {"CNY": 1}, "above": "approve""#),
            "deadline.above: found `approve` above the amount",
        ),
        (
            up_to(r#""review", "up_to": {"CNY": 1}"#),
            "deadline: found `up_to` with the outcome `review`, expected it with `approve` alone",
        ),
        (
            up_to(r#""approve", "above": "review""#),
            "deadline: found `above` without `up_to`",
        ),
        (up_to(r#""approve", "upto": {"CNY": 1}"#), "did you mean `up_to`?"),
        (
            up_to(r#""approve", "up_to": {"CNY": 1}, "up_to": {"CNY": 2}"#),
            "duplicate field `up_to`",
        ),
    ] {
        let error = error(&json);
        assert!(error.contains(expected), "{json}: {error}");
    }
}
