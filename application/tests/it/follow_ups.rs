//! What is done with a payment that is there: by the acquirer, and by others who are faster.

mod recovery;
mod waiting;

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
