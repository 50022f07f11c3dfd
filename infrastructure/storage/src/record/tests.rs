//! Documents that are no payments.

use domain::payment::PaymentDetails;
use domain::risk::RiskDecision;
use domain::{Currency, DecisionId, MerchantId, Money, Payment};

use super::*;

fn record() -> PaymentRecord {
    let details = PaymentDetails {
        merchant_id: MerchantId::parse("m_1").unwrap(),
        merchant_category: None,
        amount: Money::new(12_900, Currency::parse("CNY").unwrap()).unwrap(),
        card: None,
        customer: None,
        device: None,
        metadata: vec![],
    };
    let at = Timestamp::from_unix_millis(1_770_000_000_000);
    let decision = RiskDecision::join(DecisionId::parse("dec_1").unwrap(), vec![], 7, at);
    let id = PaymentId::parse("pay_1").unwrap();
    Payment::decided(id, details, decision, at).record().clone()
}

fn damage(document: &str) -> String {
    decode(document, &record().id, vec![], 1).unwrap_err().to_string()
}

#[test]
fn the_document_of_a_plain_payment_is_what_auditors_were_told() {
    let document = encode(&record()).unwrap();
    assert_eq!(
        document,
        concat!(
            r#"{"format":1,"id":"pay_1","details":{"merchant_id":"m_1","amount":{"minor_units":12900,"currency":"CNY"}},"#,
            r#""status":"authorizing","decision":{"id":"dec_1","outcome":"approve","score":0,"evaluations":[],"#,
            r#""policy_revision":7,"decided_at_ms":1770000000000},"#,
            r#""created_at_ms":1770000000000,"updated_at_ms":1770000000000}"#
        )
    );
}

#[test]
fn a_payment_in_a_currency_that_was_withdrawn_since_stays_readable() {
    let document = encode(&record()).unwrap().replacen("\"CNY\"", "\"HRK\"", 1);
    let read = decode(&document, &record().id, vec![], 1).unwrap();
    assert_eq!(read.details.amount.to_string(), "129.00 HRK");
    assert_eq!(encode(&read).unwrap(), document);
}

#[test]
fn damage_is_told_by_field() {
    let document = encode(&record()).unwrap();
    for (good, bad, told) in [
        ("\"authorizing\"", "\"lost\"", "status: `lost` is unknown"),
        ("\"CNY\"", "\"ABC\"", "details.amount: is not a currency"),
        ("12900", "-1", "details.amount: must be greater than zero"),
        ("\"m_1\"", "\"m 1\"", "details.merchant_id:"),
        (
            "\"score\":0",
            "\"score\":1001",
            "decision.score: 1001 is above the highest",
        ),
        (
            "\"decided_at_ms\":1",
            "\"decided_at_ms\":9991",
            "decision.decided_at_ms:",
        ),
        ("\"format\":1", "\"format\":2", "record.format: is 2"),
        ("\"pay_1\"", "\"pay_2\"", "id: is not the one"),
        ("\"id\":\"pay_1\",", "", "record: missing field `id`"),
        ("{\"format\"", "{\"extra\":0,\"format\"", "record: unknown field"),
        ("}}", "", "record:"),
    ] {
        let damaged = document.replacen(good, bad, 1);
        assert_ne!(document, damaged, "{good}");
        let found = damage(&damaged);
        assert!(found.starts_with(told), "{told}: {found}");
    }
}
