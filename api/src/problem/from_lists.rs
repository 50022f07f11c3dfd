//! What each error of the use cases of lists is to a caller.

use application::ports::{ListStoreError, MAX_LIST_ITEMS, MAX_LISTS};
use application::use_cases::{AddListItemError, RemoveListItemError};
use domain::ListedValueError;

use super::{FieldError, Problem, ProblemCode};

impl From<AddListItemError> for Problem {
    fn from(error: AddListItemError) -> Self {
        match error {
            AddListItemError::Value(error) => of_field(code_of(error), "value", format!("the value {error}")),
            AddListItemError::Expired => of_field(
                ProblemCode::InvalidExpiresAt,
                "expires_at",
                "expected a moment to come, found a past one".to_owned(),
            ),
            AddListItemError::Store(error) => error.into(),
        }
    }
}

impl From<RemoveListItemError> for Problem {
    fn from(error: RemoveListItemError) -> Self {
        match error {
            RemoveListItemError::Value(error) => Self::new(
                ProblemCode::InvalidQuery,
                format!("`value` in the query {error}."),
            ),
            RemoveListItemError::NotFound { .. } => Self::new(
                ProblemCode::ListItemNotFound,
                "The list has no item of this subject and value.",
            ),
            RemoveListItemError::Store(error) => error.into(),
        }
    }
}

impl From<ListStoreError> for Problem {
    fn from(error: ListStoreError) -> Self {
        match error {
            ListStoreError::UnknownList { .. } => list_not_found(),
            ListStoreError::ListFull { .. } => Self::new(
                ProblemCode::ListFull,
                format!("The list has {MAX_LIST_ITEMS} items, which is as many as a list can have. Nothing was done."),
            ),
            ListStoreError::TooManyLists => Self::new(
                ProblemCode::TooManyLists,
                format!("There are {MAX_LISTS} lists, which is as many as there can be. Nothing was done."),
            ),
            ListStoreError::Unavailable { .. } => Self::new(
                ProblemCode::StorageUnavailable,
                "Lists cannot be read or written now. Send it again later: to add or to remove an item twice is the same as once.",
            )
            .for_operator(error.to_string()),
        }
    }
}

/// The same for a name that no list has and for one that no list can have.
pub(crate) fn list_not_found() -> Problem {
    Problem::new(
        ProblemCode::ListNotFound,
        "No list has the name in the path. A list is there from its first item on; its name has 1 to 64 of `A-Z a-z 0-9 _ - .`.",
    )
}

fn of_field(code: ProblemCode, path: &str, message: String) -> Problem {
    let error = FieldError {
        path: path.to_owned(),
        code: code.as_str(),
        message,
    };
    Problem::of_fields(code, vec![error])
}

fn code_of(error: ListedValueError) -> ProblemCode {
    match error {
        ListedValueError::Empty | ListedValueError::TooLong | ListedValueError::ControlCharacter => {
            ProblemCode::InvalidText
        }
        ListedValueError::MalformedIp => ProblemCode::InvalidIpAddress,
        ListedValueError::MalformedCard => ProblemCode::InvalidFingerprint,
    }
}
