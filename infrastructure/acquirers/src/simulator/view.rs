//! `GET /ledger`: what was asked, how often, and what was done.

use bytes::Bytes;
use domain::OperationId;
use http_body_util::Full;
use hyper::{Response, StatusCode};
use serde::Serialize;

use super::Simulator;
use super::routes::json;
use crate::ledger::{ChargeOutcome, Entry};

/// Where it is.
pub(super) const PATH: &str = "/ledger";

/// Entries of a page: some 3 MB at the most.
const MAX_ENTRIES: usize = 10_000;

#[derive(Serialize)]
struct Page<'a> {
    /// Names in the ledger, also beyond this page.
    total: usize,
    /// What `from` is for the next page; none where this is the last.
    next: Option<usize>,
    operations: Vec<Operation<'a>>,
}

#[derive(Serialize)]
struct Operation<'a> {
    operation_id: &'a str,
    merchant_id: &'a str,
    /// None where the name was closed before anything came under it, as with all that follows.
    kind: Option<&'static str>,
    amount: Option<Amount>,
    authorization: Option<&'a str>,
    card_last4: Option<&'a str>,
    /// `approved`, `declined` or `closed`.
    outcome: &'static str,
    code: Option<&'static str>,
    /// How often it was asked for.
    asked: u64,
    /// How often it was inquired about.
    inquired: u64,
}

#[derive(Serialize)]
struct Amount {
    minor_units: i64,
    currency: &'static str,
}

/// A page of the ledger: `?from=N` is where it begins, in the order of arrival.
pub(super) fn answer(simulator: &Simulator, query: Option<&str>) -> Response<Full<Bytes>> {
    let from = match query.unwrap_or_default() {
        "" => Some(0),
        query => query
            .strip_prefix("from=")
            .and_then(|number| number.parse::<usize>().ok()),
    };
    let Some(from) = from else {
        let problem = "found another query, expected `from=` and the number of an entry";
        return json(StatusCode::BAD_REQUEST, &problem);
    };
    let ledger = simulator.ledger.read();
    let total = ledger.len();
    let end = from.saturating_add(MAX_ENTRIES);
    let page = Page {
        total,
        next: (end < total).then_some(end),
        operations: ledger
            .entries_from(from)
            .take(MAX_ENTRIES)
            .map(|(name, entry)| operation(name, entry))
            .collect(),
    };
    json(StatusCode::OK, &page)
}

fn operation<'a>(name: &'a OperationId, entry: &'a Entry) -> Operation<'a> {
    let charge = entry.charge.as_ref();
    let (outcome, code) = match entry.outcome() {
        ChargeOutcome::Approved => ("approved", None),
        ChargeOutcome::Declined(code) => ("declined", Some(code.as_str())),
        ChargeOutcome::Closed => ("closed", None),
    };
    Operation {
        operation_id: name.as_str(),
        merchant_id: entry.merchant_id.as_str(),
        kind: charge.map(|charge| charge.kind.as_str()),
        amount: charge.map(|charge| Amount {
            minor_units: charge.amount.minor_units(),
            currency: charge.amount.currency().code(),
        }),
        authorization: charge.and_then(|charge| charge.authorization.as_ref().map(OperationId::as_str)),
        card_last4: charge.and_then(|charge| charge.card_last4.as_deref()),
        outcome,
        code,
        asked: entry.asked,
        inquired: entry.inquired,
    }
}
