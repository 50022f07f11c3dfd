//! One line of the journal.

use domain::payment::{CardToken, DeclineCode, OperationKind};
use domain::{Currency, MerchantId, Money, OperationId};
use serde::{Deserialize, Serialize};

use super::super::{Charge, ChargeOutcome, KeptCard, Ledger};
use crate::behaviour::Behaviour;

/// Something that happened. Of a card there are its last digits.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Event {
    /// An operation came for the first time.
    Operation {
        operation_id: String,
        kind: String,
        merchant_id: String,
        minor_units: i64,
        currency: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        authorization: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        card_last4: Option<String>,
        /// `approved`, or the code of the decline.
        outcome: String,
    },
    /// It came again, or to a name that was closed.
    Asked { operation_id: String },
    /// A name was inquired about; where nothing had come under it, that closed it.
    Inquired {
        operation_id: String,
        merchant_id: String,
    },
    /// A card was kept.
    Kept {
        token: String,
        behaviour: String,
        card_last4: String,
    },
    /// Something was refused, and changed nothing.
    Refused { id: String },
}

impl Event {
    /// Of a charge that is new.
    pub(crate) fn operation(id: &OperationId, charge: &Charge) -> Self {
        Self::Operation {
            operation_id: id.to_string(),
            kind: charge.kind.as_str().to_owned(),
            merchant_id: charge.merchant_id.to_string(),
            minor_units: charge.amount.minor_units(),
            currency: charge.amount.currency().code().to_owned(),
            authorization: charge.authorization.as_ref().map(ToString::to_string),
            card_last4: charge.card_last4.clone(),
            outcome: match charge.outcome {
                ChargeOutcome::Approved => "approved".to_owned(),
                ChargeOutcome::Declined(code) => code.as_str().to_owned(),
                ChargeOutcome::Closed => "closed".to_owned(),
            },
        }
    }

    /// Of a card that is kept.
    pub(crate) fn kept(token: &CardToken, card: &KeptCard) -> Self {
        Self::Kept {
            token: token.as_str().to_owned(),
            behaviour: card.behaviour.name().to_owned(),
            card_last4: card.last4.clone(),
        }
    }

    /// Its line.
    pub(crate) fn line(&self) -> Vec<u8> {
        // Strings and numbers alone: there is nothing in it that JSON has no form for.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }

    /// Lets it happen again.
    ///
    /// # Errors
    /// Says what of it cannot be, or contradicts what was before.
    pub(crate) fn apply(self, ledger: &mut Ledger) -> Result<(), String> {
        match self {
            Self::Operation {
                operation_id,
                kind,
                merchant_id,
                minor_units,
                currency,
                authorization,
                card_last4,
                outcome,
            } => {
                let id = parsed("operation_id", OperationId::parse(&operation_id))?;
                let expected = outcome_of(&outcome)?;
                let currency = parsed("currency", Currency::parse(&currency))?;
                let authorization = authorization.map(|of| OperationId::parse(&of)).transpose();
                let charge = Charge {
                    kind: OperationKind::parse(&kind).ok_or_else(|| format!("`{kind}` is no kind"))?,
                    merchant_id: parsed("merchant_id", MerchantId::parse(&merchant_id))?,
                    amount: parsed("minor_units", Money::new(minor_units, currency))?,
                    authorization: parsed("authorization", authorization)?,
                    card_last4,
                    outcome: expected,
                };
                if ledger.find(&id).is_some() {
                    return Err(format!("the operation `{id}` is there already"));
                }
                match ledger.charge(&id, charge) {
                    Ok(outcome) if outcome == expected => Ok(()),
                    found => Err(format!(
                        "outcome `{outcome}`, but what was before leads to {found:?}"
                    )),
                }
            }
            Self::Asked { operation_id } => {
                let id = parsed("operation_id", OperationId::parse(&operation_id))?;
                let known = ledger.entries.get_mut(&id);
                known
                    .ok_or_else(|| format!("there is no operation `{id}`"))?
                    .asked += 1;
                Ok(())
            }
            Self::Inquired {
                operation_id,
                merchant_id,
            } => {
                let id = parsed("operation_id", OperationId::parse(&operation_id))?;
                let merchant = parsed("merchant_id", MerchantId::parse(&merchant_id))?;
                let inquired = ledger.inquire(&id, &merchant);
                inquired
                    .map(drop)
                    .map_err(|refusal| format!("inquired, but {refusal:?}"))
            }
            Self::Kept {
                token,
                behaviour,
                card_last4,
            } => {
                let token = parsed("token", CardToken::parse(&token))?;
                let behaviour =
                    Behaviour::named(&behaviour).ok_or_else(|| format!("`{behaviour}` is no behaviour"))?;
                let card = KeptCard {
                    behaviour,
                    last4: card_last4,
                };
                ledger
                    .keep(&token, card)
                    .map_err(|refusal| format!("kept, but {refusal:?}"))
            }
            Self::Refused { .. } => Ok(()),
        }
    }
}

fn outcome_of(name: &str) -> Result<ChargeOutcome, String> {
    if name == "approved" {
        return Ok(ChargeOutcome::Approved);
    }
    DeclineCode::parse(name)
        .map(ChargeOutcome::Declined)
        .ok_or_else(|| format!("`{name}` is no outcome"))
}

fn parsed<T, E: std::fmt::Display>(field: &str, value: Result<T, E>) -> Result<T, String> {
    value.map_err(|error| format!("{field} {error}"))
}
