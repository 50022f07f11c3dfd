//! An acquirer that moves no money.

mod ledger;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use application::ports::{Acquirer, AcquirerAnswer, AcquirerError, AuthorizationRequest};
use async_trait::async_trait;
use domain::OperationId;
use domain::payment::{AcquirerReference, DeclineCode};
use tokio::time::sleep;

pub use ledger::{Charge, ChargeOutcome};

use crate::config::Config;
use crate::test_cards;
use ledger::Ledger;

/// Answers by the card number; see [`crate::test_cards`]. Each operation is charged once, however often it is asked for,
/// and always gets the answer that it got at first.
#[derive(Debug)]
pub struct SimulatedAcquirer {
    answer_after: Duration,
    slow_after: Duration,
    timeout: Duration,
    ledger: Mutex<Ledger>,
}

/// How the simulator meets a card.
#[derive(Clone, Copy)]
enum Behaviour {
    Answer(ChargeOutcome),
    AnswerSlowly,
    LoseAnswer,
    StayAway,
}

impl Behaviour {
    fn of(card_number: &str) -> Self {
        match card_number {
            test_cards::CARD_DECLINED => Self::Answer(ChargeOutcome::Declined(DeclineCode::CardDeclined)),
            test_cards::INSUFFICIENT_FUNDS => {
                Self::Answer(ChargeOutcome::Declined(DeclineCode::InsufficientFunds))
            }
            test_cards::SLOW => Self::AnswerSlowly,
            test_cards::NO_ANSWER => Self::LoseAnswer,
            test_cards::NOT_REACHED => Self::StayAway,
            _ => Self::Answer(ChargeOutcome::Approved),
        }
    }
}

impl SimulatedAcquirer {
    /// A simulator that was asked nothing yet.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            answer_after: Duration::from_millis(config.answer_ms),
            slow_after: Duration::from_millis(config.slow_ms),
            timeout: Duration::from_millis(config.timeout_ms),
            ledger: Mutex::new(Ledger::new(config.ledger_operations)),
        }
    }

    /// What became of an operation; none where it never arrived or is forgotten.
    #[must_use]
    pub fn charge(&self, operation: &OperationId) -> Option<Charge> {
        self.ledger().find(operation).cloned()
    }

    /// How many operations arrived and are remembered.
    #[must_use]
    pub fn charge_count(&self) -> usize {
        self.ledger().len()
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Acquirer for SimulatedAcquirer {
    async fn authorize(&self, request: AuthorizationRequest<'_>) -> Result<AcquirerAnswer, AcquirerError> {
        let behaviour = Behaviour::of(request.card.expose());
        let (outcome, delay) = match behaviour {
            Behaviour::Answer(outcome) => (outcome, self.answer_after),
            Behaviour::AnswerSlowly => (ChargeOutcome::Approved, self.slow_after),
            Behaviour::LoseAnswer => (ChargeOutcome::Approved, Duration::MAX),
            Behaviour::StayAway => {
                return Err(AcquirerError::NotSent {
                    reason: "the simulator was told not to be reached".to_owned(),
                });
            }
        };
        // Charged before the answer is on its way: whoever stops listening has been charged all the same.
        let outcome = self.ledger().charge(&request, outcome);
        if delay > self.timeout {
            sleep(self.timeout).await;
            return Err(AcquirerError::OutcomeUnknown {
                reason: format!("no answer within {} ms", self.timeout.as_millis()),
            });
        }
        if !delay.is_zero() {
            sleep(delay).await;
        }
        answer(request.operation_id, outcome)
    }
}

fn answer(operation: &OperationId, outcome: ChargeOutcome) -> Result<AcquirerAnswer, AcquirerError> {
    match outcome {
        ChargeOutcome::Approved => {
            let reference = AcquirerReference::parse(&format!("sim_{operation}"));
            let reference = reference.map_err(|error| AcquirerError::OutcomeUnknown {
                reason: format!("the reference {error}"),
            })?;
            Ok(AcquirerAnswer::Approved { reference })
        }
        ChargeOutcome::Declined(code) => Ok(AcquirerAnswer::Declined { code }),
    }
}
