//! What an acquirer owes. The cards are those of `docs/test-cards.md`: what is tried here is the adapter, with a simulator
//! behind it.
//!
//! How often an operation was charged is told by the port itself: what was authorized once can be captured once.

use std::sync::Arc;

use application::ports::{
    Acquirer, AcquirerAnswer, AcquirerError, AuthorizationRequest, CardKept, CardSource, FollowUpRequest,
    InquiryAnswer, KeepCardRequest, PayerAuthentication,
};
use domain::payment::{AcquirerReference, CardToken, DeclineCode, OperationKind};
use domain::text::BoundedText;
use domain::{CardExpiry, CardNumber, Money, OperationId};
use tokio::task::JoinSet;

use crate::builders::{cny, merchant_id, money, operation_id, payment_id};

type Port = Arc<dyn Acquirer>;
type Answer = Result<AcquirerAnswer, AcquirerError>;

const APPROVED: &str = "4242424242424242";
const CARD_DECLINED: &str = "4000000000000002";
const INSUFFICIENT_FUNDS: &str = "4000000000009995";

/// What nobody has to say is that of `m_1`.
const MERCHANT: &str = "m_1";

async fn authorize_with(
    acquirer: &Port,
    id: &OperationId,
    merchant: &str,
    amount: Money,
    card: CardSource<'_>,
    authentication: Option<&PayerAuthentication>,
) -> Answer {
    acquirer
        .authorize(AuthorizationRequest {
            operation_id: id,
            merchant_id: &merchant_id(merchant),
            amount,
            card,
            authentication,
        })
        .await
}

fn expiry() -> CardExpiry {
    CardExpiry::new(12, 2030).unwrap()
}

async fn authorize(acquirer: &Port, id: &str, number: &str, amount: Money) -> Answer {
    let card = CardSource::Card {
        number: &CardNumber::parse(number).unwrap(),
        expiry: expiry(),
    };
    authorize_with(acquirer, &operation_id(id), MERCHANT, amount, card, None).await
}

async fn authorized(acquirer: &Port, id: &str, amount: Money) -> AcquirerReference {
    reference(&authorize(acquirer, id, APPROVED, amount).await)
}

async fn follow_up_of(
    acquirer: &Port,
    merchant: &str,
    kind: OperationKind,
    id: &str,
    on: &AcquirerReference,
    amount: Money,
) -> Answer {
    acquirer
        .follow_up(FollowUpRequest {
            operation_id: &operation_id(id),
            kind,
            merchant_id: &merchant_id(merchant),
            authorization: on,
            amount,
        })
        .await
}

async fn follow_up(
    acquirer: &Port,
    kind: OperationKind,
    id: &str,
    on: &AcquirerReference,
    amount: Money,
) -> Answer {
    follow_up_of(acquirer, MERCHANT, kind, id, on, amount).await
}

async fn inquire(acquirer: &Port, id: &str) -> InquiryAnswer {
    acquirer
        .inquire(&operation_id(id), &merchant_id(MERCHANT))
        .await
        .unwrap()
}

async fn keep(acquirer: &Port, payment: &str, number: &str) -> CardToken {
    let kept = acquirer
        .keep_card(KeepCardRequest {
            payment_id: &payment_id(payment),
            merchant_id: &merchant_id(MERCHANT),
            number: &CardNumber::parse(number).unwrap(),
            expiry: expiry(),
        })
        .await;
    match kept {
        Ok(CardKept::As(token)) => token,
        other => panic!("the card was not kept: {other:?}"),
    }
}

fn reference(answer: &Answer) -> AcquirerReference {
    match answer {
        Ok(AcquirerAnswer::Approved { reference }) => reference.clone(),
        other => panic!("not approved: {other:?}"),
    }
}

fn declined(code: DeclineCode) -> Answer {
    Ok(AcquirerAnswer::Declined { code })
}

fn not_permitted() -> Answer {
    declined(DeclineCode::NotPermitted)
}

/// It has a reference, and an inquiry says the same.
pub async fn an_approval_has_a_reference(acquirer: Port) {
    let answer = authorize(&acquirer, "op_1", APPROVED, cny(100)).await;
    let reference = reference(&answer);
    let other = authorized(&acquirer, "op_2", cny(100)).await;
    assert_ne!(reference, other);
    assert_eq!(
        inquire(&acquirer, "op_1").await,
        InquiryAnswer::Answered(answer.unwrap())
    );
}

/// One that is the acquirer's to say, and always the same.
pub async fn a_decline_has_a_code(acquirer: Port) {
    for (id, card, code) in [
        ("op_1", CARD_DECLINED, DeclineCode::CardDeclined),
        ("op_2", INSUFFICIENT_FUNDS, DeclineCode::InsufficientFunds),
    ] {
        for _ in 0..2 {
            assert_eq!(authorize(&acquirer, id, card, cny(100)).await, declined(code));
        }
        let answer = AcquirerAnswer::Declined { code };
        assert_eq!(inquire(&acquirer, id).await, InquiryAnswer::Answered(answer));
    }
}

/// One after the other and all at once.
pub async fn an_operation_is_done_once_however_often_it_is_asked_for(acquirer: Port) {
    let first = authorized(&acquirer, "op_1", cny(100)).await;
    let mut asked = JoinSet::new();
    for _ in 0..8 {
        let acquirer = Arc::clone(&acquirer);
        asked.spawn(async move { authorized(&acquirer, "op_1", cny(100)).await });
    }
    for again in asked.join_all().await {
        assert_eq!(again, first);
    }
    for _ in 0..3 {
        reference(&follow_up(&acquirer, OperationKind::Capture, "op_2", &first, cny(100)).await);
    }
    let over = follow_up(&acquirer, OperationKind::Capture, "op_3", &first, cny(1)).await;
    assert_eq!(over, not_permitted(), "authorized once, captured once");
    for _ in 0..3 {
        reference(&follow_up(&acquirer, OperationKind::Refund, "op_4", &first, cny(60)).await);
    }
    let rest = follow_up(&acquirer, OperationKind::Refund, "op_5", &first, cny(40)).await;
    reference(&rest);
}

/// Parts add up to the whole, and not to more.
pub async fn captures_are_bounded_by_what_is_authorized(acquirer: Port) {
    let on = authorized(&acquirer, "op_1", cny(100)).await;
    reference(&follow_up(&acquirer, OperationKind::Capture, "op_2", &on, cny(30)).await);
    let over = follow_up(&acquirer, OperationKind::Capture, "op_3", &on, cny(71)).await;
    assert_eq!(over, not_permitted());
    reference(&follow_up(&acquirer, OperationKind::Capture, "op_4", &on, cny(70)).await);
    let over = follow_up(&acquirer, OperationKind::Capture, "op_5", &on, cny(1)).await;
    assert_eq!(over, not_permitted());
}

/// What is let go of cannot be captured, and what is captured stays.
pub async fn a_void_lets_go_of_what_is_not_captured(acquirer: Port) {
    let on = authorized(&acquirer, "op_1", cny(100)).await;
    reference(&follow_up(&acquirer, OperationKind::Capture, "op_2", &on, cny(30)).await);
    reference(&follow_up(&acquirer, OperationKind::Void, "op_3", &on, cny(70)).await);
    let late = follow_up(&acquirer, OperationKind::Capture, "op_4", &on, cny(1)).await;
    assert_eq!(late, not_permitted());
    let again = follow_up(&acquirer, OperationKind::Void, "op_5", &on, cny(70)).await;
    assert_eq!(again, not_permitted(), "there is nothing left");
    reference(&follow_up(&acquirer, OperationKind::Refund, "op_6", &on, cny(30)).await);
}

/// Two that come at the same time among them.
pub async fn refunds_are_bounded_by_what_is_captured(acquirer: Port) {
    let on = authorized(&acquirer, "op_1", cny(100)).await;
    let early = follow_up(&acquirer, OperationKind::Refund, "op_2", &on, cny(1)).await;
    assert_eq!(early, not_permitted(), "nothing is captured");
    reference(&follow_up(&acquirer, OperationKind::Capture, "op_3", &on, cny(100)).await);
    let (one, other) = tokio::join!(
        follow_up(&acquirer, OperationKind::Refund, "op_4", &on, cny(60)),
        follow_up(&acquirer, OperationKind::Refund, "op_5", &on, cny(60)),
    );
    let refused = [one, other]
        .iter()
        .filter(|answer| **answer == not_permitted())
        .count();
    assert_eq!(refused, 1);
    reference(&follow_up(&acquirer, OperationKind::Refund, "op_6", &on, cny(40)).await);
    let over = follow_up(&acquirer, OperationKind::Refund, "op_7", &on, cny(1)).await;
    assert_eq!(over, not_permitted());
}

/// Neither one that was declined, nor one that there never was, nor one in another currency.
pub async fn nothing_follows_what_was_not_authorized(acquirer: Port) {
    let on = authorized(&acquirer, "op_1", cny(100)).await;
    let other = follow_up(&acquirer, OperationKind::Capture, "op_2", &on, money(100, "EUR")).await;
    assert_eq!(other, not_permitted());
    let unknown = AcquirerReference::parse("nobody's").unwrap();
    let answer = follow_up(&acquirer, OperationKind::Capture, "op_3", &unknown, cny(1)).await;
    assert_eq!(answer, not_permitted());
}

/// Kept twice it is kept once, and it answers as it would itself.
pub async fn a_kept_card_authorizes(acquirer: Port) {
    for (payment, operation, number) in [("pay_1", "op_1", APPROVED), ("pay_2", "op_2", INSUFFICIENT_FUNDS)] {
        let token = keep(&acquirer, payment, number).await;
        assert_eq!(keep(&acquirer, payment, number).await, token);
        assert!(!token.as_str().contains(number));
        let id = operation_id(operation);
        let card = CardSource::Kept(&token);
        let answer = authorize_with(&acquirer, &id, MERCHANT, cny(100), card, None).await;
        if number == APPROVED {
            let on = reference(&answer);
            reference(&follow_up(&acquirer, OperationKind::Capture, "op_3", &on, cny(100)).await);
        } else {
            assert_eq!(answer, declined(DeclineCode::InsufficientFunds));
        }
    }
}

/// Under a name that the acquirer never gave away there is no card.
pub async fn a_card_that_is_not_kept_is_declined(acquirer: Port) {
    let token = CardToken::parse("nobody's").unwrap();
    let card = CardSource::Kept(&token);
    let answer = authorize_with(&acquirer, &operation_id("op_1"), MERCHANT, cny(100), card, None).await;
    assert_eq!(answer, not_permitted());
}

/// It changes nothing about who is charged.
pub async fn a_payer_who_proved_who_he_is_is_authorized(acquirer: Port) {
    let proof = PayerAuthentication {
        eci: BoundedText::parse("05").unwrap(),
        cryptogram: BoundedText::parse("AJkBBkhgQQAAAE4gSEJydQAAAAA=").unwrap(),
        transaction_id: BoundedText::parse("f25084f0-5b16-4c0a-ae5d-b24808a95e4b").unwrap(),
    };
    let number = CardNumber::parse(APPROVED).unwrap();
    let card = CardSource::Card {
        number: &number,
        expiry: expiry(),
    };
    let id = operation_id("op_1");
    reference(&authorize_with(&acquirer, &id, MERCHANT, cny(100), card, Some(&proof)).await);
}

/// For good, however often it is asked about: what comes late under it is declined, and nothing is charged.
pub async fn an_inquiry_closes_a_name_that_nothing_came_under(acquirer: Port) {
    for _ in 0..2 {
        assert_eq!(inquire(&acquirer, "op_1").await, InquiryAnswer::NeverReceived);
    }
    for _ in 0..2 {
        let late = authorize(&acquirer, "op_1", APPROVED, cny(100)).await;
        assert_eq!(late, not_permitted());
    }
    assert_eq!(inquire(&acquirer, "op_1").await, InquiryAnswer::NeverReceived);
    let on = authorized(&acquirer, "op_2", cny(100)).await;
    assert_eq!(inquire(&acquirer, "op_3").await, InquiryAnswer::NeverReceived);
    let late = follow_up(&acquirer, OperationKind::Capture, "op_3", &on, cny(100)).await;
    assert_eq!(late, not_permitted());
    reference(&follow_up(&acquirer, OperationKind::Capture, "op_4", &on, cny(100)).await);
}

/// Whichever comes first, the other agrees with it.
pub async fn an_inquiry_and_its_operation_at_the_same_time_agree(acquirer: Port) {
    for round in 0..16 {
        let name = format!("op_{round}");
        let (asked, inquired) = tokio::join!(
            authorize(&acquirer, &name, APPROVED, cny(100)),
            inquire(&acquirer, &name),
        );
        match inquired {
            InquiryAnswer::NeverReceived => assert_eq!(asked, not_permitted()),
            InquiryAnswer::Answered(answer) => assert_eq!(asked, Ok(answer)),
            InquiryAnswer::UnderWay => {}
        }
        assert_eq!(inquire(&acquirer, &name).await, {
            match asked.unwrap() {
                AcquirerAnswer::Declined { .. } => InquiryAnswer::NeverReceived,
                approved @ AcquirerAnswer::Approved { .. } => InquiryAnswer::Answered(approved),
            }
        });
    }
}

/// Nobody captures what another merchant's payer has authorized, and nobody is told of another's operation.
pub async fn merchants_are_kept_apart(acquirer: Port) {
    let on = authorized(&acquirer, "op_1", cny(100)).await;
    let theirs = follow_up_of(&acquirer, "m_2", OperationKind::Capture, "op_2", &on, cny(100)).await;
    assert_eq!(theirs, not_permitted());
    let id = operation_id("op_1");
    let told = acquirer.inquire(&id, &merchant_id("m_2")).await;
    assert!(
        matches!(told, Err(AcquirerError::OutcomeUnknown { .. })),
        "{told:?}"
    );
    reference(&follow_up(&acquirer, OperationKind::Capture, "op_3", &on, cny(100)).await);
}

/// It is neither done nor declined: nobody knows which of the two was meant.
pub async fn another_request_under_a_name_is_not_answered(acquirer: Port) {
    let on = authorized(&acquirer, "op_1", cny(100)).await;
    let other = authorize(&acquirer, "op_1", APPROVED, cny(101)).await;
    assert!(
        matches!(other, Err(AcquirerError::OutcomeUnknown { .. })),
        "{other:?}"
    );
    assert_eq!(authorized(&acquirer, "op_1", cny(100)).await, on);
    let over = follow_up(&acquirer, OperationKind::Capture, "op_2", &on, cny(101)).await;
    assert_eq!(over, not_permitted());
}
