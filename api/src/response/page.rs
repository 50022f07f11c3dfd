//! A page of a listing.

use serde::Serialize;

use super::Each;

#[derive(Serialize)]
#[serde(bound(serialize = "V: Serialize"))]
pub(crate) struct PageView<'a, T, V: Serialize> {
    data: Each<'a, T, V>,
    has_more: bool,
    next_cursor: Option<String>,
}

impl<'a, T, V: Serialize> PageView<'a, T, V> {
    /// With a cursor where there is more behind it.
    pub(crate) fn new(items: &'a [T], view: fn(&'a T) -> V, next_cursor: Option<String>) -> Self {
        Self {
            data: Each(items, view),
            has_more: next_cursor.is_some(),
            next_cursor,
        }
    }

    /// With a cursor also where there is nothing behind it yet.
    pub(crate) fn with_more(self, has_more: bool) -> Self {
        Self { has_more, ..self }
    }
}
