//! The simulator, card by card, with time that stands still until someone waits for it.

use std::time::Duration;

use application::ports::{Acquirer, AcquirerAnswer, AcquirerError, AuthorizationRequest, CardSource};
use domain::payment::{DeclineCode, OperationKind};
use domain::{CardExpiry, CardNumber, MerchantId, Money, OperationId};
use portcullis_acquirers::{Charge, ChargeOutcome, SimulatedAcquirer, SimulatedConfig, test_cards};
use testkit::builders::{cny, merchant_id, operation_id};
use tokio::time::Instant;

struct Authorization {
    operation: OperationId,
    merchant: MerchantId,
    amount: Money,
    card: CardNumber,
}

impl Authorization {
    fn with(card: &str, operation: &str) -> Self {
        Self {
            operation: operation_id(operation),
            merchant: merchant_id("m_1"),
            amount: cny(12_900),
            card: CardNumber::parse(card).unwrap(),
        }
    }

    async fn ask(&self, acquirer: &SimulatedAcquirer) -> Result<AcquirerAnswer, AcquirerError> {
        acquirer
            .authorize(AuthorizationRequest {
                operation_id: &self.operation,
                merchant_id: &self.merchant,
                amount: self.amount,
                card: CardSource::Card {
                    number: &self.card,
                    expiry: CardExpiry::new(12, 2030).unwrap(),
                },
                authentication: None,
            })
            .await
    }
}

fn simulator() -> SimulatedAcquirer {
    SimulatedAcquirer::new(&SimulatedConfig::default())
}

fn declined(code: DeclineCode) -> Result<AcquirerAnswer, AcquirerError> {
    Ok(AcquirerAnswer::Declined { code })
}

#[tokio::test(start_paused = true)]
async fn any_card_without_a_behaviour_of_its_own_is_approved_at_once() {
    for card in [test_cards::APPROVED, "5555555555554444"] {
        let started = Instant::now();
        let answer = Authorization::with(card, "op_1").ask(&simulator()).await;
        assert!(
            matches!(&answer, Ok(AcquirerAnswer::Approved { reference }) if reference.as_str() == "sim_op_1")
        );
        assert_eq!(started.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn declines_say_why() {
    for (card, code) in [
        (test_cards::CARD_DECLINED, DeclineCode::CardDeclined),
        (test_cards::INSUFFICIENT_FUNDS, DeclineCode::InsufficientFunds),
    ] {
        assert_eq!(
            Authorization::with(card, "op_1").ask(&simulator()).await,
            declined(code)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_slow_card_is_approved_after_a_while() {
    let started = Instant::now();
    let answer = Authorization::with(test_cards::SLOW, "op_1")
        .ask(&simulator())
        .await;
    assert!(matches!(answer, Ok(AcquirerAnswer::Approved { .. })));
    assert_eq!(started.elapsed(), Duration::from_millis(2_000));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_leaves_the_outcome_unknown_and_the_card_charged() {
    let simulator = simulator();
    let authorization = Authorization::with(test_cards::NO_ANSWER, "op_1");
    let started = Instant::now();
    for _ in 0..2 {
        let error = authorization.ask(&simulator).await.unwrap_err();
        assert!(matches!(error, AcquirerError::OutcomeUnknown { .. }));
    }
    assert_eq!(started.elapsed(), Duration::from_millis(10_000));
    let charge = Charge {
        kind: OperationKind::Authorize,
        authorization: None,
        card_last4: Some("0507".to_owned()),
        merchant_id: merchant_id("m_1"),
        amount: cny(12_900),
        outcome: ChargeOutcome::Approved,
    };
    assert_eq!(simulator.charge(&authorization.operation), Some(charge));
    assert_eq!(simulator.charge_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_acquirer_that_is_not_reached_charges_nothing() {
    let simulator = simulator();
    let error = Authorization::with(test_cards::NOT_REACHED, "op_1")
        .ask(&simulator)
        .await
        .unwrap_err();
    assert!(matches!(error, AcquirerError::NotSent { .. }));
    assert_eq!(simulator.charge_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_after_the_timeout_is_no_answer() {
    let config = SimulatedConfig {
        slow_ms: 6_000,
        ..SimulatedConfig::default()
    };
    let simulator = SimulatedAcquirer::new(&config);
    let error = Authorization::with(test_cards::SLOW, "op_1")
        .ask(&simulator)
        .await
        .unwrap_err();
    assert!(matches!(error, AcquirerError::OutcomeUnknown { .. }));
    assert_eq!(simulator.charge_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_operation_asked_for_twice_is_charged_once_and_answered_alike() {
    let simulator = simulator();
    for card in [test_cards::APPROVED, test_cards::INSUFFICIENT_FUNDS] {
        let authorization = Authorization::with(card, &format!("op_{card}"));
        let first = authorization.ask(&simulator).await;
        let (second, third) = tokio::join!(authorization.ask(&simulator), authorization.ask(&simulator));
        assert_eq!(first, second);
        assert_eq!(second, third);
    }
    assert_eq!(simulator.charge_count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_stops_listening_has_been_charged() {
    let simulator = simulator();
    let authorization = Authorization::with(test_cards::SLOW, "op_1");
    let listened = tokio::time::timeout(Duration::from_millis(10), authorization.ask(&simulator)).await;
    assert!(listened.is_err());
    assert_eq!(simulator.charge_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_ledger_forgets_the_oldest_operation_first() {
    let config = SimulatedConfig {
        ledger_operations: 2,
        ..SimulatedConfig::default()
    };
    let simulator = SimulatedAcquirer::new(&config);
    for operation in ["op_1", "op_2", "op_3"] {
        Authorization::with(test_cards::APPROVED, operation)
            .ask(&simulator)
            .await
            .unwrap();
    }
    assert_eq!(simulator.charge_count(), 2);
    assert!(simulator.charge(&operation_id("op_1")).is_none());
    assert!(simulator.charge(&operation_id("op_3")).is_some());
}

#[tokio::test(start_paused = true)]
async fn what_fails_before_charges_nothing_and_what_fails_afterwards_does() {
    for (card, charged, not_sent) in [
        (test_cards::BUSY, 0, true),
        (test_cards::ERROR_BEFORE, 0, false),
        (test_cards::CONFLICT, 0, false),
        (test_cards::CLOSED_AFTER, 1, false),
        (test_cards::ERROR_AFTER, 1, false),
        (test_cards::UNDER_WAY, 1, false),
    ] {
        let simulator = simulator();
        let error = Authorization::with(card, "op_1")
            .ask(&simulator)
            .await
            .unwrap_err();
        assert_eq!(
            matches!(error, AcquirerError::NotSent { .. }),
            not_sent,
            "{card}: {error}"
        );
        assert_eq!(simulator.charge_count(), charged, "{card}");
    }
}
