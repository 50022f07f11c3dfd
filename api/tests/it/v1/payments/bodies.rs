//! Bodies that cannot be read, and what their senders are told.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::PATH;
use crate::caller::{Answer, full_payment, post, post_text, send, small_payment, with};
use crate::fakes::World;

async fn refused(body: &Value) -> Answer {
    let answer = post(&World::new().api(), PATH, body).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(!answer.text.contains("42424242"), "{answer:?}");
    answer
}

#[tokio::test]
async fn each_field_is_refused_with_its_path_and_its_code() {
    let long = "x".repeat(513);
    let many: Value = (0..33)
        .map(|n| (format!("k{n}"), json!("v")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    for (path, value, code) in [
        ("merchant_id", json!("no blanks"), "invalid_identifier"),
        ("merchant_id", json!(7), "wrong_type"),
        ("merchant_category", json!("54"), "invalid_merchant_category"),
        ("amount", json!("129.00"), "wrong_type"),
        ("amount.minor_units", json!(0), "amount_not_positive"),
        ("amount.minor_units", json!(-5), "amount_not_positive"),
        ("amount.minor_units", json!(-0.5), "amount_not_positive"),
        ("amount.minor_units", json!(129.5), "amount_too_precise"),
        ("amount.minor_units", json!(129.0), "amount_too_precise"),
        (
            "amount.minor_units",
            json!(1_000_000_000_000_001_i64),
            "amount_too_large",
        ),
        ("amount.minor_units", json!(u64::MAX), "amount_too_large"),
        ("amount.minor_units", json!(1e300), "amount_too_large"),
        ("amount.minor_units", json!("12900"), "wrong_type"),
        ("amount.currency", json!("cny"), "unknown_currency"),
        ("amount.currency", json!("ABC"), "unknown_currency"),
        ("amount.currency", json!("XAU"), "currency_not_payable"),
        ("card", json!(null), "wrong_type"),
        ("card", json!([]), "wrong_type"),
        ("card.number", json!("4242424242424241"), "invalid_card_number"),
        ("card.number", json!("4242 4242"), "invalid_card_number"),
        ("card.number", json!(4_242_424_242_424_242_u64), "wrong_type"),
        ("card.expiry_month", json!(13), "invalid_card_expiry"),
        ("card.expiry_month", json!(0), "invalid_card_expiry"),
        ("card.expiry_month", json!("12"), "wrong_type"),
        ("card.expiry_year", json!(30), "invalid_card_expiry"),
        ("card.expiry_year", json!(u64::MAX), "invalid_card_expiry"),
        ("card.expiry_year", json!(2030.5), "wrong_type"),
        ("card.issuer_country", json!("USA"), "invalid_country"),
        ("customer", json!([]), "wrong_type"),
        ("customer.id", json!(""), "invalid_text"),
        ("customer.email", json!(long), "invalid_text"),
        ("customer.billing_country", json!("cn"), "invalid_country"),
        ("customer.shipping_country", json!(true), "wrong_type"),
        ("device.user_agent", json!("a\u{7}b"), "invalid_text"),
        ("device.ip", json!("203.0.113"), "invalid_ip_address"),
        ("device.ip_country", json!("C1"), "invalid_country"),
        ("metadata", json!(["order"]), "wrong_type"),
        ("metadata", many, "too_many_metadata_entries"),
        ("metadata.order", json!(17), "wrong_type"),
        ("metadata.order", json!(null), "wrong_type"),
    ] {
        let answer = refused(&with(full_payment(), path, value.clone())).await;
        let place = if code == "currency_not_payable" {
            "amount.currency"
        } else {
            path
        };
        let expected = (code.to_owned(), vec![(place.to_owned(), code.to_owned())]);
        assert_eq!(answer.problem(), expected, "{path} = {value}");
    }
}

#[tokio::test]
async fn decimals_are_read_exactly_or_not_at_all() {
    for (decimal, code) in [
        (json!("129.005"), "amount_too_precise"),
        (json!("0.00"), "amount_not_positive"),
        (json!("-1"), "amount_not_positive"),
        (json!("1,00"), "malformed_amount"),
        (json!("99999999999999999999"), "amount_too_large"),
        (json!(129.5), "wrong_type"),
    ] {
        let body = with(
            small_payment(),
            "amount",
            json!({"decimal": decimal, "currency": "CNY"}),
        );
        let expected = (
            code.to_owned(),
            vec![("amount.decimal".to_owned(), code.to_owned())],
        );
        assert_eq!(refused(&body).await.problem(), expected, "{decimal}");
    }
    let body = with(
        small_payment(),
        "amount",
        json!({"decimal": "129", "currency": "CNY"}),
    );
    let taken = post(&World::new().api(), PATH, &body).await.json();
    assert_eq!(taken["amount"]["minor_units"], 12_900);
}

#[tokio::test]
async fn an_amount_is_told_once() {
    let both = with(small_payment(), "amount.decimal", json!("129.00"));
    let (code, errors) = refused(&both).await.problem();
    assert_eq!(
        (code.as_str(), errors[0].0.as_str()),
        ("conflicting_fields", "amount")
    );
    let neither = with(small_payment(), "amount", json!({"currency": "CNY"}));
    let answer = refused(&neither).await;
    assert_eq!(
        answer.json()["errors"],
        json!([{
            "path": "amount.minor_units",
            "code": "missing_field",
            "message": "expected `minor_units` or `decimal`, found nothing",
        }])
    );
}

#[tokio::test]
async fn every_error_of_a_body_is_told_at_once() {
    let body = json!({
        "amount": {"minor_units": 129.5, "curency": "CNY"},
        "card": {"number": "4242424242424241", "expiry_month": 13},
        "customer": {"billing_country": "china"},
    });
    let answer = refused(&body).await;
    assert_eq!(answer.problem().0, "invalid_body");
    assert_eq!(
        answer.json()["detail"],
        "The body has 8 errors; each is told under `errors`."
    );
    let error =
        |path: &str, code: &str, message: &str| json!({"path": path, "code": code, "message": message});
    assert_eq!(
        answer.json()["errors"],
        json!([
            error("merchant_id", "missing_field", "expected a string, found nothing"),
            error(
                "amount.curency",
                "unknown_field",
                "there is no such field; did you mean `currency`?"
            ),
            error(
                "amount.currency",
                "missing_field",
                "expected a string, found nothing"
            ),
            error(
                "amount.minor_units",
                "amount_too_precise",
                "expected a whole number of minor units, found one with a decimal point or an exponent"
            ),
            error(
                "customer.billing_country",
                "invalid_country",
                "expected two upper-case letters of ISO 3166-1, such as `CN`"
            ),
            error("card.number", "invalid_card_number", "has a wrong check digit"),
            error(
                "card.expiry_month",
                "invalid_card_expiry",
                "expected a month of 1 to 12, found another number"
            ),
            error(
                "card.expiry_year",
                "missing_field",
                "expected a year of 2000 to 2099, found nothing"
            ),
        ])
    );
}

#[tokio::test]
async fn an_unknown_field_is_told_the_nearest_known_one() {
    let answer = refused(&with(small_payment(), "merchantId", json!("shop-1"))).await;
    assert_eq!(
        answer.json()["errors"][0]["message"],
        "there is no such field; did you mean `merchant_id`?"
    );
    let answer = refused(&with(small_payment(), "zzz", json!(1))).await;
    let message = answer.json()["errors"][0]["message"].to_string();
    assert!(message.contains("expected one of `merchant_id`"), "{message}");
}

#[tokio::test]
async fn a_field_that_is_there_twice_is_refused() {
    let body = small_payment()
        .to_string()
        .replacen('{', r#"{"merchant_id":"other","#, 1);
    let answer = post_text(&World::new().api(), PATH, body).await;
    assert_eq!(answer.status, 400);
    let error = ("merchant_id".to_owned(), "duplicate_field".to_owned());
    assert_eq!(answer.problem(), ("duplicate_field".to_owned(), vec![error]));
}

#[tokio::test]
async fn an_address_is_kept_in_its_one_canonical_form() {
    for (sent, kept) in [
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:DB8:0::1", "2001:db8::1"),
    ] {
        let body = with(full_payment(), "device.ip", json!(sent));
        let answer = post(&World::new().api(), PATH, &body).await;
        assert_eq!(answer.json()["device"]["ip"], kept);
    }
}

#[tokio::test]
async fn what_is_no_json_is_told_where_it_breaks() {
    let api = World::new().api();
    for (body, detail) in [
        ("{\n  \"merchant_id\": x}", "expected value, at line 2, column 18"),
        ("", "EOF while parsing a value, at line 1, column 0"),
        ("{} {}", "trailing characters, at line 1, column 4"),
        ("{\"amount\": 1e999}", "number out of range, at line 1, column 16"),
    ] {
        let answer = post_text(&api, PATH, body).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.problem().0, "malformed_json");
        let found = answer.json()["detail"].to_string();
        assert!(found.contains(detail), "{body}: {found}");
    }
    let deep = post_text(&api, PATH, "[".repeat(60_000)).await;
    assert_eq!(deep.problem().0, "malformed_json");
    let latin = post_text(&api, PATH, vec![b'"', 0xff, b'"']).await;
    assert_eq!(latin.problem().0, "malformed_json");
}

#[tokio::test]
async fn a_body_that_is_no_object_is_refused() {
    for body in ["null", "[]", "\"4242424242424242\"", "17", "true"] {
        let answer = post_text(&World::new().api(), PATH, body).await;
        assert_eq!(
            answer.problem(),
            (
                "wrong_type".to_owned(),
                vec![(String::new(), "wrong_type".to_owned())]
            ),
            "{body}"
        );
        assert!(!answer.text.contains("42424242"));
    }
}

#[tokio::test]
async fn a_body_beyond_its_bound_is_refused_whether_or_not_it_says_so() {
    let api = World::new().api();
    let large = format!("\"{}\"", "x".repeat(65_536));
    let announced = Request::post(PATH)
        .header("content-type", "application/json")
        .header("content-length", large.len())
        .body(Body::from(large.clone()))
        .unwrap();
    for answer in [send(&api, announced).await, post_text(&api, PATH, large).await] {
        assert_eq!(answer.status, 413);
        assert_eq!(answer.problem().0, "body_too_large");
    }
    let exactly = format!("\"{}\"", "x".repeat(65_534));
    assert_eq!(post_text(&api, PATH, exactly).await.problem().0, "wrong_type");
}

#[tokio::test]
async fn only_json_is_taken() {
    let api = World::new().api();
    for (name, value) in [
        ("content-type", "text/plain"),
        ("x-nothing", "no type at all"),
        ("content-type", "application/json; charset=gb18030"),
    ] {
        let request = Request::post(PATH)
            .header(name, value)
            .body(Body::from(small_payment().to_string()))
            .unwrap();
        let answer = send(&api, request).await;
        assert_eq!(answer.status, 415);
        assert_eq!(answer.problem().0, "unsupported_media_type");
    }
    let compressed = Request::post(PATH)
        .header("content-type", "application/json")
        .header("content-encoding", "gzip")
        .body(Body::empty())
        .unwrap();
    assert_eq!(send(&api, compressed).await.status, 415);
}

#[tokio::test]
async fn thousands_of_fields_get_a_bounded_answer() {
    let many: serde_json::Map<_, _> = (0..5_000).map(|n| (format!("f{n}"), json!(0))).collect();
    let answer = refused(&Value::from(many)).await;
    assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 32);
    assert!(answer.text.len() < 16_384, "{}", answer.text.len());
}
