//! Reading the fields of one object, each by its name.

use domain::text::{BoundedText, TextError};
use domain::{CountryCode, IdentifierError};

use super::field_errors::FieldErrors;
use super::json::{Json, Number, Object};
use super::path::{Path, is_presentable};
use crate::problem::ProblemCode;

/// From this similarity on (0 to 1, by edits) a known name is taken for what an unknown one was meant to be.
const LIKENESS: f64 = 0.6;

/// A value, and where it is.
pub(super) struct Field<'a> {
    pub(super) value: &'a Json<'a>,
    pub(super) path: Path<'a>,
}

/// An object whose names have been checked.
pub(super) struct Scope<'a> {
    object: &'a Object<'a>,
    pub(super) path: &'a Path<'a>,
}

impl<'a> Scope<'a> {
    /// Reports fields that nobody knows, and fields that are there twice.
    pub(super) fn open(
        object: &'a Object<'a>,
        path: &'a Path<'a>,
        known: &[&str],
        errors: &mut FieldErrors,
    ) -> Self {
        check_duplicates(object, path, errors);
        for (position, (name, _)) in object.fields.iter().enumerate() {
            if !known.contains(&&**name) {
                errors.add(
                    ProblemCode::UnknownField,
                    &path.entry(name, position),
                    unknown(name, known),
                );
            }
        }
        Self { object, path }
    }

    fn find(&self, name: &str) -> Option<&'a Json<'a>> {
        let mut fields = self.object.fields.iter();
        fields.find(|(found, _)| found == name).map(|(_, value)| value)
    }

    /// Whether the field is there and not null.
    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some_and(|value| !matches!(value, Json::Null))
    }

    /// Reads a field that has to be there. `expected` says what, with its article.
    pub(super) fn required<T>(
        &self,
        name: &str,
        expected: &str,
        errors: &mut FieldErrors,
        read: impl FnOnce(&Field<'_>, &mut FieldErrors) -> Option<T>,
    ) -> Option<T> {
        let path = self.path.field(name);
        match self.find(name) {
            Some(value) => read(&Field { value, path }, errors),
            None => {
                // An object with more fields than are kept has errors already, and may hold this one.
                if self.object.total == self.object.fields.len() {
                    errors.missing(&path, expected);
                }
                None
            }
        }
    }

    /// Reads a field that may be left out; null is the same as leaving it out.
    pub(super) fn optional<T>(
        &self,
        name: &str,
        errors: &mut FieldErrors,
        read: impl FnOnce(&Field<'_>, &mut FieldErrors) -> Option<T>,
    ) -> Option<T> {
        let value = self.find(name).filter(|value| !matches!(value, Json::Null))?;
        let path = self.path.field(name);
        read(&Field { value, path }, errors)
    }
}

/// Reports names that an object has twice: JSON parsers disagree on which one counts.
pub(super) fn check_duplicates(object: &Object<'_>, path: &Path<'_>, errors: &mut FieldErrors) {
    for (position, (name, _)) in object.fields.iter().enumerate() {
        let mut earlier = object.fields.iter().take(position);
        if earlier.any(|(other, _)| other == name) {
            errors.add(
                ProblemCode::DuplicateField,
                &path.entry(name, position),
                "expected once, found twice",
            );
        }
    }
}

fn unknown(name: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .filter(|_| is_presentable(name))
        .map(|candidate| (strsim::normalized_damerau_levenshtein(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    match nearest {
        Some((_, candidate)) => format!("there is no such field; did you mean `{candidate}`?"),
        None => format!("there is no such field; expected one of `{}`", known.join("`, `")),
    }
}

pub(super) fn object<'a>(field: &Field<'a>, errors: &mut FieldErrors) -> Option<&'a Object<'a>> {
    match field.value {
        Json::Object(object) => Some(object),
        other => {
            errors.wrong_type(&field.path, "an object", other.kind());
            None
        }
    }
}

pub(super) fn text<'a>(field: &Field<'a>, errors: &mut FieldErrors) -> Option<&'a str> {
    match field.value {
        Json::Text(text) => Some(text),
        other => {
            errors.wrong_type(&field.path, "a string", other.kind());
            None
        }
    }
}

/// A whole number; one that no `i64` holds is reported as out of range by `out_of_range`.
pub(super) fn whole(
    field: &Field<'_>,
    errors: &mut FieldErrors,
    expected: &str,
    code: ProblemCode,
) -> Option<i64> {
    match field.value {
        Json::Number(Number::Whole(value)) => Some(*value),
        Json::Number(Number::Huge { .. }) => {
            errors.add(
                code,
                &field.path,
                format_args!("expected {expected}, found another number"),
            );
            None
        }
        Json::Number(Number::Fractional { .. }) => {
            errors.wrong_type(&field.path, expected, "a number with a fraction");
            None
        }
        other => {
            errors.wrong_type(&field.path, expected, other.kind());
            None
        }
    }
}

pub(super) fn bounded<const MAX: usize>(
    field: &Field<'_>,
    errors: &mut FieldErrors,
) -> Option<BoundedText<MAX>> {
    let text = text(field, errors)?;
    let parsed = BoundedText::parse(text);
    parsed
        .map_err(|error| invalid_text(error, &field.path, errors))
        .ok()
}

pub(super) fn invalid_text(error: TextError, path: &Path<'_>, errors: &mut FieldErrors) {
    errors.add(ProblemCode::InvalidText, path, error);
}

pub(super) fn identifier<T>(
    field: &Field<'_>,
    errors: &mut FieldErrors,
    parse: impl FnOnce(&str) -> Result<T, IdentifierError>,
) -> Option<T> {
    parse(text(field, errors)?)
        .map_err(|error| errors.add(ProblemCode::InvalidIdentifier, &field.path, error))
        .ok()
}

pub(super) fn country(field: &Field<'_>, errors: &mut FieldErrors) -> Option<CountryCode> {
    let country = CountryCode::parse(text(field, errors)?);
    if country.is_none() {
        errors.add(
            ProblemCode::InvalidCountry,
            &field.path,
            "expected two upper-case letters of ISO 3166-1, such as `CN`",
        );
    }
    country
}
