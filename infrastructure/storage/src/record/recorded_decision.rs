//! Bare decisions, as rows: a document, and beside it what is searched by.

use std::borrow::Cow;

use application::ports::RecordedDecision;
use domain::{DecisionId, MerchantId, PaymentId};
use serde::{Deserialize, Serialize};

use super::decision::DecisionDocument;
use super::details::{AmountDocument, CardDocument};
use super::{Damage, FORMAT, FormatOnly, moment, parsed};

/// The row of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DecisionColumns {
    pub(crate) id: String,
    pub(crate) merchant_id: String,
    pub(crate) payment_id: String,
    pub(crate) outcome: String,
    pub(crate) created_at_ms: u64,
    pub(crate) record: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    format: u32,
    #[serde(borrow)]
    payment_id: Cow<'a, str>,
    #[serde(borrow)]
    merchant_id: Cow<'a, str>,
    #[serde(borrow)]
    amount: AmountDocument<'a>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    card: Option<CardDocument<'a>>,
    #[serde(borrow)]
    decision: DecisionDocument<'a>,
    created_at_ms: u64,
}

impl DecisionColumns {
    pub(crate) fn of(recorded: &RecordedDecision) -> Result<Self, Damage> {
        let RecordedDecision {
            payment_id,
            merchant_id,
            amount,
            card,
            decision,
            created_at,
        } = recorded;
        let document = Document {
            format: FORMAT,
            payment_id: payment_id.as_str().into(),
            merchant_id: merchant_id.as_str().into(),
            amount: AmountDocument::of(*amount),
            card: card.as_ref().map(CardDocument::of),
            decision: DecisionDocument::of(decision),
            created_at_ms: created_at.unix_millis(),
        };
        Ok(Self {
            id: decision.id.as_str().to_owned(),
            merchant_id: merchant_id.as_str().to_owned(),
            payment_id: payment_id.as_str().to_owned(),
            outcome: decision.outcome.as_str().to_owned(),
            created_at_ms: created_at.unix_millis(),
            record: serde_json::to_string(&document).map_err(|error| Damage::of("record", error))?,
        })
    }

    /// The decision, where all columns say what its document does.
    pub(crate) fn restore(&self) -> Result<RecordedDecision, Damage> {
        let unreadable = |error| Damage::of("record", error);
        let FormatOnly { format } = serde_json::from_str(&self.record).map_err(unreadable)?;
        if format != FORMAT {
            return Err(Damage::of(
                "record.format",
                format_args!("is {format}, and this gateway reads {FORMAT}"),
            ));
        }
        let Document {
            format: _,
            payment_id,
            merchant_id,
            amount,
            card,
            decision,
            created_at_ms,
        } = serde_json::from_str(&self.record).map_err(unreadable)?;
        let recorded = RecordedDecision {
            payment_id: parsed("payment_id", &payment_id, PaymentId::parse)?,
            merchant_id: parsed("merchant_id", &merchant_id, MerchantId::parse)?,
            amount: amount.restore("amount")?,
            card: card.map(CardDocument::restore).transpose()?,
            decision: decision.restore()?,
            created_at: moment("created_at_ms", created_at_ms)?,
        };
        self.agree_with(&recorded)?;
        Ok(recorded)
    }

    fn agree_with(&self, recorded: &RecordedDecision) -> Result<(), Damage> {
        let decision = &recorded.decision;
        let agreements = [
            ("id", DecisionId::as_str(&decision.id) == self.id),
            ("merchant_id", recorded.merchant_id.as_str() == self.merchant_id),
            ("payment_id", recorded.payment_id.as_str() == self.payment_id),
            ("outcome", decision.outcome.as_str() == self.outcome),
            (
                "created_at_ms",
                recorded.created_at.unix_millis() == self.created_at_ms,
            ),
        ];
        match agreements.iter().find(|(_, agrees)| !agrees) {
            Some((column, _)) => Err(Damage::of(column, "is not what the record says")),
            None => Ok(()),
        }
    }
}
