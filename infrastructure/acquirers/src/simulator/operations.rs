//! What is asked of the simulator: read, charged, and on the disk before there is an answer.

use domain::payment::{AcquirerReference, CardToken, DeclineCode, OperationKind};
use domain::{CardExpiry, CardNumber, Currency, MerchantId, Money, OperationId, PaymentId};

use super::Simulator;
use crate::behaviour::{Behaviour, Fault};
use crate::ledger::journal::{Event, JournalLost};
use crate::ledger::{self, Charge, ChargeOutcome, KeptCard, Ledger, Refusal};
use crate::protocol::{AmountBody, AnswerBody, CardBody, InquiryBody, KeepCardBody, OperationBody, status};

/// A request that was understood.
pub(super) struct Asked {
    /// The operation or payment that it is about.
    pub(super) name: String,
    /// What goes wrong with its answer.
    pub(super) fault: Option<Fault>,
    /// Its answer; nothing where the fault came before.
    pub(super) answer: AnswerBody<'static>,
}

/// A request that nothing was done with.
pub(super) enum Refused {
    Malformed { name: String, problem: String },
    AnotherRequest { name: String },
    Full { name: String },
    Lost { name: String },
}

impl Refused {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Malformed { name, .. }
            | Self::AnotherRequest { name }
            | Self::Full { name }
            | Self::Lost { name } => name,
        }
    }

    fn of(name: &str) -> impl Fn(Refusal) -> Self {
        move |refusal| match refusal {
            Refusal::AnotherRequest => Self::AnotherRequest {
                name: name.to_owned(),
            },
            Refusal::Full => Self::Full {
                name: name.to_owned(),
            },
        }
    }

    fn lost(name: &str) -> impl Fn(JournalLost) -> Self {
        move |JournalLost| Self::Lost {
            name: name.to_owned(),
        }
    }

    fn malformed(name: &str) -> impl Fn(String) -> Self {
        move |problem| Self::Malformed {
            name: name.to_owned(),
            problem,
        }
    }
}

impl Simulator {
    /// Does an operation, or does nothing where that is its fate.
    pub(super) async fn operation(
        &self,
        key: &str,
        body: &[u8],
        chance: Option<Fault>,
    ) -> Result<Asked, Refused> {
        let id = parsed("Idempotency-Key", OperationId::parse(key)).map_err(Refused::malformed(key))?;
        let (charge, behaviour) = self.charge_of(body).map_err(|problem| {
            // What a name stands for comes before how a request looks: the operation of the name may have been done.
            let is_known = self.ledger.read().find(&id).is_some();
            if is_known {
                Refused::of(key)(Refusal::AnotherRequest)
            } else {
                Refused::malformed(key)(problem)
            }
        })?;
        let fault = chance.or(behaviour.fault);
        if let Some(fault) = fault.filter(|fault| fault.is_before()) {
            return Ok(unanswered(key, fault));
        }
        let charged = self
            .ledger
            .commit(|ledger| charge_and_tell(ledger, &id, charge))
            .await;
        let outcome = charged.map_err(Refused::lost(key))?.map_err(Refused::of(key))?;
        Ok(Asked {
            name: key.to_owned(),
            fault,
            answer: outcome_body(&id, outcome),
        })
    }

    /// Tells what became of an operation, and closes a name that nothing came under.
    pub(super) async fn inquiry(&self, body: &[u8], chance: Option<Fault>) -> Result<Asked, Refused> {
        let inquiry: InquiryBody<'_> =
            serde_json::from_slice(body).map_err(|error| Refused::malformed("")(error.to_string()))?;
        let name = &*inquiry.operation_id;
        let malformed = Refused::malformed(name);
        let id = parsed("operation_id", OperationId::parse(name)).map_err(&malformed)?;
        let merchant = parsed("merchant_id", MerchantId::parse(&inquiry.merchant_id)).map_err(&malformed)?;
        if let Some(fault) = chance.filter(|fault| fault.is_before()) {
            return Ok(unanswered(name, fault));
        }
        let inquired = self.ledger.commit(|ledger| {
            let inquired = ledger.inquire(&id, &merchant);
            let event = match inquired {
                Ok(_) => Event::Inquired {
                    operation_id: id.to_string(),
                    merchant_id: merchant.to_string(),
                },
                Err(_) => Event::Refused { id: id.to_string() },
            };
            (inquired, event)
        });
        let outcome = inquired.await.map_err(Refused::lost(name))?;
        let answer = match outcome.map_err(Refused::of(name))? {
            ChargeOutcome::Closed => AnswerBody {
                id: id.to_string().into(),
                status: status::NEVER_RECEIVED.into(),
                ..AnswerBody::default()
            },
            outcome => outcome_body(&id, outcome),
        };
        Ok(Asked {
            name: name.to_owned(),
            fault: chance,
            answer,
        })
    }

    /// Keeps a card.
    pub(super) async fn card(&self, key: &str, body: &[u8], chance: Option<Fault>) -> Result<Asked, Refused> {
        let malformed = Refused::malformed(key);
        let asked: KeepCardBody<'_> =
            serde_json::from_slice(body).map_err(|error| malformed(error.to_string()))?;
        let payment = parsed("payment_id", PaymentId::parse(&asked.payment_id)).map_err(&malformed)?;
        if payment.as_str() != key {
            return Err(malformed("the Idempotency-Key is not the payment_id".to_owned()));
        }
        parsed("merchant_id", MerchantId::parse(&asked.merchant_id)).map_err(&malformed)?;
        let card = card_of(&asked.card).map_err(&malformed)?;
        let token = parsed("token", CardToken::parse(&ledger::token_of(&payment))).map_err(&malformed)?;
        // A card that is kept answers in its own way when it is charged; to keep it fails only where it is not reached.
        let not_reached = card.behaviour.fault.filter(|fault| *fault == Fault::NotReached);
        let fault = chance.or(not_reached);
        if let Some(fault) = fault.filter(|fault| fault.is_before()) {
            return Ok(unanswered(key, fault));
        }
        let kept = self.ledger.commit(|ledger| {
            let kept = ledger.keep(&token, card.clone());
            let event = match kept {
                Ok(()) => Event::kept(&token, &card),
                Err(_) => Event::Refused {
                    id: payment.to_string(),
                },
            };
            (kept, event)
        });
        let kept = kept.await.map_err(Refused::lost(key))?;
        kept.map_err(Refused::of(key))?;
        Ok(Asked {
            name: key.to_owned(),
            fault,
            answer: AnswerBody {
                id: key.to_owned().into(),
                status: status::KEPT.into(),
                token: Some(token.as_str().to_owned().into()),
                ..AnswerBody::default()
            },
        })
    }

    /// The charge that a body asks for, and how the simulator meets its card.
    fn charge_of(&self, body: &[u8]) -> Result<(Charge, Behaviour), String> {
        let asked: OperationBody<'_> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let kind = OperationKind::parse(&asked.kind)
            .ok_or("kind: expected `authorize`, `capture`, `void` or `refund`")?;
        let merchant_id = parsed("merchant_id", MerchantId::parse(&asked.merchant_id))?;
        let amount = amount_of(&asked.amount)?;
        let (card, authorization) = match (kind, &asked.card, &asked.card_token, &asked.authorization) {
            (OperationKind::Authorize, Some(card), None, None) => (Some(card_of(card)?), None),
            (OperationKind::Authorize, None, Some(token), None) => {
                let token = parsed("card_token", CardToken::parse(token))?;
                (self.ledger.read().kept(&token).cloned(), None)
            }
            (OperationKind::Authorize, ..) => {
                return Err(
                    "an authorization has either a card or a card_token, and nothing to follow".to_owned(),
                );
            }
            (_, None, None, Some(reference)) => {
                let reference = parsed("authorization", AcquirerReference::parse(reference))?;
                (None, ledger::operation_of(&reference))
            }
            _ => return Err("what follows an authorization has its reference and no card".to_owned()),
        };
        let behaviour = match (kind, &card, &authorization) {
            (OperationKind::Authorize, Some(card), _) => card.behaviour,
            (OperationKind::Authorize, None, _) | (_, _, None) => Behaviour::REFUSE,
            _ => Behaviour::APPROVE,
        };
        let charge = Charge {
            kind,
            merchant_id,
            amount,
            authorization,
            card_last4: card.map(|card| card.last4),
            outcome: behaviour.outcome,
        };
        Ok((charge, behaviour))
    }
}

/// Charges, and tells the journal: what is new, what came again, or that nothing changed.
fn charge_and_tell(
    ledger: &mut Ledger,
    id: &OperationId,
    charge: Charge,
) -> (Result<ChargeOutcome, Refusal>, Event) {
    let is_new = ledger.find(id).is_none();
    let charged = ledger.charge(id, charge);
    let first = ledger.find(id).and_then(|entry| entry.charge.as_ref());
    let event = match (&charged, first) {
        (Ok(_), Some(charge)) if is_new => Event::operation(id, charge),
        (Ok(_), _) => Event::Asked {
            operation_id: id.to_string(),
        },
        (Err(_), _) => Event::Refused { id: id.to_string() },
    };
    (charged, event)
}

fn unanswered(name: &str, fault: Fault) -> Asked {
    Asked {
        name: name.to_owned(),
        fault: Some(fault),
        answer: AnswerBody::default(),
    }
}

fn outcome_body(id: &OperationId, outcome: ChargeOutcome) -> AnswerBody<'static> {
    let declined = |code: DeclineCode| AnswerBody {
        id: id.to_string().into(),
        status: status::DECLINED.into(),
        code: Some(code.as_str().into()),
        ..AnswerBody::default()
    };
    match outcome {
        ChargeOutcome::Approved => AnswerBody {
            id: id.to_string().into(),
            status: status::APPROVED.into(),
            reference: Some(ledger::reference_of(id).into()),
            ..AnswerBody::default()
        },
        ChargeOutcome::Declined(code) => declined(code),
        ChargeOutcome::Closed => declined(DeclineCode::NotPermitted),
    }
}

fn amount_of(amount: &AmountBody<'_>) -> Result<Money, String> {
    let currency = parsed("amount.currency", Currency::parse(&amount.currency))?;
    parsed("amount.minor_units", Money::new(amount.minor_units, currency))
}

fn card_of(card: &CardBody<'_>) -> Result<KeptCard, String> {
    let number = parsed("card.number", CardNumber::parse(card.number))?;
    if CardExpiry::new(card.expiry_month, card.expiry_year).is_none() {
        return Err("card.expiry_month and card.expiry_year are no month".to_owned());
    }
    Ok(KeptCard {
        behaviour: Behaviour::of(number.expose()),
        last4: number.last4().to_owned(),
    })
}

fn parsed<T, E: std::fmt::Display>(field: &str, value: Result<T, E>) -> Result<T, String> {
    value.map_err(|error| format!("{field} {error}"))
}
