//! Golden cases that hold pass, and all others say what is wrong with them and where.

use serde_json::{Value, json};

use super::*;
use crate::{PaymentParts, Request, Subject, count, message};

struct Rule;

impl Policy for Rule {
    fn describe() -> Descriptor {
        Descriptor::new("a rule")
            .reads(PaymentParts::CARD)
            .feature("often", count(Subject::Card).within_hours(1))
            .parameter("max_count", 5)
            .parameter("mode", "strict")
    }

    fn evaluate(request: &Request) -> Result<Decision, String> {
        let max_count = request.integer("max_count")?;
        if max_count < 0 {
            return Err(message!("max_count is ", max_count));
        }
        assert!(request.text("mode")? != "panic", "told to");
        assert!(request.payment.device.is_none());
        match request.count("often")? {
            None => Ok(Decision::review().reason("unavailable", "often")),
            Some(count) if count > max_count.unsigned_abs() => Ok(Decision::decline()
                .score(900)
                .reason("often", message!("paid ", count, " times"))),
            Some(_) => Ok(Decision::approve()),
        }
    }
}

/// A case that holds; the tests change one thing each.
fn case() -> Value {
    json!({
        "name": "the sixth payment is declined",
        "payment": {
            "id": "pay_1", "merchant_id": "m_1", "amount": {"minor_units": 1000, "currency": "CNY"},
            "created_at": 1_767_225_600_000_u64, "card": null, "device": {"id": "d_1"}, "metadata": [["key", "value"]],
        },
        "features": {"often": {"count": 6}},
        "decision": {"outcome": "decline", "score": 900, "reasons": [{"code": "often", "message": "paid 6 times"}]},
    })
}

fn check(cases: &[Value]) -> Result<usize, GoldenCaseError> {
    check_golden_cases::<Rule>(&json!({"contract": CONTRACTS[1], "cases": cases}).to_string())
}

/// The text of the failure when one field of the case is another.
fn failure(pointer: &str, field: &str, value: Value) -> String {
    let mut case = case();
    case.pointer_mut(pointer)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .insert(field.to_owned(), value);
    check(&[case]).unwrap_err().to_string()
}

#[test]
fn cases_that_hold_are_counted() {
    let mut unavailable = case();
    unavailable["name"] = json!("unavailable");
    unavailable["features"] = json!({"often": "unavailable"});
    unavailable["decision"] =
        json!({"outcome": "review", "score": 0, "reasons": [{"code": "unavailable", "message": "often"}]});
    let mut refused = case();
    refused["name"] = json!("refused");
    refused["parameters"] = json!({"max_count": -1});
    refused.as_object_mut().unwrap().remove("decision");
    refused["error"] = json!("max_count is -1");
    assert_eq!(check(&[case(), unavailable, refused]), Ok(3));
}

#[test]
fn every_difference_is_shown_under_its_path() {
    let text = failure("", "features", json!({"often": {"count": 5}}));
    assert_eq!(
        text,
        "1 of 1 golden cases do not hold\n\n\
         cases[0] the sixth payment is declined\n    \
         decision.outcome\n      expected Outcome::Decline\n      answered Outcome::Approve\n    \
         decision.score\n      expected 900\n      answered 0\n    \
         decision.reasons[0]\n      expected often: \"paid 6 times\"\n      answered nothing\n"
    );
}

#[test]
fn names_and_kinds_that_the_policy_does_not_know_are_refused() {
    assert!(failure("/features", "seldom", json!({"count": 1})).contains("features.seldom: "));
    assert!(failure("", "features", json!({"often": {"listed": true}})).contains("features.often: "));
    assert!(failure("", "parameters", json!({"min_count": 1})).contains("parameters.min_count: "));
    assert!(failure("", "parameters", json!({"max_count": "1"})).contains("parameters.max_count: "));
}

#[test]
fn a_mistake_in_the_file_is_named_by_case_and_path() {
    assert!(failure("/payment", "ammount", json!(1)).contains("payment.ammount: unknown field `ammount`"));
    assert!(failure("/payment/amount", "minor_units", json!(1.5)).contains("payment.amount.minor_units: "));
    assert!(failure("/payment", "card", json!({"bin": 1})).contains("payment.card.bin: "));
    assert!(failure("", "parameters", json!({"max_count": 1.5})).contains("found 1.5"));
    assert!(
        failure("/decision", "outcome", json!("allow")).contains("decision.outcome: unknown variant `allow`")
    );
    assert!(failure("/decision", "score", json!(1001)).contains("decision.score: at most 1000"));
    assert!(failure("", "error", json!("both")).contains("expected either `decision` or `error`"));
    assert!(
        failure("", "features", json!({"often": {"often": 1}})).contains("features.often: unknown variant")
    );
}

#[test]
fn a_file_may_be_written_for_the_contract_of_the_kit_or_an_older_one() {
    for contract in CONTRACTS {
        let file = json!({"contract": contract, "cases": [case()]});
        assert_eq!(check_golden_cases::<Rule>(&file.to_string()), Ok(1), "{contract}");
    }
}

/// Answers with the exponent of the amount as the score.
struct Digits;

impl Policy for Digits {
    fn describe() -> Descriptor {
        Descriptor::new("tells the exponent")
    }

    fn evaluate(request: &Request) -> Result<Decision, String> {
        Ok(Decision::approve().score(request.payment.amount.exponent.into()))
    }
}

#[test]
fn a_case_has_the_exponent_of_its_currency_and_does_not_say_it() {
    let case = |currency: &str, exponent: u8| {
        json!({
            "name": currency,
            "payment": {"id": "p", "merchant_id": "m", "amount": {"minor_units": 1, "currency": currency}, "created_at": 1},
            "decision": {"outcome": "approve", "score": exponent, "reasons": []},
        })
    };
    let cases = [case("EUR", 2), case("JPY", 0), case("KWD", 3)];
    let file = json!({"contract": CONTRACTS[1], "cases": cases});
    assert_eq!(check_golden_cases::<Digits>(&file.to_string()), Ok(3));
    assert!(
        failure("/payment/amount", "exponent", json!(2))
            .contains("payment.amount.exponent: unknown field `exponent`")
    );
}

#[test]
fn two_cases_of_one_name_are_refused() {
    assert!(
        check(&[case(), case()])
            .unwrap_err()
            .to_string()
            .contains("another case has it too")
    );
}

#[test]
fn a_panic_fails_its_case_alone() {
    let mut panics = case();
    panics["name"] = json!("panics");
    panics["parameters"] = json!({"mode": "panic"});
    let text = check(&[panics, case()]).unwrap_err().to_string();
    assert!(text.contains("1 of 2"), "{text}");
    assert!(
        text.contains("answered the error \"the policy panicked: told to\""),
        "{text}"
    );
}

#[test]
fn a_file_for_another_contract_or_with_unknown_fields_is_refused() {
    let of = |file: Value| {
        check_golden_cases::<Rule>(&file.to_string())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        of(json!({"contract": "portcullis:policy@0.3.0", "cases": []})),
        "contract: expected portcullis:policy@0.1.0 or portcullis:policy@0.2.0, found portcullis:policy@0.3.0"
    );
    assert!(
        of(json!({"contract": CONTRACTS[1], "cases": [], "comment": ""})).contains("unknown field `comment`")
    );
}
