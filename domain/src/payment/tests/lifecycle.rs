//! From the decision to the last refund.

use super::*;

fn cny(minor_units: i64) -> Money {
    Money::new(minor_units, Currency::parse("CNY").unwrap()).unwrap()
}

fn authorized() -> Payment {
    answered(succeeded())
}

/// Authorized, and captured as far as that.
fn captured(minor_units: i64) -> Payment {
    let mut payment = authorized();
    payment
        .begin_capture(operation("op_c"), Some(cny(minor_units)), at(8))
        .unwrap();
    payment
        .finish_operation(&operation("op_c"), succeeded(), at(9))
        .unwrap();
    payment
}

fn review(verdict: ReviewVerdict) -> Review {
    Review {
        verdict,
        reviewer: ReviewerName::parse("ana").unwrap(),
        reviewed_at: at(8),
    }
}

fn kinds(payment: &Payment) -> Vec<PaymentEventKind> {
    payment.events().iter().map(|event| event.kind).collect()
}

/// What is stored of it is taken back.
fn whole(payment: &Payment) {
    assert_eq!(Payment::restore(payment.record().clone()).as_ref(), Ok(payment));
}

#[test]
fn parts_are_captured_until_nothing_is_left() {
    let mut payment = captured(12_000);
    assert_eq!(payment.status(), PaymentStatus::Captured);
    assert_eq!(
        payment.begin_capture(operation("op_2"), Some(cny(901)), at(10)),
        Err(OperationRefused::ExceedsRemainder {
            remainder_minor_units: 900
        })
    );
    let rest = payment.begin_capture(operation("op_2"), None, at(10)).unwrap();
    assert_eq!(rest.amount, cny(900));
    payment
        .finish_operation(&operation("op_2"), succeeded(), at(11))
        .unwrap();
    assert_eq!(
        (payment.amounts().captured, payment.amounts().capturable()),
        (12_900, 0)
    );
    assert_eq!(
        payment.begin_capture(operation("op_3"), None, at(12)),
        Err(OperationRefused::ExceedsRemainder {
            remainder_minor_units: 0
        })
    );
    whole(&payment);
}

#[test]
fn refunds_never_exceed_what_was_captured_even_while_their_end_is_unknown() {
    let mut payment = captured(10_000);
    payment
        .begin_refund(operation("op_r1"), Some(cny(6_000)), at(10))
        .unwrap();
    let second = payment.begin_refund(operation("op_r2"), Some(cny(6_000)), at(10));
    assert_eq!(
        second,
        Err(OperationRefused::InFlight {
            operation: operation("op_r1")
        })
    );
    payment
        .finish_operation(&operation("op_r1"), OperationResult::Unknown, at(11))
        .unwrap();
    assert_eq!(payment.amounts().refundable(), 4_000);
    assert!(
        payment
            .begin_refund(operation("op_r2"), Some(cny(1)), at(12))
            .is_err()
    );
    payment
        .finish_operation(&operation("op_r1"), succeeded(), at(13))
        .unwrap();
    assert_eq!(
        payment.begin_refund(operation("op_r2"), Some(cny(6_000)), at(14)),
        Err(OperationRefused::ExceedsRemainder {
            remainder_minor_units: 4_000
        })
    );
    payment.begin_refund(operation("op_r2"), None, at(14)).unwrap();
    payment
        .finish_operation(
            &operation("op_r2"),
            OperationResult::Declined(DeclineCode::NotPermitted),
            at(15),
        )
        .unwrap();
    assert_eq!(
        payment.amounts().refundable(),
        4_000,
        "a refund that failed gave nothing back"
    );
    assert_eq!(payment.status(), PaymentStatus::Captured);
    assert_eq!(kinds(&payment).last(), Some(&PaymentEventKind::RefundFailed));
    whole(&payment);
}

#[test]
fn what_was_not_captured_is_let_go_of() {
    let mut payment = authorized();
    payment.begin_void(operation("op_v"), at(8)).unwrap();
    assert!(
        payment.begin_capture(operation("op_c"), None, at(8)).is_err(),
        "one at a time"
    );
    payment
        .finish_operation(&operation("op_v"), succeeded(), at(9))
        .unwrap();
    assert_eq!(payment.status(), PaymentStatus::Voided);
    whole(&payment);

    let mut part = captured(900);
    assert_eq!(
        part.begin_void(operation("op_v"), at(10)).unwrap().amount,
        cny(12_000)
    );
    part.finish_operation(&operation("op_v"), succeeded(), at(11))
        .unwrap();
    assert_eq!(part.status(), PaymentStatus::Captured);
    assert_eq!(part.amounts().capturable(), 0);
    assert!(
        part.begin_capture(operation("op_2"), Some(cny(1)), at(12))
            .is_err()
    );
    assert!(part.begin_void(operation("op_2"), at(12)).is_err());
    assert!(part.begin_refund(operation("op_2"), None, at(12)).is_ok());
    whole(&part);
}

#[test]
fn what_the_acquirer_refuses_or_never_saw_leaves_the_payment_where_it_was() {
    for result in [
        OperationResult::Declined(DeclineCode::NotPermitted),
        OperationResult::NotSent,
    ] {
        let mut payment = authorized();
        payment.begin_capture(operation("op_c"), None, at(8)).unwrap();
        payment
            .finish_operation(&operation("op_c"), result.clone(), at(9))
            .unwrap();
        payment.begin_void(operation("op_v"), at(10)).unwrap();
        payment
            .finish_operation(&operation("op_v"), result, at(11))
            .unwrap();
        assert_eq!(payment.status(), PaymentStatus::Authorized);
        assert_eq!(payment.record().decline_code, None);
        assert_eq!(
            kinds(&payment),
            [
                PaymentEventKind::Authorized,
                PaymentEventKind::CaptureFailed,
                PaymentEventKind::VoidFailed
            ]
        );
        whole(&payment);
    }
}

#[test]
fn another_currency_is_refused() {
    let eur = Money::new(1, Currency::parse("EUR").unwrap()).unwrap();
    let expected = Currency::parse("CNY").unwrap();
    let refused = Err(OperationRefused::OtherCurrency { expected });
    assert_eq!(
        authorized().begin_capture(operation("op_c"), Some(eur), at(8)),
        refused
    );
    assert_eq!(
        captured(1).begin_refund(operation("op_r"), Some(eur), at(8)),
        refused
    );
}

#[test]
fn one_name_is_one_operation() {
    let mut payment = authorized();
    assert!(payment.begin_capture(operation("op_1"), None, at(8)).is_err());
}

#[test]
fn what_an_analyst_approves_is_authorized_and_what_he_rejects_is_declined() {
    let mut payment = payment(Outcome::Review);
    payment.keep_card(CardToken::parse("tok_1").unwrap()).unwrap();
    payment.expire_at(at(100));
    whole(&payment);
    let mut rejected = payment.clone();

    payment.review(review(ReviewVerdict::Approved)).unwrap();
    assert_eq!(payment.status(), PaymentStatus::Authorizing);
    assert_eq!(payment.record().expires_at, None);
    payment.begin_authorization(operation("op_1"), at(9)).unwrap();
    assert!(payment.record().card_token.is_some());
    payment
        .finish_operation(&operation("op_1"), succeeded(), at(10))
        .unwrap();
    assert!(payment.record().card_token.is_none(), "of no use any more");
    whole(&payment);
    assert!(payment.review(review(ReviewVerdict::Approved)).is_err(), "once");

    rejected.review(review(ReviewVerdict::Rejected)).unwrap();
    assert_eq!(
        (rejected.status(), rejected.record().decline_code),
        (PaymentStatus::Declined, Some(DeclineCode::ReviewRejected))
    );
    assert!(rejected.record().card_token.is_none());
    assert_eq!(
        kinds(&rejected),
        [PaymentEventKind::HeldForReview, PaymentEventKind::Declined]
    );
    whole(&rejected);
}

#[test]
fn a_payer_who_proved_who_he_is_is_authorized_and_one_who_did_not_is_declined() {
    let mut payment = payment(Outcome::Challenge);
    let mut failed = payment.clone();
    payment.confirm(true, at(8)).unwrap();
    assert_eq!(payment.status(), PaymentStatus::Authorizing);
    assert!(payment.confirm(true, at(9)).is_err(), "once");
    whole(&payment);
    failed.confirm(false, at(8)).unwrap();
    assert_eq!(
        failed.record().decline_code,
        Some(DeclineCode::AuthenticationFailed)
    );
    whole(&failed);
}

#[test]
fn what_was_not_sent_is_given_up_without_the_acquirer() {
    for outcome in [Outcome::Challenge, Outcome::Review] {
        let mut payment = payment(outcome);
        payment.cancel(at(8)).unwrap();
        assert_eq!(payment.status(), PaymentStatus::Voided);
        whole(&payment);
    }
    assert!(sent().cancel(at(8)).is_err());
    assert!(authorized().cancel(at(8)).is_err());
}

#[test]
fn what_nobody_acts_on_in_time_expires() {
    for outcome in [Outcome::Challenge, Outcome::Review] {
        let mut payment = payment(outcome);
        payment.expire_at(at(100));
        assert!(payment.expire(at(99)).is_err());
        payment.expire(at(100)).unwrap();
        assert_eq!(payment.status(), PaymentStatus::Expired);
        whole(&payment);
    }
}

#[test]
fn an_authorization_expires_when_the_acquirer_has_let_go_of_it() {
    let mut overdue = authorized();
    overdue.expire_at(at(100));
    assert!(overdue.expire(at(100)).is_err(), "the acquirer holds it still");
    for (result, status) in [
        (succeeded(), PaymentStatus::Expired),
        (
            OperationResult::Declined(DeclineCode::NotPermitted),
            PaymentStatus::Expired,
        ),
        (OperationResult::NotSent, PaymentStatus::Authorized),
    ] {
        let mut payment = overdue.clone();
        payment.begin_void(operation("op_v"), at(100)).unwrap();
        payment
            .finish_operation(&operation("op_v"), OperationResult::Unknown, at(101))
            .unwrap();
        let mut payment = Payment::restore(payment.record().clone()).unwrap();
        payment
            .finish_operation(&operation("op_v"), result, at(102))
            .unwrap();
        assert_eq!(payment.status(), status);
        whole(&payment);
    }
    let mut in_time = overdue;
    in_time.begin_void(operation("op_v"), at(99)).unwrap();
    in_time
        .finish_operation(&operation("op_v"), succeeded(), at(101))
        .unwrap();
    assert_eq!(in_time.status(), PaymentStatus::Voided);
}

#[test]
fn a_card_that_the_acquirer_does_not_keep_cannot_wait() {
    let mut held = payment(Outcome::Review);
    held.decline_unkept(DeclineCode::AcquirerUnavailable, at(6))
        .unwrap();
    assert_eq!(held.record().decline_code, Some(DeclineCode::AcquirerUnavailable));
    whole(&held);
    assert!(
        authorized()
            .keep_card(CardToken::parse("tok_1").unwrap())
            .is_err()
    );
}

#[test]
fn an_open_operation_is_asked_about_until_its_end_or_left_to_humans() {
    let mut payment = sent();
    let id = operation("op_1");
    payment.inquire_at(&id, at(20));
    payment
        .finish_operation(&id, OperationResult::Unknown, at(7))
        .unwrap();
    payment.asked_in_vain(&id, Some(at(40)), at(20)).unwrap();
    let open = payment.open_operation().unwrap();
    assert_eq!((open.inquiries, open.inquire_at), (1, Some(at(40))));
    whole(&payment);
    payment.asked_in_vain(&id, None, at(40)).unwrap();
    let open = payment.open_operation().unwrap();
    assert_eq!((open.inquiries, open.inquire_at), (2, None));
    payment.inquire_at(&id, at(50));
    payment.finish_operation(&id, succeeded(), at(50)).unwrap();
    assert_eq!(payment.record().operations[0].inquire_at, None);
    assert!(payment.asked_in_vain(&id, None, at(51)).is_err());
    whole(&payment);
    assert_eq!(
        broken(&payment, |r| r.operations[0].inquire_at = Some(at(1))),
        "only an open operation is asked about"
    );
}

#[test]
fn events_are_told_once() {
    let mut payment = authorized();
    assert_eq!(kinds(&payment), [PaymentEventKind::Authorized]);
    payment.stored_as(1);
    assert!(payment.events().is_empty());
}

#[test]
fn amounts_that_do_not_add_up_are_not_restored() {
    let more = "no more is captured or let go of than was authorized";
    assert_eq!(
        broken(&captured(12_900), |r| r.operations[1].amount = cny(12_901)),
        more
    );
    let mut refunded = captured(5_000);
    refunded.begin_refund(operation("op_r"), None, at(10)).unwrap();
    assert_eq!(
        broken(&refunded, |r| r.operations[2].amount = cny(5_001)),
        "no more is refunded than was captured"
    );
    let eur = Money::new(5_000, Currency::parse("EUR").unwrap()).unwrap();
    assert_eq!(
        broken(&refunded, |r| r.operations[2].amount = eur),
        "every operation is in the payment's currency"
    );
    assert_eq!(
        broken(&captured(1), |r| r.status = PaymentStatus::Authorized),
        "the status is what the operations that succeeded say"
    );
    assert_eq!(
        broken(&declined(), |r| r.operations[0].decline_code = None),
        "an operation has a decline code if and only if the acquirer declined it"
    );
    let held = payment(Outcome::Review);
    assert_eq!(
        broken(&held, |r| r.review = Some(review(ReviewVerdict::Approved))),
        "what was held for review goes on if and only if an analyst approved it"
    );
    assert_eq!(
        broken(&held, |r| r.status = PaymentStatus::Authorizing),
        "what was held for review goes on if and only if an analyst approved it"
    );
    assert_eq!(
        broken(&authorized(), |r| r.card_token =
            Some(CardToken::parse("tok_1").unwrap())),
        "a card is kept only while the payment may have to be authorized"
    );
    assert_eq!(
        broken(&sent(), |r| r.expires_at = Some(at(9))),
        "only a payment that waits expires"
    );
}
