//! Taking something off a list.

use std::sync::Arc;

use domain::feature::Subject;
use domain::{ListName, ListedValue, ListedValueError};
use thiserror::Error;

use crate::ports::{Clock, ListStore, ListStoreError, Removed};

/// What is to be on a list no more.
#[derive(Clone, Debug)]
pub struct RemoveListItemCommand {
    /// The list.
    pub list: ListName,
    /// What kind of subject it is.
    pub subject: Subject,
    /// The value, in any spelling.
    pub value: String,
}

/// Why it was not taken off.
#[derive(Debug, Error)]
pub enum RemoveListItemError {
    /// It can be no value of this kind of subject. The value is not repeated: it may be a card number.
    #[error("the value {0}")]
    Value(ListedValueError),
    /// It is not on the list.
    #[error("the list `{list}` has no such item")]
    NotFound {
        /// The list.
        list: ListName,
    },
    /// There is no such list, or the store did not answer.
    #[error(transparent)]
    Store(#[from] ListStoreError),
}

/// Takes items off lists.
#[derive(Clone)]
pub struct RemoveListItem {
    /// Where they are kept.
    pub lists: Arc<dyn ListStore>,
    /// Dates the removal.
    pub clock: Arc<dyn Clock>,
}

impl RemoveListItem {
    /// Takes the value off the list. What the configuration puts there stays.
    ///
    /// # Errors
    /// When it is not there, or the store does not answer.
    pub async fn execute(&self, command: RemoveListItemCommand) -> Result<(), RemoveListItemError> {
        let value =
            ListedValue::parse(command.subject, &command.value).map_err(RemoveListItemError::Value)?;
        match self.lists.remove(&command.list, &value, self.clock.now()).await? {
            Removed::Yes => Ok(()),
            Removed::WasNotThere => Err(RemoveListItemError::NotFound { list: command.list }),
        }
    }
}
