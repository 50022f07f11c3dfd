//! The document that a payment is stored as: JSON with a format number, and conversions both ways.
//!
//! The conversions take every struct of the domain apart by name, so that a field that is added there does not compile
//! here until it is stored. A document of another format, or with a field that this one does not have, is refused rather
//! than read in part.

mod api_key;
mod columns;
mod decision;
mod details;
mod event;
pub(crate) mod event_filter;
mod key;
mod list_item;
mod recorded_decision;
mod review;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt::Display;

use domain::payment::{CardToken, DeclineCode, Operation, PaymentRecord, PaymentStatus};
use domain::{PaymentId, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use decision::DecisionDocument;
use details::DetailsDocument;

pub(crate) use api_key::ApiKeyColumns;
pub(crate) use columns::{OperationColumns, PaymentColumns};
pub(crate) use details::money;
pub(crate) use event::EventColumns;
pub(crate) use key::KeyColumns;
pub(crate) use list_item::ListItemColumns;
pub(crate) use recorded_decision::DecisionColumns;
use review::ReviewDocument;

/// The only format so far. Fields that may be missing are added to it; where a field means something else, or goes, the format
/// gets a new number and structs of its own, and this one stays readable.
const FORMAT: u32 = 1;

/// Why a document is no payment.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub(crate) struct Damage(String);

impl Damage {
    pub(crate) fn of(field: &str, problem: impl Display) -> Self {
        Self(format!("{field}: {problem}"))
    }

    /// Of all of it, and no field alone.
    pub(crate) fn whole(problem: impl Display) -> Self {
        Self(problem.to_string())
    }
}

/// Read before the rest, whose fields depend on it.
#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PaymentDocument<'a> {
    format: u32,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    details: DetailsDocument<'a>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decline_code: Option<Cow<'a, str>>,
    #[serde(borrow)]
    decision: DecisionDocument<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    card_token: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    review: Option<ReviewDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at_ms: Option<u64>,
    created_at_ms: u64,
    updated_at_ms: u64,
}

/// Bytes that a document has room for at first: more than most of them have.
const USUAL_BYTES: usize = 3_072;

/// A document as text.
fn text_of(document: &impl Serialize) -> Result<String, Damage> {
    let damaged = |error: &dyn Display| Damage::of("record", error);
    let mut text = Vec::with_capacity(USUAL_BYTES);
    serde_json::to_writer(&mut text, document).map_err(|error| damaged(&error))?;
    String::from_utf8(text).map_err(|error| damaged(&error))
}

/// The document of a payment. Its operations and its version are kept beside it; its name is kept in both places, so that
/// a document that has come under another payment's name is told.
pub(crate) fn encode(record: &PaymentRecord) -> Result<String, Damage> {
    let PaymentRecord {
        id,
        details,
        status,
        decline_code,
        decision,
        card_token,
        review,
        expires_at,
        operations: _,
        created_at,
        updated_at,
        version: _,
    } = record;
    let document = PaymentDocument {
        format: FORMAT,
        id: id.as_str().into(),
        details: DetailsDocument::of(details),
        status: status.as_str().into(),
        decline_code: decline_code.map(|code| code.as_str().into()),
        decision: DecisionDocument::of(decision),
        card_token: card_token.as_ref().map(|token| token.as_str().into()),
        review: review.as_ref().map(ReviewDocument::of),
        expires_at_ms: expires_at.map(Timestamp::unix_millis),
        created_at_ms: created_at.unix_millis(),
        updated_at_ms: updated_at.unix_millis(),
    };
    text_of(&document)
}

/// The payment of a document, and what is kept beside it.
pub(crate) fn decode(
    document: &str,
    id: &PaymentId,
    operations: Vec<Operation>,
    version: u64,
) -> Result<PaymentRecord, Damage> {
    let unreadable = |error| Damage::of("record", error);
    let FormatOnly { format } = serde_json::from_str(document).map_err(unreadable)?;
    if format != FORMAT {
        return Err(Damage::of(
            "record.format",
            format_args!("is {format}, and this gateway reads {FORMAT}"),
        ));
    }
    let document: PaymentDocument<'_> = serde_json::from_str(document).map_err(unreadable)?;
    let PaymentDocument {
        format: _,
        id: document_id,
        details,
        status,
        decline_code,
        decision,
        card_token,
        review,
        expires_at_ms,
        created_at_ms,
        updated_at_ms,
    } = document;
    if document_id != id.as_str() {
        return Err(Damage::of("id", "is not the one that it is stored under"));
    }
    Ok(PaymentRecord {
        id: id.clone(),
        details: details.restore()?,
        status: known("status", &status, PaymentStatus::parse)?,
        decline_code: decline_code
            .map(|code| known("decline_code", &code, DeclineCode::parse))
            .transpose()?,
        decision: decision.restore()?,
        card_token: card_token
            .map(|token| parsed("card_token", &token, CardToken::parse))
            .transpose()?,
        review: review.map(ReviewDocument::restore).transpose()?,
        expires_at: expires_at_ms
            .map(|millis| moment("expires_at_ms", millis))
            .transpose()?,
        operations,
        created_at: moment("created_at_ms", created_at_ms)?,
        updated_at: moment("updated_at_ms", updated_at_ms)?,
        version,
    })
}

/// The value of a stable name.
pub(crate) fn known<T>(
    field: &'static str,
    name: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, Damage> {
    parse(name).ok_or_else(|| Damage::of(field, format_args!("`{name}` is unknown")))
}

/// The value of a text that a constructor of the domain checks.
pub(crate) fn parsed<T, E: Display>(
    field: &'static str,
    text: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<T, Damage> {
    parse(text).map_err(|error| Damage::of(field, error))
}

/// A moment as it was written; one that had to be cut was not written by a gateway.
pub(crate) fn moment(field: &'static str, millis: u64) -> Result<Timestamp, Damage> {
    let moment = Timestamp::from_unix_millis(millis);
    if moment.unix_millis() == millis {
        Ok(moment)
    } else {
        Err(Damage::of(field, "is after the year 9999"))
    }
}
