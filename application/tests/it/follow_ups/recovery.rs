//! Ends that are not known: who asks, when, and what the answer does.

use super::*;

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
