//! Putting something on a list.

use std::sync::Arc;

use domain::feature::Subject;
use domain::{ListAuthor, ListItem, ListName, ListNote, ListedValue, ListedValueError, Timestamp};
use thiserror::Error;

use crate::ports::{Clock, ListStore, ListStoreError};

/// What is to be on a list.
#[derive(Clone, Debug)]
pub struct AddListItemCommand {
    /// The list; made where there is none of this name.
    pub list: ListName,
    /// What kind of subject it is.
    pub subject: Subject,
    /// The value as somebody wrote it.
    pub value: String,
    /// From when on it is to be on the list no more; none where it stays until it is removed.
    pub expires_at: Option<Timestamp>,
    /// Why.
    pub note: Option<ListNote>,
    /// Who adds it.
    pub added_by: ListAuthor,
}

/// Why it was not put there.
#[derive(Debug, Error)]
pub enum AddListItemError {
    /// It can be no value of this kind of subject. The value is not repeated: it may be a card number.
    #[error("the value {0}")]
    Value(ListedValueError),
    /// It would have expired before anybody saw it.
    #[error("`expires_at` is not in the future")]
    Expired,
    /// The store refused it or did not answer.
    #[error(transparent)]
    Store(#[from] ListStoreError),
}

/// Puts items on lists.
#[derive(Clone)]
pub struct AddListItem {
    /// Where they are kept.
    pub lists: Arc<dyn ListStore>,
    /// Dates them.
    pub clock: Arc<dyn Clock>,
}

impl AddListItem {
    /// Puts it on the list, in the place of the item of the same value if there is one. Payments that are decided by this
    /// gateway from now on find it there, those of others within seconds.
    ///
    /// # Errors
    /// When the value or the time cannot be meant, or the store does not take it.
    pub async fn execute(&self, command: AddListItemCommand) -> Result<ListItem, AddListItemError> {
        let value = ListedValue::parse(command.subject, &command.value).map_err(AddListItemError::Value)?;
        let item = ListItem {
            list: command.list,
            value,
            expires_at: command.expires_at,
            added_by: command.added_by,
            added_at: self.clock.now(),
            note: command.note,
        };
        if item.has_expired(item.added_at) {
            return Err(AddListItemError::Expired);
        }
        self.lists.put(&item).await?;
        Ok(item)
    }
}
