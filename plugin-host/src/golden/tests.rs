//! Golden cases: what passes, what fails and with which words.

use domain::feature::{FeatureSpec, PaymentFilter, Subject, VelocityMeasure};
use domain::risk::Outcome;
use serde_json::{Value, json};

use super::format::MAX_GOLDEN_CASES_BYTES;
use super::*;
use crate::contract::request::exponent;
use crate::contract::version::ContractVersion;
use crate::load_error::LoadError;
use crate::loader::verify;
use crate::testing::{Answer, Description, Guest, document, load, refused};

fn velocity() -> FeatureSpec {
    FeatureSpec::Velocity {
        subject: Subject::Card,
        measure: VelocityMeasure::Count,
        filter: PaymentFilter::Attempted,
        window_seconds: 3600,
    }
}

/// Reviews with a score of 400 and two reasons, whatever it is asked.
fn reviewing() -> Guest {
    let answer = Answer::of(Outcome::Review, 400)
        .because("velocity.card.count", "6 payments")
        .because("list.ip", "listed");
    let description = Description::of("reviews")
        .feature("card_count_1h", &velocity())
        .parameter("max_count", ParameterValue::Integer(5))
        .parameter("currencies", ParameterValue::Texts(vec!["CNY".to_owned()]));
    Guest::answering(&answer).described(&description)
}

fn decision() -> Value {
    json!({"outcome": "review", "score": 400, "reasons": [
        {"code": "velocity.card.count", "message": "6 payments"}, {"code": "list.ip", "message": "listed"}]})
}

/// A case by this name, with some of its fields said otherwise; null takes one away.
fn case(name: &str, otherwise: &Value) -> Value {
    let mut case = json!({
        "name": name,
        "payment": {"id": "pay_1", "merchant_id": "m_1", "amount": {"minor_units": 12900, "currency": "CNY"}, "created_at": 1},
        "decision": decision(),
    });
    let fields = case.as_object_mut().unwrap();
    for (key, value) in otherwise.as_object().unwrap() {
        if value.is_null() {
            fields.remove(key);
        } else {
            fields.insert(key.clone(), value.clone());
        }
    }
    case
}

fn cases(cases: &[Value]) -> String {
    json!({"contract": "portcullis:policy@0.1.0", "cases": cases}).to_string()
}

/// What comes of a guest that carries these cases, under a document that says something otherwise.
fn checked_under(guest: Guest, carried: &[Value], otherwise: &Value) -> Result<usize, String> {
    let component = guest.with_golden_cases(cases(carried)).component();
    verify(
        &load(&component),
        &document("tested", &component, otherwise),
        || true,
    )
    .map_err(|error| error.to_string())
}

/// What comes of a guest that carries these cases.
fn checked(guest: Guest, carried: &[Value]) -> Result<usize, String> {
    checked_under(guest, carried, &json!({}))
}

/// What is wrong with the one case that says something otherwise.
fn failure(otherwise: &Value) -> String {
    checked(reviewing(), &[case("the sixth payment", otherwise)]).unwrap_err()
}

#[test]
fn cases_that_come_out_are_counted() {
    let carried = [
        case("the sixth payment", &json!({})),
        case(
            "with a feature",
            &json!({"features": {"card_count_1h": {"count": 6}}}),
        ),
        case(
            "with another value",
            &json!({"features": {"card_count_1h": "unavailable"}}),
        ),
        case(
            "with parameters",
            &json!({"parameters": {"max_count": 7, "currencies": ["EUR", "USD"]}}),
        ),
    ];
    assert_eq!(checked(reviewing(), &carried), Ok(4));
    assert_eq!(checked(reviewing(), &[]), Ok(0));
    let component = reviewing().component();
    let document = document("tested", &component, &json!({}));
    assert_eq!(verify(&load(&component), &document, || true), Ok(0));
}

#[test]
fn a_case_that_comes_out_otherwise_is_named_with_what_differs() {
    for (pointer, value, difference) in [
        (
            "/outcome",
            json!("decline"),
            "outcome: expected decline, found review",
        ),
        ("/score", json!(401), "score: expected 401, found 400"),
        (
            "/reasons/1/code",
            json!("list.card"),
            r#"reasons: expected [("velocity.card.count", "6 payments"), ("list.card", "listed")], found [("velocity.card.count", "6 payments"), ("list.ip", "listed")]"#,
        ),
    ] {
        let mut expected = decision();
        *expected.pointer_mut(pointer).unwrap() = value;
        assert_eq!(
            failure(&json!({"decision": expected})),
            format!("golden case `the sixth payment`: {difference}")
        );
    }
    let all = failure(&json!({"decision": {"outcome": "approve", "score": 0, "reasons": []}}));
    assert!(
        all.contains(
            "outcome: expected approve, found review; score: expected 0, found 400; reasons: expected []"
        ),
        "{all}"
    );
}

#[test]
fn the_first_case_that_fails_is_told() {
    let wrong = json!({"decision": {"outcome": "approve", "score": 0, "reasons": []}});
    let carried = [
        case("right", &json!({})),
        case("wrong", &wrong),
        case("wrong too", &wrong),
    ];
    let message = checked(reviewing(), &carried).unwrap_err();
    assert!(message.starts_with("golden case `wrong`: "), "{message}");
}

#[test]
fn a_case_about_what_the_policy_does_not_have_fails() {
    for (otherwise, difference) in [
        (
            json!({"features": {"card_count_2h": {"count": 1}}}),
            "features.card_count_2h: the policy has no such feature",
        ),
        (
            json!({"parameters": {"max": 1}}),
            "parameters.max: the policy has no such parameter",
        ),
        (
            json!({"parameters": {"max_count": "5"}}),
            "parameters.max_count: expected integer, found string",
        ),
        (
            json!({"parameters": {"currencies": true}}),
            "parameters.currencies: expected list of strings, found bool",
        ),
    ] {
        assert_eq!(
            failure(&otherwise),
            format!("golden case `the sixth payment`: {difference}")
        );
    }
}

#[test]
fn a_case_expects_either_a_decision_or_an_error() {
    for otherwise in [json!({"error": "no"}), json!({"decision": null})] {
        assert_eq!(
            failure(&otherwise),
            "golden case `the sixth payment`: expected either `decision` or `error`"
        );
    }
}

#[test]
fn an_error_that_is_expected_is_compared_word_by_word() {
    let expecting = |error: &str| case("gold", &json!({"decision": null, "error": error}));
    let refusing = || Guest::refusing("no rates for XAU");
    assert_eq!(checked(refusing(), &[expecting("no rates for XAU")]), Ok(1));
    assert_eq!(
        checked(refusing(), &[expecting("no rates")]).unwrap_err(),
        "golden case `gold`: expected the error `no rates`, found refused: no rates for XAU"
    );
    assert_eq!(
        checked(Guest::new(), &[expecting("no rates")]).unwrap_err(),
        "golden case `gold`: expected the error `no rates`, found approve"
    );
    let trapped = checked(Guest::evaluating("(unreachable)"), &[expecting("unreachable")]).unwrap_err();
    assert!(
        trapped.starts_with("golden case `gold`: expected the error `unreachable`, found trap: "),
        "{trapped}"
    );
}

#[test]
fn a_fault_where_a_decision_was_expected_is_told() {
    let message = checked(Guest::refusing("no rates"), &[case("gold", &json!({}))]).unwrap_err();
    assert_eq!(
        message,
        "golden case `gold`: expected a decision, found refused: no rates"
    );
}

#[test]
fn cases_run_within_the_document_s_fuel() {
    let looping = "(local $left i32) (local.set $left (i32.const 100000))
        (loop $again (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (call $score (i32.const 0))";
    let approved = case(
        "slow",
        &json!({"decision": {"outcome": "approve", "score": 0, "reasons": []}}),
    );
    let check = |fuel: u64| {
        let limits = json!({"limits": {"fuel": fuel, "deadline_ms": 1}});
        checked_under(
            Guest::evaluating(looping),
            std::slice::from_ref(&approved),
            &limits,
        )
    };
    // The deadline of 1 ms does not count here, the fuel does.
    assert_eq!(check(10_000_000), Ok(1));
    let message = check(10_000).unwrap_err();
    assert!(
        message.starts_with("golden case `slow`: expected a decision, found out_of_fuel"),
        "{message}"
    );
}

/// Refuses where its one parameter is below zero, and reviews otherwise.
fn particular() -> Guest {
    let mut guest = Guest::new();
    let refusal = guest.lay_out_refusal("max_count: expected at least 0");
    let review = guest.lay_out(&Answer::of(Outcome::Review, 1));
    let description = Description::of("particular").parameter("max_count", ParameterValue::Integer(5));
    guest
        .then_evaluating(&format!(
            "(select (i32.const {refusal}) (i32.const {review})
                (i64.lt_s (i64.load offset=16 (i32.load offset=216 (call $past_amount (local.get $request)))) (i64.const 0)))"
        ))
        .described(&description)
}

#[test]
fn parameters_that_the_policy_refuses_are_refused_with_its_words() {
    for version in ContractVersion::ALL {
        let decided = || {
            case(
                "by default",
                &json!({"decision": {"outcome": "review", "score": 1, "reasons": []}}),
            )
        };
        let refusing = case(
            "below zero",
            &json!({"parameters": {"max_count": -1}, "decision": null, "error": "max_count: expected at least 0"}),
        );
        let under = |carried: &[Value], max_count: i64| {
            checked_under(
                particular().built_for(version),
                carried,
                &json!({"parameters": {"max_count": max_count}}),
            )
        };
        assert_eq!(under(&[refusing.clone(), decided()], 7), Ok(2));
        assert_eq!(
            under(&[refusing.clone(), decided()], -7).unwrap_err(),
            "parameters: the policy refuses them: max_count: expected at least 0"
        );
        // A case that ends in an error of the policy's own says nothing of the document's parameters.
        assert_eq!(under(&[refusing], -7), Ok(1));
    }
}

#[test]
fn a_case_shows_a_policy_what_it_reads_and_no_more() {
    for version in ContractVersion::ALL {
        // How many of card, customer, device and metadata are there.
        let counting = "(call $score (i32.add
            (i32.add (i32.load8_u offset=56 (call $past_amount (local.get $request))) (i32.load8_u offset=96 (call $past_amount (local.get $request))))
            (i32.add (i32.load8_u offset=148 (call $past_amount (local.get $request))) (i32.load offset=204 (call $past_amount (local.get $request))))))";
        let everything = json!({
            "id": "pay_1", "merchant_id": "m_1", "merchant_category": "5732",
            "amount": {"minor_units": 12900, "currency": "CNY"}, "created_at": 1,
            "card": {"bin": "424242", "last4": "4242", "fingerprint": "fp", "issuer_country": "DE"},
            "customer": {"id": "c_1"}, "device": {"ip": "203.0.113.7"}, "metadata": [["order", "o_1"], ["note", "n"]],
        });
        for (parts, score) in [
            (0, 0),
            (Description::CARD, 1),
            (Description::CUSTOMER | Description::DEVICE, 2),
            (Description::METADATA, 2),
            (15, 5),
        ] {
            let guest = Guest::evaluating(counting)
                .built_for(version)
                .described(&Description::of("counts").reading(parts));
            let expected = json!({"payment": everything, "decision": {"outcome": "approve", "score": score, "reasons": []}});
            let grants = json!({"grants": ["card", "customer", "device", "metadata"]});
            let carried = [case("parts", &expected)];
            assert_eq!(checked_under(guest, &carried, &grants), Ok(1), "{parts}");
        }
    }
}

fn unreadable(json: &str) -> GoldenCasesError {
    match refused(&reviewing().with_golden_cases(json).component()) {
        LoadError::GoldenCasesUnreadable(error) => error,
        other => panic!("refused for something else: {other}"),
    }
}

#[test]
fn cases_that_cannot_be_read_are_told_with_their_path() {
    let odd = |otherwise: Value| cases(&[case("fine", &json!({})), case("odd", &otherwise)]);
    for (json, path, words) in [
        ("[]".to_owned(), ".", "expected struct"),
        (cases(&[]) + "x", ".", "trailing characters"),
        (odd(json!({"payments": 1})), "cases[1].payments", "unknown field"),
        (odd(json!({"name": 1})), "cases[1].name", "expected a string"),
        (
            odd(json!({"payment": {}})),
            "cases[1].payment",
            "missing field `id`",
        ),
        (
            odd(json!({"features": {"card_count_1h": {"number": 1}}})),
            "cases[1].features.card_count_1h",
            "unknown variant",
        ),
        (
            odd(json!({"features": {"card_count_1h": {"count": -1}}})),
            "cases[1].features.card_count_1h.count",
            "expected u64",
        ),
        (
            odd(json!({"parameters": {"max_count": 1.5}})),
            "cases[1].parameters.max_count",
            "floating point",
        ),
        (
            odd(json!({"decision": {"outcome": "review", "score": 1}})),
            "cases[1].decision",
            "missing field `reasons`",
        ),
        (
            odd(json!({"decision": {"outcome": "review", "score": 70000, "reasons": []}})),
            "cases[1].decision.score",
            "expected u16",
        ),
    ] {
        let GoldenCasesError::Malformed { path: found, message } = unreadable(&json) else {
            panic!("refused for something else")
        };
        assert_eq!(found, path, "{message}");
        assert!(message.contains(words), "{path}: {message}");
    }
}

#[test]
fn there_are_at_most_a_thousand_cases_and_a_mebibyte_of_them() {
    let many = vec![case("again", &json!({})); 1_001];
    let error = unreadable(&cases(&many));
    assert_eq!(
        error.to_string(),
        "golden cases: expected at most 1000 cases, found 1001"
    );
    assert_eq!(checked(reviewing(), &many[..1_000]), Ok(1_000));
    let large = " ".repeat(MAX_GOLDEN_CASES_BYTES + 1);
    let error = unreadable(&large);
    assert_eq!(
        error.to_string(),
        "golden cases: expected at most 1048576 bytes, found 1048577"
    );
}

#[test]
fn cases_for_another_contract_are_refused() {
    let other = cases(&[]).replace("0.1.0", "0.3.0");
    assert_eq!(
        unreadable(&other).to_string(),
        "golden cases: contract: expected `portcullis:policy@0.1.0` and `portcullis:policy@0.2.0`, found `portcullis:policy@0.3.0`"
    );
}

#[test]
fn cases_for_an_older_contract_are_taken_and_for_a_newer_one_are_not() {
    let newer = cases(&[case("newer", &json!({}))]).replace("0.1.0", "0.2.0");
    let guest = |version| reviewing().built_for(version);
    for (carried, version) in [
        (cases(&[case("older", &json!({}))]), ContractVersion::V0_2),
        (newer.clone(), ContractVersion::V0_2),
    ] {
        let component = guest(version).with_golden_cases(carried).component();
        let document = document("tested", &component, &json!({}));
        assert_eq!(verify(&load(&component), &document, || true), Ok(1));
    }
    let error = refused(&guest(ContractVersion::V0_1).with_golden_cases(newer).component());
    assert_eq!(
        error.to_string(),
        "golden cases: contract: expected `portcullis:policy@0.1.0`, which the component was built for, or an older one; \
         found `portcullis:policy@0.2.0`"
    );
    assert_eq!(error.code(), "golden_cases_unreadable");
}

#[test]
fn a_case_has_the_exponent_of_its_currency() {
    let telling = "(call $score (i32.load8_u offset=48 (local.get $request)))";
    let carried = ["EUR", "JPY", "KWD", "XAU"].map(|currency| {
        let amount = json!({"minor_units": 1, "currency": currency});
        let payment = json!({"id": "p", "merchant_id": "m", "amount": amount, "created_at": 1});
        let decision = json!({"outcome": "approve", "score": exponent(currency), "reasons": []});
        case(currency, &json!({"payment": payment, "decision": decision}))
    });
    let guest = Guest::evaluating(telling).built_for(ContractVersion::V0_2);
    assert_eq!(checked(guest, &carried), Ok(4));
}

#[test]
fn the_kit_for_authors_knows_the_same_exponents() {
    let kit = include_str!("../../../plugins/sdk/src/testing/exponents.rs");
    let (kit, _) = kit.split_once("];").unwrap();
    for currency in domain::Currency::all() {
        let entry = format!("(\"{}\", {}),", currency.code(), exponent(currency.code()));
        let other = exponent(currency.code()) != 2;
        assert_eq!(kit.contains(&entry), other, "{entry}");
    }
}

#[test]
fn an_error_that_quotes_what_was_found_is_short() {
    let long = "n".repeat(100_000);
    for json in [
        json!({"contract": "portcullis:policy@0.1.0", "cases": [{long.as_str(): 1}]}),
        json!({"contract": "portcullis:policy@0.1.0", "cases": long}),
        json!({"contract": long, "cases": []}),
    ] {
        let length = unreadable(&json.to_string()).to_string().len();
        assert!(length < 1_024, "{length} bytes");
    }
}
