//! Which payments a scope includes, and which scopes are none.

use domain::Money;

use super::*;

fn payment(merchant: &str, minor_units: i64, currency: &str) -> PaymentDetails {
    PaymentDetails {
        merchant_id: MerchantId::parse(merchant).unwrap(),
        merchant_category: None,
        amount: Money::new(minor_units, Currency::parse(currency).unwrap()).unwrap(),
        card: None,
        customer: None,
        device: None,
        metadata: Vec::new(),
    }
}

fn scope(json: &str) -> Scope {
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_scope_that_says_nothing_includes_every_payment() {
    for everything in ["{}", r#"{"merchants": ["*"], "currencies": ["*"]}"#] {
        assert_eq!(scope(everything), Scope::default());
    }
    assert!(Scope::default().includes(&payment("anyone", 1, "JPY")));
}

#[test]
fn a_payment_is_included_by_merchant_currency_and_amount() {
    let scope = scope(
        r#"{"merchants": ["shop-b", "shop-a"], "currencies": ["EUR", "CNY"], "minimum_amount": {"CNY": 10000}}"#,
    );
    for (merchant, amount, currency, expected) in [
        ("shop-a", 10_000, "CNY", true),
        ("shop-b", 10_000, "CNY", true),
        ("shop-a", 9_999, "CNY", false),
        ("shop-a", 1, "EUR", true),
        ("shop-a", 10_000, "USD", false),
        ("shop-c", 10_000, "CNY", false),
    ] {
        let found = scope.includes(&payment(merchant, amount, currency));
        assert_eq!(found, expected, "{merchant} {amount} {currency}");
    }
}

#[test]
fn a_scope_is_written_the_same_however_it_was_ordered() {
    let one = scope(r#"{"merchants": ["b", "a", "b"], "currencies": ["EUR", "CNY"]}"#);
    let other = scope(r#"{"currencies": ["CNY", "EUR"], "merchants": ["a", "b"]}"#);
    let written = serde_json::to_string(&one).unwrap();
    assert_eq!(written, serde_json::to_string(&other).unwrap());
    assert_eq!(written, r#"{"merchants":["a","b"],"currencies":["CNY","EUR"]}"#);
}

#[test]
fn what_is_no_scope_is_refused() {
    let too_many = serde_json::json!({ "merchants": vec!["m"; MAX_MERCHANTS + 1] }).to_string();
    for (bad, expected) in [
        (r#"{"merchants": []}"#, "expected 1 to 1000"),
        (r#"{"merchants": ["*", "a"]}"#, "found `*` among other merchants"),
        (r#"{"merchants": ["a b"]}"#, "found `a b`"),
        (r#"{"currencies": ["cny"]}"#, "found `cny`"),
        (r#"{"minimum_amount": {"CNY": 0}}"#, "a whole number from 1"),
        (r#"{"minimum_amount": {"CNY": 1, "CNY": 2}}"#, "found `CNY` twice"),
        (
            r#"{"currencies": ["EUR"], "minimum_amount": {"CNY": 1}}"#,
            "a minimum amount in CNY",
        ),
        (&too_many, "found 1001 merchants"),
    ] {
        let error = serde_json::from_str::<Scope>(bad).unwrap_err().to_string();
        assert!(error.contains(expected), "{bad:.60}: {error}");
    }
}
