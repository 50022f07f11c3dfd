//! Bodies become commands here. Reading is strict, and goes on after the first error, so that a merchant's developer
//! learns everything that is wrong with a body at once. No message holds a value that was sent.

mod amount;
mod card;
mod details;
mod field_errors;
mod follow_up;
mod json;
mod list_items;
mod listing;
mod misplaced;
mod moment;
mod path;
mod scope;
mod webhooks;

pub(crate) use follow_up::{
    parse_amount, parse_confirmation, parse_nothing, parse_resolution, parse_reviewer,
};
pub(crate) use list_items::{ListItemListing, ListItemRemoval, list_cursor, parse_list_item};
pub(crate) use listing::{DeliveryListing, EndpointListing, EventListing, PaymentListing};
pub(crate) use webhooks::{parse_new_endpoint, parse_rotation, parse_update};

use application::use_cases::{AuthorizePaymentCommand, DecideRiskCommand};
use domain::PaymentId;

use self::field_errors::FieldErrors;
use self::json::Object;
use self::path::Path;
use self::scope::Scope;
use crate::problem::Problem;

const PAYMENT_FIELDS: &[&str] = &[
    "merchant_id",
    "merchant_category",
    "amount",
    "card",
    "customer",
    "device",
    "metadata",
];

const DECISION_FIELDS: &[&str] = &[
    "payment_id",
    "merchant_id",
    "merchant_category",
    "amount",
    "card",
    "customer",
    "device",
    "metadata",
];

/// Reads the body of `POST /v1/payments`.
pub(crate) fn parse_authorize_payment(body: &[u8]) -> Result<AuthorizePaymentCommand, Problem> {
    let root = Object::parse(body)?;
    let mut errors = FieldErrors::default();
    let path = Path::ROOT;
    let scope = Scope::open(&root, &path, PAYMENT_FIELDS, &mut errors);
    let details = details::read(&scope, &mut errors);
    let card = scope.required("card", "an object", &mut errors, card::read_paying);
    misplaced::check(&root, card.as_ref().map(|card| &card.number), &mut errors);
    match (details, card) {
        (Some(details), Some(card)) if errors.is_empty() => Ok(AuthorizePaymentCommand { details, card }),
        _ => Err(errors.into_problem()),
    }
}

/// Reads the body of `POST /v1/risk/decisions`.
pub(crate) fn parse_decide_risk(body: &[u8]) -> Result<DecideRiskCommand, Problem> {
    let root = Object::parse(body)?;
    let mut errors = FieldErrors::default();
    let path = Path::ROOT;
    let scope = Scope::open(&root, &path, DECISION_FIELDS, &mut errors);
    let payment_id = scope.optional("payment_id", &mut errors, |field, errors| {
        scope::identifier(field, errors, PaymentId::parse)
    });
    let details = details::read(&scope, &mut errors);
    let card = scope.optional("card", &mut errors, card::read_decided);
    misplaced::check(&root, card.as_ref().map(|card| &card.number), &mut errors);
    match details {
        Some(details) if errors.is_empty() => Ok(DecideRiskCommand {
            payment_id,
            details,
            card,
        }),
        _ => Err(errors.into_problem()),
    }
}
