//! `card`. No message shows anything of what was sent here.

use application::use_cases::{DecidedCard, PaymentCard};
use domain::{CardExpiry, CardNumber, CountryCode};

use super::field_errors::FieldErrors;
use super::scope::{Field, Scope, country, object, text, whole};
use crate::problem::ProblemCode;

const PAYING_FIELDS: &[&str] = &["number", "expiry_month", "expiry_year", "issuer_country"];
const DECIDED_FIELDS: &[&str] = &["number", "issuer_country"];

/// The card of a payment.
pub(super) fn read_paying(field: &Field<'_>, errors: &mut FieldErrors) -> Option<PaymentCard> {
    let scope = Scope::open(object(field, errors)?, &field.path, PAYING_FIELDS, errors);
    let number = scope.required("number", "a string of digits", errors, number);
    let expiry = expiry(&scope, errors);
    let issuer_country = issuer_country(&scope, errors);
    Some(PaymentCard {
        number: number?,
        expiry: expiry?,
        issuer_country,
    })
}

/// The card of a bare decision, which nothing is charged to.
pub(super) fn read_decided(field: &Field<'_>, errors: &mut FieldErrors) -> Option<DecidedCard> {
    let scope = Scope::open(object(field, errors)?, &field.path, DECIDED_FIELDS, errors);
    let number = scope.required("number", "a string of digits", errors, number);
    let issuer_country = issuer_country(&scope, errors);
    Some(DecidedCard {
        number: number?,
        issuer_country,
    })
}

fn number(field: &Field<'_>, errors: &mut FieldErrors) -> Option<CardNumber> {
    CardNumber::parse(text(field, errors)?)
        .map_err(|error| errors.add(ProblemCode::InvalidCardNumber, &field.path, error))
        .ok()
}

fn issuer_country(scope: &Scope<'_>, errors: &mut FieldErrors) -> Option<CountryCode> {
    scope.optional("issuer_country", errors, country)
}

fn expiry(scope: &Scope<'_>, errors: &mut FieldErrors) -> Option<CardExpiry> {
    // Each part is judged with a partner that is right, so that each error has its own path.
    let month = scope.required("expiry_month", "a month of 1 to 12", errors, |field, errors| {
        part(field, errors, "a month of 1 to 12", |month: u8| {
            CardExpiry::new(month, 2_000).is_some()
        })
    });
    let year = scope.required(
        "expiry_year",
        "a year of 2000 to 2099",
        errors,
        |field, errors| {
            part(field, errors, "a year of 2000 to 2099", |year: u16| {
                CardExpiry::new(1, year).is_some()
            })
        },
    );
    CardExpiry::new(month?, year?)
}

fn part<T: TryFrom<i64> + Copy>(
    field: &Field<'_>,
    errors: &mut FieldErrors,
    expected: &str,
    can_be: impl FnOnce(T) -> bool,
) -> Option<T> {
    let value = whole(field, errors, expected, ProblemCode::InvalidCardExpiry)?;
    let part = T::try_from(value).ok().filter(|part| can_be(*part));
    if part.is_none() {
        errors.add(
            ProblemCode::InvalidCardExpiry,
            &field.path,
            format_args!("expected {expected}, found another number"),
        );
    }
    part
}
