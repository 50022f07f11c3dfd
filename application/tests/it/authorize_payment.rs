//! Taking a payment: every decision, every answer of the acquirer, every failure of the store.

use std::time::Duration;

use domain::feature::{FeatureSpec, FeatureValue, PaymentFilter, Subject, VelocityMeasure};
use domain::payment::{DeclineCode, OperationStatus, PaymentStatus};
use domain::risk::Outcome;
use domain::{Payment, Timestamp};
use portcullis_application::idempotency::KeyedRequest;
use portcullis_application::operation_runner::RunError;
use portcullis_application::ports::{AcquirerAnswer, AcquirerError, SettledAs};
use portcullis_application::use_cases::{AuthorizePaymentCommand, AuthorizePaymentError};
use testkit::builders::{evaluation, payment_card, payment_details, payment_id};
use testkit::fakes::{Save, ScriptedRiskEngine, TelemetryCounts};

use crate::World;

const CARD: &str = "4242424242424242";

async fn take(world: &World) -> Result<Payment, AuthorizePaymentError> {
    let command = AuthorizePaymentCommand {
        details: payment_details().customer("c_1").build(),
        card: payment_card(CARD),
    };
    world
        .authorize_payment()
        .execute(command, KeyedRequest::without_key())
        .await
}

fn operation_status(payment: &Payment) -> Vec<OperationStatus> {
    payment.record().operations.iter().map(|o| o.status).collect()
}

fn check_that_it_is_stored(world: &World, payment: &Payment) {
    assert_eq!(world.payments.records(), [payment.record().clone()]);
}

fn settled(world: &World) -> Option<SettledAs> {
    world.features.settled(&payment_id("pay_1"))
}

#[tokio::test]
async fn an_approved_payment_is_authorized_and_stored_with_the_card_in_short() {
    let world = World::deciding(Outcome::Approve);
    let payment = take(&world).await.unwrap();
    assert_eq!(payment.status(), PaymentStatus::Authorized);
    assert_eq!(operation_status(&payment), [OperationStatus::Succeeded]);
    check_that_it_is_stored(&world, &payment);
    let card = payment.record().details.card.clone().unwrap();
    assert_eq!((&*card.bin, &*card.last4), ("42424242", "4242"));
    assert!(!format!("{payment:?}").contains(CARD));
    assert_eq!(world.payments.saves(), 2, "before and after the acquirer");
    assert_eq!(settled(&world), Some(SettledAs::Approved));
    assert_eq!(
        world.telemetry.counts(),
        TelemetryCounts {
            decisions: vec![Outcome::Approve],
            decisions_not_recorded: 0,
            features_unavailable: 0,
            operations: vec![OperationStatus::Succeeded],
            answers_not_stored: 0,
            payments: vec![PaymentStatus::Authorized],
        }
    );
}

#[tokio::test]
async fn the_acquirer_is_given_the_operation_that_was_stored() {
    let world = World::deciding(Outcome::Approve);
    let payment = take(&world).await.unwrap();
    let asked = world.acquirer.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].operation_id, payment.record().operations[0].id);
    assert_eq!(asked[0].amount, payment.record().details.amount);
    assert_eq!(asked[0].on, "4242");
}

#[tokio::test]
async fn what_the_policies_do_not_approve_never_reaches_the_acquirer() {
    for (outcome, status, settled_as) in [
        (
            Outcome::Decline,
            PaymentStatus::Declined,
            Some(SettledAs::Declined),
        ),
        (Outcome::Review, PaymentStatus::InReview, None),
        (Outcome::Challenge, PaymentStatus::RequiresAction, None),
    ] {
        let world = World::deciding(outcome);
        let payment = take(&world).await.unwrap();
        assert_eq!(payment.status(), status);
        assert!(world.acquirer.asked().is_empty(), "{outcome:?}");
        check_that_it_is_stored(&world, &payment);
        assert_eq!(settled(&world), settled_as);
    }
    let world = World::deciding(Outcome::Decline);
    let payment = take(&world).await.unwrap();
    assert_eq!(payment.record().decline_code, Some(DeclineCode::RiskPolicy));
}

#[tokio::test]
async fn a_decline_of_the_issuer_is_an_outcome_with_its_code() {
    let world = World::deciding(Outcome::Approve);
    world.acquirer.answer(Ok(AcquirerAnswer::Declined {
        code: DeclineCode::InsufficientFunds,
    }));
    let payment = take(&world).await.unwrap();
    assert_eq!(payment.status(), PaymentStatus::Declined);
    assert_eq!(
        payment.record().decline_code,
        Some(DeclineCode::InsufficientFunds)
    );
    check_that_it_is_stored(&world, &payment);
    assert_eq!(settled(&world), Some(SettledAs::Declined));
}

#[tokio::test]
async fn an_unknown_outcome_stays_authorizing_with_an_unknown_operation() {
    let world = World::deciding(Outcome::Approve);
    world.acquirer.answer(Err(AcquirerError::OutcomeUnknown {
        reason: "no answer".to_owned(),
    }));
    let payment = take(&world).await.unwrap();
    assert_eq!(payment.status(), PaymentStatus::Authorizing);
    assert_eq!(operation_status(&payment), [OperationStatus::Unknown]);
    check_that_it_is_stored(&world, &payment);
    assert_eq!(settled(&world), None);
}

#[tokio::test]
async fn an_acquirer_that_was_not_reached_declines_the_payment() {
    let world = World::deciding(Outcome::Approve);
    world.acquirer.answer(Err(AcquirerError::NotSent {
        reason: "refused".to_owned(),
    }));
    let payment = take(&world).await.unwrap();
    assert_eq!(payment.status(), PaymentStatus::Declined);
    assert_eq!(
        payment.record().decline_code,
        Some(DeclineCode::AcquirerUnavailable)
    );
    assert_eq!(operation_status(&payment), [OperationStatus::NotSent]);
    check_that_it_is_stored(&world, &payment);
    assert_eq!(settled(&world), None, "nobody declined it");
}

#[tokio::test]
async fn nothing_is_sent_that_could_not_be_stored_before() {
    let world = World::deciding(Outcome::Approve);
    world.payments.script(&[Save::Fails]);
    let error = take(&world).await.unwrap_err();
    assert!(
        matches!(error, AuthorizePaymentError::Run(RunError::NotStored(_))),
        "{error}"
    );
    assert!(world.acquirer.asked().is_empty());
    assert!(world.payments.records().is_empty());
    assert_eq!(settled(&world), None);
}

#[tokio::test]
async fn a_decline_that_could_not_be_stored_is_an_error() {
    let world = World::deciding(Outcome::Decline);
    world.payments.script(&[Save::Fails]);
    let error = take(&world).await.unwrap_err();
    assert!(
        matches!(error, AuthorizePaymentError::Run(RunError::NotStored(_))),
        "{error}"
    );
    assert!(world.payments.records().is_empty());
}

#[tokio::test]
async fn an_answer_is_stored_as_soon_as_the_store_is_back() {
    let world = World::deciding(Outcome::Approve);
    world
        .payments
        .script(&[Save::Works, Save::Fails, Save::Fails, Save::Fails]);
    let payment = take(&world).await.unwrap();
    assert_eq!(payment.status(), PaymentStatus::Authorized);
    check_that_it_is_stored(&world, &payment);
    assert_eq!(world.acquirer.asked().len(), 1, "the acquirer is not asked again");
    assert_eq!(world.timer.pauses(), [100, 200, 400].map(Duration::from_millis));
    assert_eq!(settled(&world), Some(SettledAs::Approved));
    assert_eq!(world.telemetry.counts().answers_not_stored, 0);
}

#[tokio::test]
async fn an_answer_that_was_stored_although_its_save_broke_off_is_found() {
    let world = World::deciding(Outcome::Approve);
    world.payments.script(&[Save::Works, Save::BreaksOff]);
    let payment = take(&world).await.unwrap();
    assert_eq!(payment.status(), PaymentStatus::Authorized);
    assert_eq!(payment.record().version, 2);
    check_that_it_is_stored(&world, &payment);
    assert_eq!(world.timer.pauses().len(), 1);
}

#[tokio::test]
async fn an_answer_that_could_not_be_stored_leaves_the_operation_open_and_is_counted() {
    let world = World::deciding(Outcome::Approve);
    world.payments.script(&[Save::Works]);
    world.payments.script(&[Save::Fails; 7]);
    let error = take(&world).await.unwrap_err();
    assert!(
        matches!(
            error,
            AuthorizePaymentError::Run(RunError::AnswerNotStored { .. })
        ),
        "{error}"
    );
    assert_eq!(world.acquirer.asked().len(), 1);
    let stored = Payment::restore(world.payments.records().remove(0)).unwrap();
    assert_eq!(stored.status(), PaymentStatus::Authorizing);
    assert_eq!(operation_status(&stored), [OperationStatus::Sent]);
    assert_eq!(settled(&world), None);
    assert_eq!(
        world.payments.saves(),
        8,
        "before the acquirer, and seven tries after"
    );
    let pauses = world.timer.pauses();
    assert!(pauses.is_sorted_by(|one, next| one < next), "{pauses:?}");
    assert!(pauses.iter().sum::<Duration>() < Duration::from_secs(10));
    let counts = world.telemetry.counts();
    assert_eq!((counts.answers_not_stored, counts.payments), (1, vec![]));
}

#[tokio::test]
async fn without_features_the_policies_decide_on_what_is_at_hand() {
    let spec = FeatureSpec::Velocity {
        subject: Subject::Card,
        measure: VelocityMeasure::Count,
        filter: PaymentFilter::Attempted,
        window_seconds: 60,
    };
    let listed = FeatureSpec::Listed {
        list: "blocked".into(),
        subject: Subject::Merchant,
    };
    let specs = vec![spec.clone(), listed, spec];
    let engine = ScriptedRiskEngine::answering(specs, vec![evaluation("scripted", Outcome::Approve)]);
    let world = World::new(engine);
    world.features.list("blocked", Subject::Merchant, "m_1");
    world.features.become_unavailable();
    let payment = take(&world).await.unwrap();
    assert_eq!(payment.status(), PaymentStatus::Authorized);
    let given = world.engine.set().unwrap().given();
    let unavailable = FeatureValue::Unavailable;
    assert_eq!(given, [[unavailable, FeatureValue::Listed(true), unavailable]]);
    assert_eq!(world.telemetry.counts().features_unavailable, 1);
}

#[tokio::test]
async fn features_count_the_payment_that_is_being_decided() {
    let spec = FeatureSpec::Velocity {
        subject: Subject::Card,
        measure: VelocityMeasure::Count,
        filter: PaymentFilter::Attempted,
        window_seconds: 60,
    };
    let engine = ScriptedRiskEngine::answering(vec![spec], vec![evaluation("scripted", Outcome::Approve)]);
    let world = World::new(engine);
    for _ in 0..2 {
        take(&world).await.unwrap();
    }
    let given = world.engine.set().unwrap().given();
    assert_eq!(
        given,
        [[FeatureValue::Count(1)], [FeatureValue::Count(2)]].map(Vec::from)
    );
}

#[tokio::test]
async fn without_a_policy_set_nothing_is_decided_stored_or_sent() {
    let world = World::new(ScriptedRiskEngine::without_policy_set());
    let error = take(&world).await.unwrap_err();
    assert!(matches!(error, AuthorizePaymentError::NoPolicySet(_)), "{error}");
    assert!(world.acquirer.asked().is_empty());
    assert_eq!(world.payments.saves(), 0);
    assert_eq!(world.telemetry.counts(), TelemetryCounts::default());
}

#[tokio::test]
async fn an_expired_card_is_refused_before_anything_is_counted() {
    let world = World::deciding(Outcome::Approve);
    // 2031-02-01, a month after the card's last.
    world.clock.set(Timestamp::from_unix_millis(1_927_670_400_000));
    let error = take(&world).await.unwrap_err();
    assert!(matches!(error, AuthorizePaymentError::CardExpired), "{error}");
    assert_eq!(world.payments.saves(), 0);
    assert!(world.acquirer.asked().is_empty());
    assert!(world.engine.set().unwrap().given().is_empty());
}
