//! Where the items of lists are kept.

use async_trait::async_trait;
use domain::{ListItem, ListName, ListedValue, Timestamp};
use thiserror::Error;

use super::Page;

/// How many lists there can be: each is a name that policies ask for, and nobody has hundreds of those.
pub const MAX_LISTS: usize = 256;

/// How many items can be on one list, those that have expired aside: every gateway keeps all of them in memory, some 100 bytes
/// each.
pub const MAX_LIST_ITEMS: usize = 100_000;

/// Why items could not be read or changed.
#[derive(Debug, Error)]
pub enum ListStoreError {
    /// Nobody ever put anything on a list of this name.
    #[error("there is no list `{list}`")]
    UnknownList {
        /// The name.
        list: ListName,
    },
    /// The list has as many items as one can have; nothing was written.
    #[error("the list `{list}` has {MAX_LIST_ITEMS} items, which is as many as a list can have")]
    ListFull {
        /// The name.
        list: ListName,
    },
    /// There are as many lists as there can be; nothing was written.
    #[error("there are {MAX_LISTS} lists, which is as many as there can be")]
    TooManyLists,
    /// The store did not say that it did it, and can be asked again: to add or to remove the same item twice is the same as
    /// once.
    #[error("the list store is unavailable: {reason}")]
    Unavailable {
        /// For the operator.
        reason: String,
    },
}

/// Behind which item a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListCursor {
    /// The value of that item.
    pub value: ListedValue,
}

/// Whether an item was there to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// It was, and is there no more.
    Yes,
    /// It was not.
    WasNotThere,
}

/// One change to a list, told again to whoever follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListChange {
    /// The item is on its list now, perhaps in the place of one of the same value.
    Put(ListItem),
    /// The value is on the list no more.
    Removed {
        /// The list.
        list: ListName,
        /// The value.
        value: ListedValue,
    },
}

/// What changed since a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListChanges {
    /// Every value that changed once, in the order of its latest change.
    pub changes: Vec<ListChange>,
    /// The names of all lists, also of those that are empty.
    pub lists: Vec<ListName>,
    /// The revision up to which these are all changes: what to ask from next.
    pub revision: u64,
    /// Whether there are more behind it.
    pub has_more: bool,
}

/// Keeps the items of lists. A list is there from its first item on, and stays also when it is empty: a policy that asks for it
/// is to be told that nothing is on it. An item that has expired may be told by [`ListStore::items`] and
/// [`ListStore::changes_after`] or not: whoever reads it looks at `expires_at` himself.
#[async_trait]
pub trait ListStore: Send + Sync {
    /// Puts an item on its list, in the place of the one of the same value if there is one. When it returns, the item is
    /// durable.
    ///
    /// # Errors
    /// MUST return `ListFull` where the value is not on the list yet and [`MAX_LIST_ITEMS`] others are that have not expired by
    /// the time at which the item is added, `TooManyLists` for a new list beyond [`MAX_LISTS`], and leave everything as it was.
    async fn put(&self, item: &ListItem) -> Result<(), ListStoreError>;

    /// Takes a value off a list. When it returns, that is durable.
    ///
    /// # Errors
    /// MUST return `UnknownList` where there is no such list.
    async fn remove(
        &self,
        list: &ListName,
        value: &ListedValue,
        now: Timestamp,
    ) -> Result<Removed, ListStoreError>;

    /// Items of a list behind a cursor, by the name of their subject, then by value, both byte by byte. An item that is added or removed while somebody pages through may be on a page or not; no other one is ever left
    /// out or shown twice.
    ///
    /// # Errors
    /// MUST return `UnknownList` where there is no such list.
    async fn items(
        &self,
        list: &ListName,
        after: Option<&ListCursor>,
        limit: usize,
    ) -> Result<Page<ListItem>, ListStoreError>;

    /// What changed after a revision, at most so many changes; after 0 everything there is. A removal is told for at least a
    /// day; whoever has not asked for so long asks from 0 again, and forgets what he knew.
    ///
    /// # Errors
    /// MUST return `Unavailable` when it cannot be told. MUST NOT tell a change while one of a lower revision may still be
    /// stored.
    async fn changes_after(&self, revision: u64, limit: usize) -> Result<ListChanges, ListStoreError>;
}
