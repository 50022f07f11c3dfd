//! `amount`: either whole minor units or a decimal text, and the currency.

use domain::{Currency, CurrencyError, Money, MoneyError};

use super::field_errors::FieldErrors;
use super::json::{Json, Number};
use super::path::Path;
use super::scope::{Field, Scope, object, text};
use crate::problem::ProblemCode;

const FIELDS: &[&str] = &["minor_units", "decimal", "currency"];

pub(super) fn read(field: &Field<'_>, errors: &mut FieldErrors) -> Option<Money> {
    let scope = Scope::open(object(field, errors)?, &field.path, FIELDS, errors);
    let currency = scope.required("currency", "a string", errors, currency);
    if scope.has("minor_units") && scope.has("decimal") {
        errors.add(
            ProblemCode::ConflictingFields,
            &field.path,
            "expected either `minor_units` or `decimal`, found both",
        );
        return None;
    }
    if scope.has("decimal") {
        return scope.optional("decimal", errors, |field, errors| {
            let decimal = decimal(field, errors)?;
            let money = Money::from_decimal(decimal, currency?);
            money
                .map_err(|error| refuse(error, &field.path, scope.path, errors))
                .ok()
        });
    }
    scope.required(
        "minor_units",
        "`minor_units` or `decimal`",
        errors,
        |field, errors| {
            let minor_units = minor_units(field, errors)?;
            let money = Money::new(minor_units, currency?);
            money
                .map_err(|error| refuse(error, &field.path, scope.path, errors))
                .ok()
        },
    )
}

fn currency(field: &Field<'_>, errors: &mut FieldErrors) -> Option<Currency> {
    Currency::parse(text(field, errors)?)
        .map_err(|error| {
            let message = match error {
                CurrencyError::Malformed => "expected three upper-case letters of ISO 4217, such as `CNY`",
                CurrencyError::Unknown => "expected a currency of ISO 4217, found another code",
            };
            errors.add(ProblemCode::UnknownCurrency, &field.path, message);
        })
        .ok()
}

fn decimal<'a>(field: &Field<'a>, errors: &mut FieldErrors) -> Option<&'a str> {
    match field.value {
        Json::Text(text) => Some(text),
        other => {
            // Floating point would round what is meant to be exact.
            errors.wrong_type(&field.path, "a string such as \"129.00\"", other.kind());
            None
        }
    }
}

fn minor_units(field: &Field<'_>, errors: &mut FieldErrors) -> Option<i64> {
    let number = match field.value {
        Json::Number(number) => *number,
        other => {
            errors.wrong_type(&field.path, "a whole number of minor units", other.kind());
            return None;
        }
    };
    let error = match number {
        Number::Whole(value) => return Some(value),
        Number::Huge { negative: true } | Number::Fractional { negative: true } => MoneyError::NotPositive,
        Number::Huge { negative: false } => MoneyError::TooLarge,
        Number::Fractional { negative: false } => {
            errors.add(
                ProblemCode::AmountTooPrecise,
                &field.path,
                "expected a whole number of minor units, found one with a decimal point or an exponent",
            );
            return None;
        }
    };
    refuse(error, &field.path, &field.path, errors);
    None
}

fn refuse(error: MoneyError, path: &Path<'_>, amount: &Path<'_>, errors: &mut FieldErrors) {
    let code = match error {
        MoneyError::NotPositive => ProblemCode::AmountNotPositive,
        MoneyError::TooLarge => ProblemCode::AmountTooLarge,
        MoneyError::TooPrecise { .. } => ProblemCode::AmountTooPrecise,
        MoneyError::Malformed => ProblemCode::MalformedAmount,
        MoneyError::NotPayable { .. } | MoneyError::CurrencyMismatch { .. } => {
            errors.add(ProblemCode::CurrencyNotPayable, &amount.field("currency"), error);
            return;
        }
    };
    errors.add(code, path, error);
}
