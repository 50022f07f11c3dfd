//! What is put on a list, what is asked of one, and what is taken off.

use application::ports::ListCursor;
use axum::http::Uri;
use domain::feature::Subject;
use domain::{ListAuthor, ListNote, ListedValue, Timestamp};

use super::field_errors::FieldErrors;
use super::follow_up::one_of;
use super::json::Object;
use super::listing::{CURSOR, Parameters, limit};
use super::moment;
use super::path::Path;
use super::scope::{Scope, bounded, text};
use crate::card_shape::holds_card_number;
use crate::problem::{Problem, ProblemCode};

/// What is to be on a list.
pub(crate) struct NewListItem {
    pub(crate) subject: Subject,
    /// As it was written.
    pub(crate) value: String,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) note: Option<ListNote>,
    pub(crate) added_by: ListAuthor,
}

/// Reads the body of `POST /v1/lists/{list}/items`. Who adds it stands there where no key says so.
pub(crate) fn parse_list_item(body: &[u8], by_key: Option<ListAuthor>) -> Result<NewListItem, Problem> {
    let fields = ["subject", "value", "expires_at", "note", "added_by"];
    let known = if by_key.is_some() { 4 } else { fields.len() };
    let root = Object::parse(body)?;
    let mut errors = FieldErrors::default();
    let path = Path::ROOT;
    let scope = Scope::open(&root, &path, fields.get(..known).unwrap_or_default(), &mut errors);
    let names = Subject::ALL.map(Subject::as_str);
    let expected = format!("one of `{}`", names.join("`, `"));
    let subject = scope.required("subject", &expected, &mut errors, |field, errors| {
        Subject::parse(one_of(field, errors, &names)?)
    });
    let value = scope.required("value", "a string", &mut errors, |field, errors| {
        let value = text(field, errors)?;
        check_for_card(subject, value, &field.path, errors);
        Some(value.to_owned())
    });
    let expires_at = scope.optional("expires_at", &mut errors, moment::read);
    let note: Option<ListNote> = scope.optional("note", &mut errors, bounded);
    let added_by =
        by_key.or_else(|| scope.required("added_by", "a string: who adds it", &mut errors, bounded));
    for (name, text) in [
        ("note", note.as_ref().map(ListNote::as_str)),
        ("added_by", added_by.as_ref().map(ListAuthor::as_str)),
    ] {
        if text.is_some_and(holds_card_number) {
            misplaced(&path.field(name), &mut errors);
        }
    }
    match (subject, value, added_by) {
        (Some(subject), Some(value), Some(added_by)) if errors.is_empty() => Ok(NewListItem {
            subject,
            value,
            expires_at,
            note,
            added_by,
        }),
        _ => Err(errors.into_problem()),
    }
}

/// Merchants are numbered as cards are, and cannot help it. What has the form of a fingerprint is one.
fn check_for_card(subject: Option<Subject>, value: &str, path: &Path<'_>, errors: &mut FieldErrors) {
    let is_fine = match subject {
        Some(Subject::Merchant) => true,
        Some(Subject::Card) => ListedValue::parse(Subject::Card, value).is_ok(),
        _ => false,
    };
    if !is_fine && holds_card_number(value) {
        misplaced(path, errors);
    }
}

fn misplaced(path: &Path<'_>, errors: &mut FieldErrors) {
    errors.add(
        ProblemCode::CardNumberMisplaced,
        path,
        "expected no card number, found one: to list a card, take the `card.fingerprint` of an answer",
    );
}

/// From where on a list is read, and how much of it.
pub(crate) struct ListItemListing {
    pub(crate) after: Option<ListCursor>,
    pub(crate) limit: usize,
}

impl ListItemListing {
    /// Of a query with `cursor` and `limit`.
    pub(crate) fn of(uri: &Uri) -> Result<Self, Problem> {
        let parameters = Parameters::of(uri, &["cursor", "limit"])?;
        Ok(Self {
            after: parameters.read("cursor", CURSOR, cursor)?,
            limit: limit(&parameters)?,
        })
    }
}

/// What is to be on a list no more.
pub(crate) struct ListItemRemoval {
    pub(crate) subject: Subject,
    pub(crate) value: String,
}

impl ListItemRemoval {
    /// Of a query with `subject` and `value`.
    pub(crate) fn of(uri: &Uri) -> Result<Self, Problem> {
        let parameters = Parameters::of(uri, &["subject", "value"])?;
        let names = Subject::ALL.map(Subject::as_str).join("`, `");
        let subject = parameters.read("subject", &format!("one of `{names}`"), Subject::parse)?;
        let value = parameters.read("value", "a text", |text| Some(text.to_owned()))?;
        match (subject, value) {
            (Some(subject), Some(value)) => Ok(Self { subject, value }),
            _ => Err(Problem::new(
                ProblemCode::InvalidQuery,
                "Expected `subject` and `value` in the query, found one of them or none. Nothing was done.",
            )),
        }
    }
}

/// A cursor as it is given out: the value in hexadecimal digits, so that it needs no escapes in a URL.
pub(crate) fn list_cursor(cursor: &ListCursor) -> String {
    let digits: String = cursor
        .value
        .as_str()
        .bytes()
        .flat_map(|byte| [byte >> 4, byte & 0xf])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect();
    format!("{}.{digits}", cursor.value.subject().as_str())
}

fn cursor(text: &str) -> Option<ListCursor> {
    let (subject, digits) = text.split_once('.')?;
    let subject = Subject::parse(subject)?;
    let digit = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let bytes: Option<Vec<u8>> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect();
    let value = String::from_utf8(bytes?).ok()?;
    let value = ListedValue::parse(subject, &value).ok()?;
    Some(ListCursor { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_needs_no_escapes() {
        for (subject, text) in [
            (Subject::Email, "ada+till@example.com"),
            (Subject::Ip, "2001:db8::/32"),
            (Subject::Customer, "Åsa & Söner/7"),
        ] {
            let value = ListedValue::parse(subject, text).unwrap();
            let expected = ListCursor { value };
            let text = list_cursor(&expected);
            assert!(
                text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.'),
                "{text}"
            );
            assert_eq!(cursor(&text), Some(expected));
        }
        for odd in [
            "", ".", "email", "email.", "email.6", "email.zz", "email.ff", "root.61", "ip.61",
        ] {
            assert_eq!(cursor(odd), None, "{odd}");
        }
    }
}
