//! The aggregate: how a payment opens, moves and refuses to move.

use super::*;
use crate::currency::Currency;
use crate::identifier::{DecisionId, MerchantId};
use crate::money::Money;

fn decision(outcome: Outcome) -> RiskDecision {
    let mut decision = RiskDecision::join(
        DecisionId::parse("dec_1").unwrap(),
        vec![],
        1,
        Timestamp::from_unix_millis(5),
    );
    decision.outcome = outcome;
    decision
}

fn payment(outcome: Outcome) -> Payment {
    let details = PaymentDetails {
        merchant_id: MerchantId::parse("m_1").unwrap(),
        merchant_category: None,
        amount: Money::new(12_900, Currency::parse("CNY").unwrap()).unwrap(),
        card: None,
        customer: None,
        device: None,
        metadata: vec![],
    };
    Payment::decided(
        PaymentId::parse("pay_1").unwrap(),
        details,
        decision(outcome),
        at(5),
    )
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

fn operation(name: &str) -> OperationId {
    OperationId::parse(name).unwrap()
}

fn succeeded() -> OperationResult {
    OperationResult::Succeeded(AcquirerReference::parse("ref_1").unwrap())
}

#[test]
fn a_decision_opens_the_payment_where_it_belongs() {
    for (outcome, status) in [
        (Outcome::Approve, PaymentStatus::Authorizing),
        (Outcome::Challenge, PaymentStatus::RequiresAction),
        (Outcome::Review, PaymentStatus::InReview),
        (Outcome::Decline, PaymentStatus::Declined),
    ] {
        let payment = payment(outcome);
        assert_eq!(payment.status(), status);
        assert_eq!(
            payment.record().decline_code.is_some(),
            outcome == Outcome::Decline
        );
        assert_eq!(Payment::restore(payment.record().clone()), Ok(payment));
    }
}

#[test]
fn only_an_approved_payment_is_sent_to_the_acquirer() {
    for outcome in [Outcome::Challenge, Outcome::Review, Outcome::Decline] {
        assert!(
            payment(outcome)
                .begin_authorization(operation("op_1"), at(6))
                .is_err(),
            "{outcome:?}"
        );
    }
}

#[test]
fn every_answer_of_the_acquirer_has_its_end() {
    for (result, status, code) in [
        (succeeded(), PaymentStatus::Authorized, None),
        (
            OperationResult::Declined(DeclineCode::InsufficientFunds),
            PaymentStatus::Declined,
            Some(DeclineCode::InsufficientFunds),
        ),
        (
            OperationResult::NotSent,
            PaymentStatus::Declined,
            Some(DeclineCode::AcquirerUnavailable),
        ),
        (OperationResult::Unknown, PaymentStatus::Authorizing, None),
    ] {
        let mut payment = payment(Outcome::Approve);
        payment.begin_authorization(operation("op_1"), at(6)).unwrap();
        payment
            .finish_authorization(&operation("op_1"), result, at(7))
            .unwrap();
        assert_eq!((payment.status(), payment.record().decline_code), (status, code));
        assert_eq!(payment.record().updated_at, at(7));
        assert_eq!(Payment::restore(payment.record().clone()), Ok(payment));
    }
}

#[test]
fn one_operation_is_open_at_a_time() {
    let mut payment = payment(Outcome::Approve);
    payment.begin_authorization(operation("op_1"), at(6)).unwrap();
    assert!(payment.begin_authorization(operation("op_2"), at(6)).is_err());
    payment
        .finish_authorization(&operation("op_1"), OperationResult::Unknown, at(7))
        .unwrap();
    assert!(
        payment.begin_authorization(operation("op_2"), at(8)).is_err(),
        "unknown may have moved money"
    );
}

#[test]
fn an_unknown_operation_can_still_learn_its_end_and_a_final_one_cannot_change() {
    let mut payment = payment(Outcome::Approve);
    payment.begin_authorization(operation("op_1"), at(6)).unwrap();
    payment
        .finish_authorization(&operation("op_1"), OperationResult::Unknown, at(7))
        .unwrap();
    payment
        .finish_authorization(&operation("op_1"), succeeded(), at(8))
        .unwrap();
    let before = payment.clone();
    let again = payment.finish_authorization(&operation("op_1"), OperationResult::NotSent, at(9));
    assert!(again.is_err());
    assert_eq!(payment, before);
}

#[test]
fn final_states_absorb_every_transition() {
    for status in [PaymentStatus::Declined, PaymentStatus::Authorized] {
        for transition in Transition::ALL {
            assert!(status.after(transition).is_err(), "{status:?} {transition:?}");
        }
    }
}

#[test]
fn a_damaged_record_is_not_restored() {
    let mut record = payment(Outcome::Approve).record().clone();
    record.status = PaymentStatus::Authorized;
    assert!(Payment::restore(record).is_err());
    let mut record = payment(Outcome::Decline).record().clone();
    record.decline_code = None;
    assert!(Payment::restore(record).is_err());
}
