//! What is on a list.

use std::sync::Arc;

use domain::{ListItem, ListName};

use crate::ports::{Clock, ListCursor, ListStore, ListStoreError, Page};

/// Why it cannot be told.
pub type ListItemsError = ListStoreError;

/// Reads lists.
#[derive(Clone)]
pub struct ListItems {
    /// Where they are kept.
    pub lists: Arc<dyn ListStore>,
    /// Tells what has expired.
    pub clock: Arc<dyn Clock>,
}

impl ListItems {
    /// A page of a list's items, by subject and value, behind a cursor. Items that have expired are not on it, so a page can
    /// be short, or empty, and have more behind it: go on from `next`.
    ///
    /// # Errors
    /// When there is no such list, or the store does not answer.
    pub async fn execute(
        &self,
        list: &ListName,
        after: Option<&ListCursor>,
        limit: usize,
    ) -> Result<ListItemsPage, ListItemsError> {
        let Page { mut items, has_more } = self.lists.items(list, after, limit).await?;
        let last = items.last().map(|item| ListCursor {
            value: item.value.clone(),
        });
        let now = self.clock.now();
        items.retain(|item| !item.has_expired(now));
        Ok(ListItemsPage {
            items,
            next: last.filter(|_| has_more),
        })
    }
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListItemsPage {
    /// What is on it.
    pub items: Vec<ListItem>,
    /// Where the next page begins; none where there is nothing more.
    pub next: Option<ListCursor>,
}
