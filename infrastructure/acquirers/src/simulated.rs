//! An acquirer that moves no money.

mod ledger;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use application::ports::{
    Acquirer, AcquirerAnswer, AcquirerError, AuthorizationRequest, CardKept, CardSource, FollowUpRequest,
    InquiryAnswer, KeepCardRequest,
};
use async_trait::async_trait;
use domain::payment::{AcquirerReference, CardToken, DeclineCode, OperationKind};
use domain::{CardNumber, MerchantId, OperationId};
use tokio::time::sleep;

pub use ledger::{Charge, ChargeOutcome};

use crate::config::Config;
use crate::test_cards;
use ledger::{Ledger, operation_of};

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
        let behaviour = match request.card {
            CardSource::Card { number, .. } => Some(Behaviour::of(number.expose())),
            CardSource::Kept(token) => self.ledger().kept(token).map(|card| Behaviour::of(card.expose())),
        };
        let behaviour = behaviour.unwrap_or(Behaviour::Answer(ChargeOutcome::Declined(
            DeclineCode::NotPermitted,
        )));
        let charge = |outcome| Charge {
            kind: OperationKind::Authorize,
            merchant_id: request.merchant_id.clone(),
            amount: request.amount,
            authorization: None,
            outcome,
        };
        self.act(request.operation_id, behaviour, charge).await
    }

    async fn follow_up(&self, request: FollowUpRequest<'_>) -> Result<AcquirerAnswer, AcquirerError> {
        let authorization = operation_of(request.authorization);
        let outcome = match authorization {
            Some(_) => ChargeOutcome::Approved,
            None => ChargeOutcome::Declined(DeclineCode::NotPermitted),
        };
        let charge = |outcome| Charge {
            kind: request.kind,
            merchant_id: request.merchant_id.clone(),
            amount: request.amount,
            authorization: authorization.clone(),
            outcome,
        };
        let behaviour = Behaviour::Answer(outcome);
        self.act(request.operation_id, behaviour, charge).await
    }

    async fn keep_card(&self, request: KeepCardRequest<'_>) -> Result<CardKept, AcquirerError> {
        let unknown = |reason: String| AcquirerError::OutcomeUnknown { reason };
        let token = CardToken::parse(&format!("simtok_{}", request.payment_id));
        let token = token.map_err(|error| unknown(format!("the token {error}")))?;
        let card = CardNumber::parse(request.number.expose());
        let card = card.map_err(|error| unknown(format!("the card number {error}")))?;
        if matches!(Behaviour::of(card.expose()), Behaviour::StayAway) {
            return Err(not_reached());
        }
        self.ledger().keep(token.clone(), card);
        Ok(CardKept::As(token))
    }

    async fn inquire(
        &self,
        operation_id: &OperationId,
        _merchant_id: &MerchantId,
    ) -> Result<InquiryAnswer, AcquirerError> {
        let outcome = self.ledger().inquire(operation_id);
        Ok(match outcome {
            ChargeOutcome::Closed => InquiryAnswer::NeverReceived,
            outcome => InquiryAnswer::Answered(answer(operation_id, outcome)?),
        })
    }
}

impl SimulatedAcquirer {
    async fn act(
        &self,
        id: &OperationId,
        behaviour: Behaviour,
        charge: impl Fn(ChargeOutcome) -> Charge + Send,
    ) -> Result<AcquirerAnswer, AcquirerError> {
        let (outcome, delay) = match behaviour {
            Behaviour::Answer(outcome) => (outcome, self.answer_after),
            Behaviour::AnswerSlowly => (ChargeOutcome::Approved, self.slow_after),
            Behaviour::LoseAnswer => (ChargeOutcome::Approved, Duration::MAX),
            Behaviour::StayAway => return Err(not_reached()),
        };
        // Charged before the answer is on its way: whoever stops listening has been charged all the same.
        let outcome = self.ledger().charge(id, charge(outcome));
        if delay > self.timeout {
            sleep(self.timeout).await;
            return Err(AcquirerError::OutcomeUnknown {
                reason: format!("no answer within {} ms", self.timeout.as_millis()),
            });
        }
        if !delay.is_zero() {
            sleep(delay).await;
        }
        answer(id, outcome)
    }
}

fn not_reached() -> AcquirerError {
    AcquirerError::NotSent {
        reason: "the simulator was told not to be reached".to_owned(),
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
        ChargeOutcome::Closed => Ok(AcquirerAnswer::Declined {
            code: DeclineCode::NotPermitted,
        }),
    }
}
