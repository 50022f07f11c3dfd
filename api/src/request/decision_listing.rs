//! Which decisions are asked for: the query of the URL.

use application::ports::{DecisionCursor, DecisionQuery, RecordedDecision};
use axum::http::Uri;
use domain::risk::Outcome;
use domain::{DecisionId, PaymentId};

use super::listing::{CURSOR, Parameters, TIME, limit, merchant, time};
use crate::problem::Problem;

/// Which decisions, from where on, and how many.
pub(crate) struct DecisionListing {
    pub(crate) query: DecisionQuery,
    pub(crate) after: Option<DecisionCursor>,
    pub(crate) limit: usize,
}

impl DecisionListing {
    /// Of a query with `merchant_id`, `payment_id`, `outcome`, `created_from`, `created_before`, `cursor` and `limit`.
    pub(crate) fn of(uri: &Uri) -> Result<Self, Problem> {
        let known = [
            "merchant_id",
            "payment_id",
            "outcome",
            "created_from",
            "created_before",
            "cursor",
            "limit",
        ];
        let parameters = Parameters::of(uri, &known)?;
        let payment = |text: &str| PaymentId::parse(text).ok();
        Ok(Self {
            query: DecisionQuery {
                merchant: merchant(&parameters)?,
                payment: parameters.read("payment_id", "1 to 64 of `A-Z a-z 0-9 _ - .`", payment)?,
                outcome: parameters.read("outcome", "an outcome, such as `decline`", Outcome::parse)?,
                created_from: parameters.read("created_from", TIME, time)?,
                created_before: parameters.read("created_before", TIME, time)?,
            },
            after: parameters.read("cursor", CURSOR, cursor)?,
            limit: limit(&parameters)?,
        })
    }
}

/// Behind this decision.
pub(crate) fn decision_cursor(last: &RecordedDecision) -> String {
    format!("{}.{}", last.created_at.unix_millis(), last.decision.id)
}

fn cursor(text: &str) -> Option<DecisionCursor> {
    let (created_at, id) = text.split_once('.')?;
    Some(DecisionCursor {
        created_at: time(created_at)?,
        id: DecisionId::parse(id).ok()?,
    })
}
