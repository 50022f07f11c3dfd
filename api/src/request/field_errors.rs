//! Everything that is wrong with one body.

use std::fmt::Display;

use super::path::Path;
use crate::problem::{FieldError, MAX_FIELD_ERRORS, Problem, ProblemCode};

#[derive(Default)]
pub(super) struct FieldErrors {
    first: Option<ProblemCode>,
    list: Vec<FieldError>,
}

impl FieldErrors {
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Notes an error. The message never holds a value that was sent; errors beyond the bound are left out.
    pub(super) fn add(&mut self, code: ProblemCode, path: &Path<'_>, message: impl Display) {
        self.first.get_or_insert(code);
        if self.list.len() < MAX_FIELD_ERRORS {
            self.list.push(FieldError {
                path: path.to_string(),
                code: code.as_str(),
                message: message.to_string(),
            });
        }
    }

    pub(super) fn wrong_type(&mut self, path: &Path<'_>, expected: &str, found: &str) {
        self.add(
            ProblemCode::WrongType,
            path,
            format_args!("expected {expected}, found {found}"),
        );
    }

    pub(super) fn missing(&mut self, path: &Path<'_>, expected: &str) {
        self.add(
            ProblemCode::MissingField,
            path,
            format_args!("expected {expected}, found nothing"),
        );
    }

    pub(super) fn into_problem(self) -> Problem {
        Problem::of_fields(self.first.unwrap_or(ProblemCode::InvalidBody), self.list)
    }
}
