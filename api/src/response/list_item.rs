//! An item of a list.

use domain::{ListItem, ListNote};
use serde::Serialize;

use super::scalar::Rfc3339;

#[derive(Serialize)]
pub(crate) struct ListItemView<'a> {
    list: &'a str,
    subject: &'static str,
    value: &'a str,
    expires_at: Option<Rfc3339>,
    note: Option<&'a str>,
    added_by: &'a str,
    added_at: Rfc3339,
}

impl<'a> ListItemView<'a> {
    pub(crate) fn new(item: &'a ListItem) -> Self {
        Self {
            list: item.list.as_str(),
            subject: item.value.subject().as_str(),
            value: item.value.as_str(),
            expires_at: item.expires_at.map(Rfc3339),
            note: item.note.as_ref().map(ListNote::as_str),
            added_by: item.added_by.as_str(),
            added_at: Rfc3339(item.added_at),
        }
    }
}
