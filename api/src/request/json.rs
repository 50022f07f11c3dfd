//! JSON as it was sent: fields in their order, also those that are there twice or that nobody knows. Texts are borrowed
//! from the body where they have no escapes.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::field_errors::FieldErrors;
use super::path::Path;
use crate::card_shape::wipe;
use crate::problem::{Problem, ProblemCode};

/// How many fields of one object are kept: twice what the largest may have. Further ones are counted and skipped, so that
/// no body makes the gateway compare thousands of names.
const MAX_FIELDS: usize = 64;

/// How many fields an object has room for at first: all of a payment's, so that few objects grow.
const USUAL_FIELDS: usize = 10;

/// How many items of one array are kept: more than there are kinds of events. Further ones are counted and skipped.
const MAX_ITEMS: usize = 32;

/// One JSON value. Has no `Debug`: it may hold a card number.
pub(super) enum Json<'a> {
    Null,
    Bool,
    Number(Number),
    Text(Cow<'a, str>),
    /// What is in an array, as far as anybody needs it.
    Array(Array<'a>),
    Object(Object<'a>),
}

/// A number, as far as anyone needs to know it.
#[derive(Clone, Copy)]
pub(super) enum Number {
    Whole(i64),
    /// Beyond `i64`, in either direction.
    Huge {
        negative: bool,
    },
    /// Written with a decimal point or an exponent.
    Fractional {
        negative: bool,
    },
}

/// The items of an array, in their order.
pub(super) struct Array<'a> {
    pub(super) items: Vec<Json<'a>>,
    /// How many there were, with those that were skipped.
    pub(super) total: usize,
}

/// The fields of an object, in their order.
pub(super) struct Object<'a> {
    pub(super) fields: Vec<(Cow<'a, str>, Json<'a>)>,
    /// How many there were, with those that were skipped.
    pub(super) total: usize,
}

impl Drop for Object<'_> {
    /// Texts with escapes are copies of the body's, which is wiped apart; one of them may be a card number.
    fn drop(&mut self) {
        for (name, value) in &mut self.fields {
            wipe_copy(name);
            if let Json::Text(text) = value {
                wipe_copy(text);
            }
        }
    }
}

impl Drop for Array<'_> {
    fn drop(&mut self) {
        for item in &mut self.items {
            if let Json::Text(text) = item {
                wipe_copy(text);
            }
        }
    }
}

fn wipe_copy(text: &mut Cow<'_, str>) {
    if let Cow::Owned(copy) = text {
        wipe(&mut std::mem::take(copy).into_bytes());
    }
}

impl<'a> Object<'a> {
    /// The object that a body has to be.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, Problem> {
        // Looked at once as a whole, which is quicker than text by text. What is not UTF-8 is read for the place of the error.
        let parsed = match std::str::from_utf8(body) {
            Ok(text) => serde_json::from_str(text),
            Err(_) => serde_json::from_slice(body),
        };
        match parsed {
            Ok(Json::Object(root)) => Ok(root),
            Ok(other) => {
                let mut errors = FieldErrors::default();
                errors.wrong_type(&Path::ROOT, "an object", other.kind());
                Err(errors.into_problem())
            }
            Err(error) => Err(malformed(&error)),
        }
    }
}

/// The parser's messages are fixed texts; what was sent is not in them.
fn malformed(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    let reason = message
        .strip_suffix(&format!(" at line {line} column {column}"))
        .unwrap_or("it cannot be read");
    Problem::new(
        ProblemCode::MalformedJson,
        format!("The body is not valid JSON: {reason}, at line {line}, column {column}."),
    )
}

impl Json<'_> {
    /// What it is, with its article.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Json::Bool)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Json::Number(Number::Whole(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        let number = i64::try_from(value).map_or(Number::Huge { negative: false }, Number::Whole);
        Ok(Json::Number(number))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        /// The least power of two that an `i64` does not hold. Whole numbers up to there arrive as integers, so below it
        /// a float was written as one.
        const BEYOND_I64: f64 = 9_223_372_036_854_775_808.0;
        let negative = value.is_sign_negative();
        Ok(Json::Number(if value.abs() >= BEYOND_I64 {
            Number::Huge { negative }
        } else {
            Number::Fractional { negative }
        }))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        let mut total = 0;
        while kept.len() < MAX_ITEMS {
            let Some(item) = items.next_element()? else {
                return Ok(Json::Array(Array { items: kept, total }));
            };
            kept.push(item);
            total += 1;
        }
        while items.next_element::<IgnoredAny>()?.is_some() {
            total += 1;
        }
        Ok(Json::Array(Array { items: kept, total }))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::with_capacity(USUAL_FIELDS);
        let mut total = 0;
        while fields.len() < MAX_FIELDS {
            let Some(Name(name)) = entries.next_key()? else {
                return Ok(Json::Object(Object { fields, total }));
            };
            fields.push((name, entries.next_value()?));
            total += 1;
        }
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            total += 1;
        }
        Ok(Json::Object(Object { fields, total }))
    }
}

/// A field's name, borrowed where it can be.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Name<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Name(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Name(Cow::Owned(text.to_owned())))
    }
}
