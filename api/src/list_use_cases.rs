//! What can be done with lists.

use std::sync::Arc;

use application::ports::{Clock, ListStore};
use application::use_cases::{AddListItem, ListItems, RemoveListItem};

/// Every use case of lists.
#[derive(Clone)]
pub struct ListUseCases {
    /// `POST /v1/lists/{list}/items`.
    pub add: AddListItem,
    /// `GET /v1/lists/{list}/items`.
    pub list: ListItems,
    /// `DELETE /v1/lists/{list}/items`.
    pub remove: RemoveListItem,
}

impl ListUseCases {
    /// All of them, over the same store.
    #[must_use]
    pub fn new(lists: &Arc<dyn ListStore>, clock: &Arc<dyn Clock>) -> Self {
        Self {
            add: AddListItem {
                lists: Arc::clone(lists),
                clock: Arc::clone(clock),
            },
            list: ListItems {
                lists: Arc::clone(lists),
                clock: Arc::clone(clock),
            },
            remove: RemoveListItem {
                lists: Arc::clone(lists),
                clock: Arc::clone(clock),
            },
        }
    }
}
