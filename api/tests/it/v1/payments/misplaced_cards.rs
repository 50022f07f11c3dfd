//! Card numbers where none belongs.

use serde_json::{Value, json};

use super::PATH;
use crate::caller::{Answer, CARD_NUMBER, full_payment, post, small_decision, small_payment, with};
use crate::fakes::World;

const DECISIONS: &str = "/v1/risk/decisions";

async fn refused(path: &str, body: &Value) -> Answer {
    let answer = post(&World::new().api(), path, body).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    for digits in ["42424242", "4242 4242", "4242-4242", "55555555"] {
        assert!(!answer.text.contains(digits), "{answer:?}");
    }
    answer
}

#[tokio::test]
async fn a_card_number_in_a_field_that_is_kept_is_refused_and_not_repeated() {
    for path in ["customer.id", "device.user_agent", "metadata.note", "merchant_id"] {
        let body = with(full_payment(), path, json!(CARD_NUMBER));
        let expected = (path.to_owned(), "card_number_misplaced".to_owned());
        assert_eq!(
            refused(PATH, &body).await.problem(),
            ("card_number_misplaced".to_owned(), vec![expected])
        );
    }
    let as_a_name = with(small_payment(), "metadata", json!({"a": "b", CARD_NUMBER: "c"}));
    let (code, errors) = refused(PATH, &as_a_name).await.problem();
    assert_eq!(code, "card_number_misplaced");
    // serde_json sorts the names it writes, so the number comes first.
    assert_eq!(errors[0].0, "metadata[0]");
}

#[tokio::test]
async fn blanks_and_dashes_hide_no_card_number() {
    for text in [
        "4242 4242 4242 4242",
        "4242-4242-4242-4242 12/30",
        "4242.4242.4242.4242",
    ] {
        for path in ["customer.id", "device.id", "metadata.note"] {
            let body = with(full_payment(), path, json!(text));
            let expected = (path.to_owned(), "card_number_misplaced".to_owned());
            assert_eq!(
                refused(PATH, &body).await.problem(),
                ("card_number_misplaced".to_owned(), vec![expected])
            );
        }
    }
}

#[tokio::test]
async fn a_merchant_is_not_the_payers_card() {
    let body = with(full_payment(), "merchant_id", json!("4242-4242-4242-4242"));
    assert_eq!(refused(PATH, &body).await.problem().0, "card_number_misplaced");
    let other_card_shape = with(full_payment(), "merchant_id", json!("5555555555554444"));
    let answer = post(&World::new().api(), PATH, &other_card_shape).await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

#[tokio::test]
async fn any_card_number_in_a_field_that_is_kept_is_refused_also_without_a_card() {
    for path in [
        "payment_id",
        "customer.id",
        "customer.email",
        "device.id",
        "device.user_agent",
        "metadata.note",
    ] {
        let body = with(small_decision(), path, json!("5555-5555-5555-4444"));
        let expected = (path.to_owned(), "card_number_misplaced".to_owned());
        assert_eq!(
            refused(DECISIONS, &body).await.problem(),
            ("card_number_misplaced".to_owned(), vec![expected]),
            "{path}"
        );
    }
    let as_a_name = with(small_decision(), "metadata", json!({"5555 5555 5555 4444": "c"}));
    assert_eq!(
        refused(DECISIONS, &as_a_name).await.problem().1[0].0,
        "metadata[0]"
    );
}

#[tokio::test]
async fn ids_and_addresses_are_no_card_numbers() {
    for (path, value) in [
        ("device.ip", "222.155.120.133"),
        ("device.ip", "222.155.120.131"),
        ("device.id", "a4242424-2424-4242-8242-424242424242"),
        ("customer.id", "1772353800250"),
        ("metadata.ip", "203.0.113.7"),
        ("metadata.fingerprint", "fp_4242424242424242abcdef0123456789"),
    ] {
        let body = with(
            with(small_decision(), path, json!(value)),
            "device.user_agent",
            json!("Mozilla/5.0"),
        );
        let answer = post(&World::new().api(), DECISIONS, &body).await;
        assert_eq!(answer.status, 200, "{path} {value}: {answer:?}");
    }
}
