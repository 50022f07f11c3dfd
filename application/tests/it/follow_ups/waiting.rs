//! Payments that wait for an analyst, the payer or the merchant.

use super::*;

#[tokio::test]
async fn a_held_payment_is_authorized_on_the_card_that_the_acquirer_kept() {
    let world = World::deciding(Outcome::Review);
    let payment = taken(&world).await;
    assert_eq!(payment.status(), PaymentStatus::InReview);
    assert!(payment.record().card_token.is_some() && payment.record().expires_at.is_some());
    let (approved, _) = review(&world, &payment, ReviewVerdict::Approved).await.unwrap();
    assert_eq!(approved.status(), PaymentStatus::Authorized);
    assert_eq!(world.acquirer.asked()[0].on, "tok_pay_1");
    assert_eq!(approved.record().card_token, None);
    assert_eq!(world.features.settled(payment.id()), Some(SettledAs::Approved));
    let again = review(&world, &payment, ReviewVerdict::Rejected).await;
    assert!(matches!(
        again,
        Err(FollowUpError::Refused(OperationRefused::Illegal(_)))
    ));
}

#[tokio::test]
async fn a_rejected_payment_is_declined_and_never_sent() {
    let world = World::deciding(Outcome::Review);
    let payment = taken(&world).await;
    let (rejected, operation) = review(&world, &payment, ReviewVerdict::Rejected).await.unwrap();
    assert_eq!((rejected.status(), operation), (PaymentStatus::Declined, None));
    assert!(world.acquirer.asked().is_empty());
    assert_eq!(world.features.settled(payment.id()), Some(SettledAs::Declined));
}

#[tokio::test]
async fn a_card_that_nobody_keeps_cannot_wait() {
    for (answer, code) in [
        (
            Err(AcquirerError::NotSent {
                reason: "away".to_owned(),
            }),
            DeclineCode::AcquirerUnavailable,
        ),
        (
            Ok(CardKept::Declined {
                code: DeclineCode::CardDeclined,
            }),
            DeclineCode::CardDeclined,
        ),
    ] {
        let world = World::deciding(Outcome::Challenge);
        world.acquirer.answer_keeping(answer);
        let payment = taken(&world).await;
        assert_eq!(payment.record().decline_code, Some(code));
        assert_eq!(world.payments.records().len(), 1);
    }
}

#[tokio::test]
async fn a_challenge_ends_with_its_proof() {
    let world = World::deciding(Outcome::Challenge);
    let payment = taken(&world).await;
    let use_case = ConfirmPayment {
        runner: world.runner(),
        ids: world.ids.clone(),
    };
    let command = ConfirmPaymentCommand {
        payment: of(&payment),
        authentication: Some(PayerAuthentication {
            eci: BoundedText::parse("05").unwrap(),
            cryptogram: BoundedText::parse("AAA=").unwrap(),
            transaction_id: BoundedText::parse("ds-1").unwrap(),
        }),
    };
    let (confirmed, _) = use_case
        .execute(command, KeyedRequest::without_key())
        .await
        .unwrap();
    assert_eq!(confirmed.status(), PaymentStatus::Authorized);
}

#[tokio::test]
async fn what_waits_too_long_expires_and_what_is_reserved_is_let_go_of() {
    let world = World::deciding(Outcome::Review);
    let held = taken(&world).await;
    assert_eq!(expire(&world, &held).await, held, "not yet");
    world.clock.advance_ms(world.runner().times.review_ms);
    let at = world.clock.now();
    assert_eq!(
        world.payments.overdue(at, 9).await.unwrap(),
        std::slice::from_ref(held.id())
    );
    assert_eq!(expire(&world, &held).await.status(), PaymentStatus::Expired);
    assert!(world.acquirer.asked().is_empty());

    let world = World::deciding(Outcome::Approve);
    let authorized = taken(&world).await;
    world.clock.advance_ms(world.runner().times.authorization_ms);
    assert_eq!(expire(&world, &authorized).await.status(), PaymentStatus::Expired);
    assert_eq!(world.acquirer.asked().pop().unwrap().kind, OperationKind::Void);
}

#[tokio::test]
async fn a_held_payment_is_voided_without_the_acquirer_and_an_authorized_one_with_it() {
    let world = World::deciding(Outcome::Review);
    let held = taken(&world).await;
    let (voided, operation) = void(&world, &held).await.unwrap();
    assert_eq!((voided.status(), operation), (PaymentStatus::Voided, None));
    let world = World::deciding(Outcome::Approve);
    let authorized = taken(&world).await;
    let (voided, operation) = void(&world, &authorized).await.unwrap();
    assert_eq!(voided.status(), PaymentStatus::Voided);
    assert!(operation.is_some());
    assert!(void(&world, &authorized).await.is_err());
}
