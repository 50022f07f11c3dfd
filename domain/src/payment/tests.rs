//! The aggregate: how a payment opens, moves and refuses to move.

mod lifecycle;

use std::sync::Arc;

use super::*;
use crate::currency::Currency;
use crate::identifier::{DecisionId, MerchantId};
use crate::money::Money;
use crate::risk::{FailureMode, PolicyEvaluation, PolicyIdentity, Score, Verdict};

fn amount() -> Money {
    Money::new(12_900, Currency::parse("CNY").unwrap()).unwrap()
}

fn evaluation(outcome: Outcome) -> PolicyEvaluation {
    let policy = PolicyIdentity {
        name: "ceiling".into(),
        version: "1.0.0".into(),
        sequence: 1,
        digest: "sha256:00".into(),
    };
    let verdict = Verdict {
        outcome,
        score: Score::default(),
        reasons: vec![],
    };
    let failure_mode = FailureMode::new(Outcome::Review);
    PolicyEvaluation::new(
        Arc::new(policy),
        Ok(verdict),
        &failure_mode,
        amount(),
        vec![],
        1,
        1,
    )
}

fn decision(outcome: Outcome) -> RiskDecision {
    RiskDecision::join(
        DecisionId::parse("dec_1").unwrap(),
        vec![evaluation(outcome)],
        1,
        at(5),
    )
}

fn payment(outcome: Outcome) -> Payment {
    let details = PaymentDetails {
        merchant_id: MerchantId::parse("m_1").unwrap(),
        merchant_category: None,
        amount: amount(),
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
            .finish_operation(&operation("op_1"), result, at(7))
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
        .finish_operation(&operation("op_1"), OperationResult::Unknown, at(7))
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
        .finish_operation(&operation("op_1"), OperationResult::Unknown, at(7))
        .unwrap();
    payment
        .finish_operation(&operation("op_1"), succeeded(), at(8))
        .unwrap();
    let before = payment.clone();
    let again = payment.finish_operation(&operation("op_1"), OperationResult::NotSent, at(9));
    assert!(again.is_err());
    assert_eq!(payment, before);
}

#[test]
fn final_states_absorb_every_transition() {
    let last: Vec<_> = PaymentStatus::ALL
        .into_iter()
        .filter(|status| status.is_final())
        .collect();
    assert_eq!(
        last,
        [
            PaymentStatus::Voided,
            PaymentStatus::Declined,
            PaymentStatus::Expired
        ]
    );
    for status in last {
        for transition in Transition::ALL {
            assert!(status.after(transition).is_err(), "{status:?} {transition:?}");
        }
    }
}

#[test]
fn the_acquirer_cannot_decline_for_a_reason_that_is_the_gateways() {
    for code in [DeclineCode::RiskPolicy, DeclineCode::AcquirerUnavailable] {
        let mut payment = sent();
        let before = payment.clone();
        let answer = OperationResult::Declined(code);
        assert!(
            payment
                .finish_operation(&operation("op_1"), answer, at(7))
                .is_err()
        );
        assert_eq!(payment, before);
    }
}

fn sent() -> Payment {
    let mut payment = payment(Outcome::Approve);
    payment.begin_authorization(operation("op_1"), at(6)).unwrap();
    payment
}

fn answered(result: OperationResult) -> Payment {
    let mut payment = sent();
    payment
        .finish_operation(&operation("op_1"), result, at(7))
        .unwrap();
    payment
}

fn declined() -> Payment {
    answered(OperationResult::Declined(DeclineCode::CardDeclined))
}

/// Which invariant the payment breaks after somebody has been at its record.
fn broken(payment: &Payment, change: impl FnOnce(&mut PaymentRecord)) -> &'static str {
    let mut record = payment.record().clone();
    assert_eq!(Payment::restore(record.clone()).as_ref(), Ok(payment));
    change(&mut record);
    Payment::restore(record).unwrap_err().invariant
}

#[test]
fn a_decision_that_is_not_the_join_of_its_evaluations_is_not_restored() {
    let joined = "the decision is the strictest of its evaluations";
    let outcomes = [Outcome::Challenge, Outcome::Review, Outcome::Decline];
    for outcome in outcomes {
        assert_eq!(broken(&sent(), |r| r.decision.outcome = outcome), joined);
        assert_eq!(
            broken(&payment(outcome), |r| r.decision.evaluations.clear()),
            joined
        );
        assert_eq!(
            broken(&sent(), |r| r.decision.evaluations.push(evaluation(outcome))),
            joined
        );
    }
}

#[test]
fn a_status_that_the_decision_does_not_lead_to_is_not_restored() {
    let fits = "the status is one that the decision leads to";
    let of_outcome = |outcome, status| match outcome {
        Outcome::Approve => !matches!(status, PaymentStatus::InReview | PaymentStatus::RequiresAction),
        Outcome::Challenge => status != PaymentStatus::InReview,
        Outcome::Review => status != PaymentStatus::RequiresAction,
        Outcome::Decline => status == PaymentStatus::Declined,
    };
    for outcome in Outcome::ALL {
        for status in PaymentStatus::ALL {
            if !of_outcome(outcome, status) {
                assert_eq!(
                    broken(&payment(outcome), |r| r.status = status),
                    fits,
                    "{outcome:?} {status:?}"
                );
            }
        }
    }
}

#[test]
fn a_decline_code_that_does_not_belong_there_is_not_restored() {
    let declined_only = "declined if and only if there is a decline code";
    let policy = "declined by a policy if and only if the decision says so";
    assert_eq!(broken(&declined(), |r| r.decline_code = None), declined_only);
    assert_eq!(
        broken(&payment(Outcome::Decline), |r| r.decline_code = None),
        declined_only
    );
    assert_eq!(
        broken(&sent(), |r| r.decline_code = Some(DeclineCode::CardDeclined)),
        declined_only
    );
    assert_eq!(
        broken(&declined(), |r| r.decline_code = Some(DeclineCode::RiskPolicy)),
        policy
    );
    for code in [
        DeclineCode::CardDeclined,
        DeclineCode::InsufficientFunds,
        DeclineCode::AcquirerUnavailable,
    ] {
        assert_eq!(
            broken(&payment(Outcome::Decline), |r| r.decline_code = Some(code)),
            policy
        );
    }
}

#[test]
fn operations_that_do_not_belong_to_the_payment_are_not_restored() {
    let amount = "an authorization is about the payment's amount";
    let cny = |minor_units| Money::new(minor_units, Currency::parse("CNY").unwrap()).unwrap();
    let eur = Money::new(12_900, Currency::parse("EUR").unwrap()).unwrap();
    assert_eq!(broken(&sent(), |r| r.operations[0].amount = cny(12_901)), amount);
    assert_eq!(broken(&sent(), |r| r.operations[0].amount = eur), amount);
    assert_eq!(broken(&sent(), |r| r.details.amount = cny(1)), amount);
    let operations = sent().record().operations.clone();
    for outcome in [Outcome::Challenge, Outcome::Review, Outcome::Decline] {
        assert_eq!(
            broken(&payment(outcome), |r| r.operations.clone_from(&operations)),
            "nothing is sent that was not approved"
        );
    }
}

#[test]
fn operations_that_contradict_each_other_are_not_restored() {
    let double = |record: &mut PaymentRecord| record.operations.push(record.operations[0].clone());
    assert_eq!(broken(&sent(), double), "at most one operation is open");
    assert_eq!(
        broken(&answered(succeeded()), double),
        "at most one authorization succeeded"
    );
    for status in [OperationStatus::Sent, OperationStatus::Unknown] {
        assert_eq!(
            broken(&declined(), |r| r.operations[0].status = status),
            "an operation is open only where the payment's status allows it"
        );
    }
    let authorized = "the status is what the operations that succeeded say";
    assert_eq!(
        broken(&sent(), |r| r.status = PaymentStatus::Authorized),
        "an operation is open only where the payment's status allows it"
    );
    assert_eq!(
        broken(&answered(succeeded()), |r| r.operations.clear()),
        authorized
    );
    assert_eq!(
        broken(&answered(succeeded()), |r| r.status = PaymentStatus::Authorizing),
        authorized
    );
}

#[test]
fn an_acquirer_reference_is_there_exactly_where_it_succeeded() {
    let reference = "an acquirer reference if and only if it succeeded";
    let stray = AcquirerReference::parse("ref_2").unwrap();
    assert_eq!(
        broken(&answered(succeeded()), |r| r.operations[0].acquirer_reference =
            None),
        reference
    );
    for payment in [
        sent(),
        declined(),
        answered(OperationResult::NotSent),
        answered(OperationResult::Unknown),
    ] {
        let stray = stray.clone();
        assert_eq!(
            broken(&payment, |r| r.operations[0].acquirer_reference = Some(stray)),
            reference
        );
    }
}

#[test]
fn a_payment_that_changed_before_it_existed_is_not_restored() {
    assert_eq!(
        broken(&sent(), |r| r.updated_at = at(4)),
        "a payment does not change before it exists"
    );
}
