//! Items of lists, as columns.

use application::ports::ListChange;
use domain::feature::Subject;
use domain::{ListAuthor, ListItem, ListName, ListNote, ListedValue};

use super::{Damage, known, moment, parsed};

/// The row of an item.
#[derive(Clone, Debug)]
pub(crate) struct ListItemColumns {
    pub(crate) list: String,
    pub(crate) subject: String,
    pub(crate) value: String,
    pub(crate) expires_at_ms: Option<u64>,
    pub(crate) added_by: String,
    pub(crate) added_at_ms: u64,
    pub(crate) note: Option<String>,
    pub(crate) revision: u64,
    pub(crate) removed: bool,
}

impl ListItemColumns {
    pub(crate) fn of(item: &ListItem, revision: u64) -> Self {
        let ListItem {
            list,
            value,
            expires_at,
            added_by,
            added_at,
            note,
        } = item;
        Self {
            list: list.as_str().to_owned(),
            subject: value.subject().as_str().to_owned(),
            value: value.as_str().to_owned(),
            expires_at_ms: expires_at.map(|at| at.unix_millis()),
            added_by: added_by.as_str().to_owned(),
            added_at_ms: added_at.unix_millis(),
            note: note.as_ref().map(|note| note.as_str().to_owned()),
            revision,
            removed: false,
        }
    }

    pub(crate) fn restore(&self) -> Result<ListItem, Damage> {
        Ok(ListItem {
            list: parsed("list_items.list", &self.list, ListName::parse)?,
            value: self.restore_value()?,
            expires_at: self
                .expires_at_ms
                .map(|at| moment("list_items.expires_at_ms", at))
                .transpose()?,
            added_by: parsed("list_items.added_by", &self.added_by, ListAuthor::parse)?,
            added_at: moment("list_items.added_at_ms", self.added_at_ms)?,
            note: self
                .note
                .as_ref()
                .map(|note| parsed("list_items.note", note, ListNote::parse))
                .transpose()?,
        })
    }

    pub(crate) fn restore_change(&self) -> Result<ListChange, Damage> {
        if !self.removed {
            return self.restore().map(ListChange::Put);
        }
        Ok(ListChange::Removed {
            list: parsed("list_items.list", &self.list, ListName::parse)?,
            value: self.restore_value()?,
        })
    }

    /// A value in another spelling than the one it has was not written by a gateway.
    fn restore_value(&self) -> Result<ListedValue, Damage> {
        let find = |name: &str| Subject::ALL.into_iter().find(|subject| subject.as_str() == name);
        let subject = known("list_items.subject", &self.subject, find)?;
        let value = ListedValue::parse(subject, &self.value).map_err(|error| {
            // The error does not repeat the value, and neither does this.
            Damage::of("list_items.value", error)
        })?;
        if value.as_str() != self.value {
            return Err(Damage::of("list_items.value", "is not in its one spelling"));
        }
        Ok(value)
    }
}
