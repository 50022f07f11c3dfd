//! What is done with a payment that is there: each answer of the acquirer, others who are faster, what waits, what expires.

use std::sync::Arc;

use domain::payment::{
    DeclineCode, OperationKind, OperationRefused, OperationResult, OperationStatus, PaymentStatus,
    ReviewVerdict, ReviewerName,
};
use domain::risk::Outcome;
use domain::text::BoundedText;
use domain::{OperationId, Payment};
use portcullis_application::idempotency::KeyedRequest;
use portcullis_application::operation_runner::RunError;
use portcullis_application::ports::{
    AcquirerAnswer, AcquirerError, CardKept, Clock, InquiryAnswer, PayerAuthentication, PaymentCatalog,
    PaymentRepository, SettledAs,
};
use portcullis_application::use_cases::{
    AuthorizePaymentCommand, CapturePayment, CapturePaymentCommand, ConfirmPayment, ConfirmPaymentCommand,
    ExpirePayment, FollowUpError, PaymentOf, RefundPayment, RefundPaymentCommand, ResolveOperation,
    ReviewPayment, ReviewPaymentCommand, VoidPayment,
};
use testkit::builders::{NOW, cny, merchant_id, payment_card, payment_details, payment_id};
use testkit::fakes::Save;

use crate::World;

const DAY_MS: u64 = 24 * 3_600 * 1_000;

async fn taken(world: &World) -> Payment {
    let command = AuthorizePaymentCommand {
        details: payment_details().build(),
        card: payment_card("4242424242424242"),
    };
    world
        .authorize_payment()
        .execute(command, KeyedRequest::without_key())
        .await
        .unwrap()
}

fn of(payment: &Payment) -> PaymentOf {
    PaymentOf {
        id: payment.id().clone(),
        merchant: None,
    }
}

async fn capture(
    world: &World,
    payment: &Payment,
    minor_units: i64,
) -> Result<(Payment, OperationId), FollowUpError> {
    let use_case = CapturePayment {
        runner: world.runner(),
        ids: world.ids.clone(),
    };
    let command = CapturePaymentCommand {
        payment: of(payment),
        amount: Some(cny(minor_units)),
    };
    use_case.execute(command, KeyedRequest::without_key()).await
}

async fn refund(
    world: &World,
    payment: &Payment,
    minor_units: i64,
) -> Result<(Payment, OperationId), FollowUpError> {
    let use_case = RefundPayment {
        runner: world.runner(),
        ids: world.ids.clone(),
    };
    let command = RefundPaymentCommand {
        payment: of(payment),
        amount: Some(cny(minor_units)),
    };
    use_case.execute(command, KeyedRequest::without_key()).await
}

async fn void(world: &World, payment: &Payment) -> Result<(Payment, Option<OperationId>), FollowUpError> {
    let use_case = VoidPayment {
        runner: world.runner(),
        ids: world.ids.clone(),
    };
    use_case.execute(of(payment), KeyedRequest::without_key()).await
}

async fn review(
    world: &World,
    payment: &Payment,
    verdict: ReviewVerdict,
) -> Result<(Payment, Option<OperationId>), FollowUpError> {
    let use_case = ReviewPayment {
        runner: world.runner(),
        ids: world.ids.clone(),
    };
    let command = ReviewPaymentCommand {
        payment: of(payment),
        verdict,
        reviewer: ReviewerName::parse("ana").unwrap(),
    };
    use_case.execute(command, KeyedRequest::without_key()).await
}

async fn expire(world: &World, payment: &Payment) -> Payment {
    let use_case = ExpirePayment {
        runner: world.runner(),
        ids: world.ids.clone(),
    };
    use_case.execute(payment.id()).await.unwrap()
}

fn resolve(world: &World) -> ResolveOperation {
    ResolveOperation {
        runner: world.runner(),
    }
}

fn unknown() -> Result<AcquirerAnswer, AcquirerError> {
    Err(AcquirerError::OutcomeUnknown {
        reason: "no answer".to_owned(),
    })
}

#[tokio::test]
async fn the_acquirer_is_asked_for_what_was_stored_on_what_it_authorized() {
    let world = World::deciding(Outcome::Approve);
    let payment = taken(&world).await;
    let (captured, operation) = capture(&world, &payment, 5_000).await.unwrap();
    assert_eq!(captured.status(), PaymentStatus::Captured);
    let asked = world.acquirer.asked().pop().unwrap();
    assert_eq!(
        (asked.kind, asked.operation_id, asked.amount),
        (OperationKind::Capture, operation, cny(5_000))
    );
    let authorization = payment.record().operations[0].acquirer_reference.clone().unwrap();
    assert_eq!(asked.on, authorization.as_str());
    assert_eq!(
        world.payments.find(payment.id()).await.unwrap().unwrap(),
        captured
    );
}

#[tokio::test]
async fn another_merchants_payment_is_not_found() {
    let world = World::deciding(Outcome::Approve);
    let payment = taken(&world).await;
    let use_case = VoidPayment {
        runner: world.runner(),
        ids: world.ids.clone(),
    };
    let stranger = PaymentOf {
        id: payment.id().clone(),
        merchant: Some(merchant_id("m_other")),
    };
    let refused = use_case.execute(stranger, KeyedRequest::without_key()).await;
    assert!(matches!(refused, Err(FollowUpError::NotFound { .. })));
    let nobody = PaymentOf {
        id: payment_id("pay_none"),
        merchant: None,
    };
    let refused = use_case.execute(nobody, KeyedRequest::without_key()).await;
    assert!(matches!(refused, Err(FollowUpError::NotFound { .. })));
}

#[tokio::test]
async fn two_refunds_at_the_same_time_never_give_back_more_than_was_captured() {
    for _ in 0..64 {
        let world = Arc::new(World::deciding(Outcome::Approve));
        let payment = taken(&world).await;
        capture(&world, &payment, 10_000).await.unwrap();
        let refunds = [(); 2].map(|()| {
            let (world, payment) = (Arc::clone(&world), payment.clone());
            tokio::spawn(async move { refund(&world, &payment, 6_000).await })
        });
        let mut done = 0;
        for refund in refunds {
            match refund.await.unwrap() {
                Ok(_) => done += 1,
                Err(FollowUpError::Refused(
                    OperationRefused::InFlight { .. } | OperationRefused::ExceedsRemainder { .. },
                )) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(done, 1);
        let asked = world.acquirer.asked();
        assert_eq!(
            asked
                .iter()
                .filter(|asked| asked.kind == OperationKind::Refund)
                .count(),
            1
        );
    }
}

#[tokio::test]
async fn whoever_was_slower_reads_the_payment_again() {
    let world = World::deciding(Outcome::Approve);
    let payment = taken(&world).await;
    // Another gateway captures a part between this one's read and its save.
    world.payments.change_before_next_save(payment.id(), |payment| {
        payment
            .begin_capture(OperationId::parse("op_other").unwrap(), Some(cny(900)), NOW)
            .unwrap();
        let reference = BoundedText::parse("ref_other").unwrap();
        payment
            .finish_operation(
                &OperationId::parse("op_other").unwrap(),
                OperationResult::Succeeded(reference),
                NOW,
            )
            .unwrap();
    });
    let refused = capture(&world, &payment, 12_900).await;
    assert!(
        matches!(
            refused,
            Err(FollowUpError::Refused(OperationRefused::ExceedsRemainder {
                remainder_minor_units: 12_000
            }))
        ),
        "{refused:?}"
    );
    let asked = world.acquirer.asked();
    assert!(asked.iter().all(|asked| asked.kind != OperationKind::Capture));
}

#[tokio::test]
async fn what_could_not_be_stored_is_not_sent() {
    let world = World::deciding(Outcome::Approve);
    let payment = taken(&world).await;
    let before = world.acquirer.asked().len();
    world.payments.script(&[Save::Fails]);
    let refused = capture(&world, &payment, 1).await;
    assert!(matches!(refused, Err(FollowUpError::Run(RunError::NotStored(_)))));
    assert_eq!(world.acquirer.asked().len(), before);
}

#[tokio::test]
async fn an_unknown_end_is_asked_about_by_a_schedule_and_then_left_to_humans() {
    let world = World::deciding(Outcome::Approve);
    let payment = taken(&world).await;
    world.acquirer.answer(unknown());
    let (open, _) = capture(&world, &payment, 5_000).await.unwrap();
    assert!(matches!(
        capture(&world, &payment, 1).await,
        Err(FollowUpError::Refused(OperationRefused::InFlight { .. }))
    ));
    let schedule = world.runner().times.inquiries_ms.clone();
    for (asked, wait_ms) in schedule.iter().enumerate() {
        let at = world.clock.now();
        assert!(
            world.payments.due_for_inquiry(at, 9).await.unwrap().is_empty(),
            "not yet, after {asked}"
        );
        world.clock.advance_ms(*wait_ms);
        let at = world.clock.now();
        assert_eq!(
            world.payments.due_for_inquiry(at, 9).await.unwrap(),
            std::slice::from_ref(open.id())
        );
        let answer = if asked % 2 == 0 {
            Ok(InquiryAnswer::UnderWay)
        } else {
            Err(AcquirerError::NotSent {
                reason: "away".to_owned(),
            })
        };
        world.acquirer.answer_inquiry(answer);
        let asked_again = resolve(&world).execute(open.id()).await.unwrap();
        assert_eq!(asked_again.status(), PaymentStatus::Authorized);
    }
    world.clock.advance_ms(365 * DAY_MS);
    let at = world.clock.now();
    assert!(world.payments.due_for_inquiry(at, 9).await.unwrap().is_empty());
    let left = world.payments.left_to_humans(None, 9).await.unwrap();
    assert_eq!(left.items.len(), 1);
    assert!(
        world.payments.overdue(at, 9).await.unwrap().is_empty(),
        "an open operation keeps it from expiring"
    );
}

#[tokio::test]
async fn what_the_acquirer_says_when_it_is_asked_is_the_end() {
    for (answer, operation, captured) in [
        (
            InquiryAnswer::Answered(AcquirerAnswer::Approved {
                reference: BoundedText::parse("ref_late").unwrap(),
            }),
            OperationStatus::Succeeded,
            5_000,
        ),
        (
            InquiryAnswer::Answered(AcquirerAnswer::Declined {
                code: DeclineCode::NotPermitted,
            }),
            OperationStatus::Declined,
            0,
        ),
        (InquiryAnswer::NeverReceived, OperationStatus::NotSent, 0),
    ] {
        let world = World::deciding(Outcome::Approve);
        let payment = taken(&world).await;
        world.acquirer.answer(unknown());
        capture(&world, &payment, 5_000).await.unwrap();
        world.acquirer.answer_inquiry(Ok(answer));
        let resolved = resolve(&world).execute(payment.id()).await.unwrap();
        assert_eq!(resolved.record().operations[1].status, operation);
        assert_eq!(resolved.amounts().captured, captured);
        // Once it is known nobody is asked again.
        assert_eq!(resolve(&world).execute(payment.id()).await.unwrap(), resolved);
    }
}

#[tokio::test]
async fn an_authorization_that_was_sent_before_a_crash_is_asked_about_and_settled() {
    let world = World::deciding(Outcome::Approve);
    // The answer cannot be stored, however often that is tried: as if the gateway had died.
    world
        .payments
        .script(&[[Save::Works].as_slice(), &[Save::Fails; 7]].concat());
    let command = AuthorizePaymentCommand {
        details: payment_details().customer("c_1").build(),
        card: payment_card("4242424242424242"),
    };
    let lost = world
        .authorize_payment()
        .execute(command, KeyedRequest::without_key())
        .await;
    assert!(lost.is_err());
    let id = payment_id("pay_1");
    world.clock.advance_ms(world.runner().times.answer_ms);
    let at = world.clock.now();
    assert_eq!(
        world.payments.due_for_inquiry(at, 9).await.unwrap(),
        std::slice::from_ref(&id)
    );
    world
        .acquirer
        .answer_inquiry(Ok(InquiryAnswer::Answered(AcquirerAnswer::Approved {
            reference: BoundedText::parse("ref_late").unwrap(),
        })));
    let payment = resolve(&world).execute(&id).await.unwrap();
    assert_eq!(payment.status(), PaymentStatus::Authorized);
    assert!(payment.record().expires_at.is_some());
    assert_eq!(world.features.settled(&id), Some(SettledAs::Approved));
}

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
