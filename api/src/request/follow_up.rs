//! The bodies of what is done with a payment that is there. A body that is not there is an empty object.

use application::ports::PayerAuthentication;
use application::use_cases::HumanAnswer;
use domain::Money;
use domain::payment::{DeclineCode, ReviewerName};

use super::amount;
use super::field_errors::FieldErrors;
use super::json::Object;
use super::path::Path;
use super::scope::{Field, Scope, bounded, object, text};
use crate::problem::{Problem, ProblemCode};

const AUTHENTICATION_FIELDS: &[&str] = &["eci", "cryptogram", "transaction_id"];

/// Reads the body of a capture or a refund: so much, or all that is left.
pub(crate) fn parse_amount(body: &[u8]) -> Result<Option<Money>, Problem> {
    parse(body, &["amount"], |scope, errors| {
        Some(scope.optional("amount", errors, amount::read))
    })
}

/// Reads the body of what needs none.
pub(crate) fn parse_nothing(body: &[u8]) -> Result<(), Problem> {
    parse(body, &[], |_, _| Some(()))
}

/// Reads the body of `POST /v1/payments/{id}/confirm`.
pub(crate) fn parse_confirmation(body: &[u8]) -> Result<Option<PayerAuthentication>, Problem> {
    parse(body, &["result", "authentication"], |scope, errors| {
        let names = ["authenticated", "failed"];
        let result = scope.required(
            "result",
            "`authenticated` or `failed`",
            errors,
            |field, errors| one_of(field, errors, &names),
        );
        let authentication = scope.optional("authentication", errors, authentication);
        match (result?, authentication) {
            ("authenticated", Some(authentication)) => Some(Some(authentication)),
            ("authenticated", None) => {
                if !scope.has("authentication") {
                    let path = scope.path.field("authentication");
                    errors.missing(&path, "an object, since `result` is `authenticated`");
                }
                None
            }
            (_, None) if !scope.has("authentication") => Some(None),
            _ => {
                errors.add(
                    ProblemCode::ConflictingFields,
                    &scope.path.field("authentication"),
                    "expected nothing, since `result` is `failed`",
                );
                None
            }
        }
    })
}

fn authentication(field: &Field<'_>, errors: &mut FieldErrors) -> Option<PayerAuthentication> {
    let scope = Scope::open(object(field, errors)?, &field.path, AUTHENTICATION_FIELDS, errors);
    let eci = scope.required("eci", "two digits, such as \"05\"", errors, bounded::<2>);
    let eci = eci.filter(|eci| {
        let is_indicator = eci.as_str().len() == 2 && eci.as_str().bytes().all(|b| b.is_ascii_digit());
        if !is_indicator {
            let path = scope.path.field("eci");
            errors.add(
                ProblemCode::InvalidText,
                &path,
                "expected two digits, such as \"05\"",
            );
        }
        is_indicator
    });
    let cryptogram = scope.required("cryptogram", "a string of base64", errors, bounded);
    let transaction_id = scope.required("transaction_id", "a string", errors, bounded);
    Some(PayerAuthentication {
        eci: eci?,
        cryptogram: cryptogram?,
        transaction_id: transaction_id?,
    })
}

/// Reads the body of a review: by whom.
pub(crate) fn parse_reviewer(body: &[u8]) -> Result<ReviewerName, Problem> {
    parse(body, &["reviewer"], |scope, errors| {
        scope.required("reviewer", "a string: who says so", errors, bounded)
    })
}

/// Reads the body of a resolution: what a human learned from the acquirer.
pub(crate) fn parse_resolution(body: &[u8]) -> Result<HumanAnswer, Problem> {
    let fields = ["result", "acquirer_reference", "decline_code"];
    parse(body, &fields, |scope, errors| {
        let names = ["succeeded", "declined", "not_sent"];
        let expected = "`succeeded`, `declined` or `not_sent`";
        let result = scope.required("result", expected, errors, |field, errors| {
            one_of(field, errors, &names)
        })?;
        let needless = match result {
            "succeeded" => &["decline_code"][..],
            "declined" => &["acquirer_reference"],
            _ => &["decline_code", "acquirer_reference"],
        };
        for name in needless.iter().filter(|name| scope.has(name)) {
            errors.add(
                ProblemCode::ConflictingFields,
                &scope.path.field(name),
                format_args!("expected nothing, since `result` is `{result}`"),
            );
        }
        match result {
            "succeeded" => {
                let expected = "a string: the acquirer's name for it";
                let reference = scope.required("acquirer_reference", expected, errors, bounded);
                reference.map(HumanAnswer::Succeeded)
            }
            "declined" => {
                let codes: Vec<&str> = DeclineCode::ALL
                    .into_iter()
                    .filter(|code| code.is_acquirers())
                    .map(DeclineCode::as_str)
                    .collect();
                let expected = format!("one of `{}`", codes.join("`, `"));
                let code = scope.required("decline_code", &expected, errors, |field, errors| {
                    one_of(field, errors, &codes)
                });
                code.and_then(DeclineCode::parse).map(HumanAnswer::Declined)
            }
            _ => Some(HumanAnswer::NotSent),
        }
    })
}

pub(super) fn parse<T>(
    body: &[u8],
    fields: &[&str],
    read: impl FnOnce(&Scope<'_>, &mut FieldErrors) -> Option<T>,
) -> Result<T, Problem> {
    let body = if body.is_empty() { b"{}" } else { body };
    let root = Object::parse(body)?;
    let mut errors = FieldErrors::default();
    let path = Path::ROOT;
    let scope = Scope::open(&root, &path, fields, &mut errors);
    let read = read(&scope, &mut errors);
    super::misplaced::check(&root, None, &mut errors);
    match read {
        Some(read) if errors.is_empty() => Ok(read),
        _ => Err(errors.into_problem()),
    }
}

/// A text that is one of a few.
pub(super) fn one_of<'n>(field: &Field<'_>, errors: &mut FieldErrors, names: &[&'n str]) -> Option<&'n str> {
    let found = text(field, errors)?;
    let known = names.iter().copied().find(|name| *name == found);
    if known.is_none() {
        errors.add(
            ProblemCode::InvalidText,
            &field.path,
            format_args!("expected one of `{}`, found another text", names.join("`, `")),
        );
    }
    known
}
