//! An acquirer that moves no money.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use application::ports::{
    Acquirer, AcquirerAnswer, AcquirerError, AuthorizationRequest, CardKept, CardSource, FollowUpRequest,
    InquiryAnswer, KeepCardRequest,
};
use async_trait::async_trait;
use domain::payment::{AcquirerReference, CardToken, DeclineCode, OperationKind};
use domain::{MerchantId, OperationId};
use tokio::time::sleep;

use crate::behaviour::{Behaviour, Fault};
use crate::config::SimulatedConfig;
use crate::ledger::{self, Charge, ChargeOutcome, KeptCard, Ledger, Refusal, WhenFull};

/// Answers by the card number; see [`crate::test_cards`]. Each operation is charged once, however often it is asked for,
/// and always gets the answer that it got at first.
#[derive(Debug)]
pub struct SimulatedAcquirer {
    answer_after: Duration,
    slow_after: Duration,
    timeout: Duration,
    ledger: Mutex<Ledger>,
}

impl SimulatedAcquirer {
    /// A simulator that was asked nothing yet.
    #[must_use]
    pub fn new(config: &SimulatedConfig) -> Self {
        Self {
            answer_after: Duration::from_millis(config.answer_ms),
            slow_after: Duration::from_millis(config.slow_ms),
            timeout: Duration::from_millis(config.timeout_ms),
            ledger: Mutex::new(Ledger::new(config.ledger_operations, WhenFull::Forget)),
        }
    }

    /// What became of an operation; none where it never arrived or is forgotten.
    #[must_use]
    pub fn charge(&self, operation: &OperationId) -> Option<Charge> {
        self.ledger()
            .find(operation)
            .and_then(|entry| entry.charge.clone())
    }

    /// How many operations arrived and are remembered.
    #[must_use]
    pub fn charge_count(&self) -> usize {
        self.ledger().charge_count()
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Acquirer for SimulatedAcquirer {
    async fn authorize(&self, request: AuthorizationRequest<'_>) -> Result<AcquirerAnswer, AcquirerError> {
        let card = match request.card {
            CardSource::Card { number, .. } => Some(KeptCard {
                behaviour: Behaviour::of(number.expose()),
                last4: number.last4().to_owned(),
            }),
            CardSource::Kept(token) => self.ledger().kept(token).cloned(),
        };
        let behaviour = card.as_ref().map_or(Behaviour::REFUSE, |card| card.behaviour);
        let charge = Charge {
            kind: OperationKind::Authorize,
            merchant_id: request.merchant_id.clone(),
            amount: request.amount,
            authorization: None,
            card_last4: card.map(|card| card.last4),
            outcome: behaviour.outcome,
        };
        self.act(request.operation_id, behaviour.fault, charge).await
    }

    async fn follow_up(&self, request: FollowUpRequest<'_>) -> Result<AcquirerAnswer, AcquirerError> {
        let authorization = ledger::operation_of(request.authorization);
        let outcome = match authorization {
            Some(_) => ChargeOutcome::Approved,
            None => ChargeOutcome::Declined(DeclineCode::NotPermitted),
        };
        let charge = Charge {
            kind: request.kind,
            merchant_id: request.merchant_id.clone(),
            amount: request.amount,
            authorization,
            card_last4: None,
            outcome,
        };
        self.act(request.operation_id, None, charge).await
    }

    async fn keep_card(&self, request: KeepCardRequest<'_>) -> Result<CardKept, AcquirerError> {
        let token = CardToken::parse(&ledger::token_of(request.payment_id));
        let token = token.map_err(|error| unknown(format!("the token {error}")))?;
        let card = KeptCard {
            behaviour: Behaviour::of(request.number.expose()),
            last4: request.number.last4().to_owned(),
        };
        if card.behaviour.fault == Some(Fault::NotReached) {
            return Err(not_reached());
        }
        self.ledger().keep(&token, card).map_err(refused)?;
        Ok(CardKept::As(token))
    }

    async fn inquire(
        &self,
        operation_id: &OperationId,
        merchant_id: &MerchantId,
    ) -> Result<InquiryAnswer, AcquirerError> {
        let outcome = self.ledger().inquire(operation_id, merchant_id);
        Ok(match outcome.map_err(refused)? {
            ChargeOutcome::Closed => InquiryAnswer::NeverReceived,
            outcome => InquiryAnswer::Answered(answer(operation_id, outcome)?),
        })
    }
}

impl SimulatedAcquirer {
    async fn act(
        &self,
        id: &OperationId,
        fault: Option<Fault>,
        charge: Charge,
    ) -> Result<AcquirerAnswer, AcquirerError> {
        match fault {
            Some(Fault::NotReached) => return Err(not_reached()),
            Some(Fault::Busy) => {
                return Err(AcquirerError::NotSent {
                    reason: "the simulator was told to be too busy".to_owned(),
                });
            }
            Some(Fault::ErrorBefore | Fault::Conflict) => {
                return Err(unknown("the simulator was told to fail".to_owned()));
            }
            _ => {}
        }
        // Charged before the answer is on its way: whoever stops listening has been charged all the same.
        let outcome = self.ledger().charge(id, charge).map_err(refused)?;
        let delay = match fault {
            Some(Fault::LoseAnswer) => Duration::MAX,
            Some(Fault::Slow) => self.slow_after,
            Some(Fault::CloseAfter | Fault::ErrorAfter | Fault::UnderWay) => {
                return Err(unknown("the simulator was told to fail afterwards".to_owned()));
            }
            _ => self.answer_after,
        };
        if delay > self.timeout {
            sleep(self.timeout).await;
            return Err(unknown(format!(
                "no answer within {} ms",
                self.timeout.as_millis()
            )));
        }
        if !delay.is_zero() {
            sleep(delay).await;
        }
        answer(id, outcome)
    }
}

fn unknown(reason: String) -> AcquirerError {
    AcquirerError::OutcomeUnknown { reason }
}

fn not_reached() -> AcquirerError {
    AcquirerError::NotSent {
        reason: "the simulator was told not to be reached".to_owned(),
    }
}

fn refused(refusal: Refusal) -> AcquirerError {
    unknown(match refusal {
        Refusal::AnotherRequest => "the name stands for another request".to_owned(),
        Refusal::Full => "the ledger is full".to_owned(),
    })
}

fn answer(operation: &OperationId, outcome: ChargeOutcome) -> Result<AcquirerAnswer, AcquirerError> {
    match outcome {
        ChargeOutcome::Approved => {
            let reference = AcquirerReference::parse(&ledger::reference_of(operation));
            let reference = reference.map_err(|error| unknown(format!("the reference {error}")))?;
            Ok(AcquirerAnswer::Approved { reference })
        }
        ChargeOutcome::Declined(code) => Ok(AcquirerAnswer::Declined { code }),
        ChargeOutcome::Closed => Ok(AcquirerAnswer::Declined {
            code: DeclineCode::NotPermitted,
        }),
    }
}
