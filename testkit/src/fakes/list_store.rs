//! Items of lists in a plain map.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use application::ports::{
    ListChange, ListChanges, ListCursor, ListStore, ListStoreError, MAX_LIST_ITEMS, MAX_LISTS, Page, Removed,
};
use async_trait::async_trait;
use domain::{ListItem, ListName, ListedValue, Timestamp};

/// In the order of a listing: by the subject's name, then by value.
type Key = (&'static str, String);

fn key(value: &ListedValue) -> Key {
    (value.subject().as_str(), value.as_str().to_owned())
}

#[derive(Debug, Default)]
struct Kept {
    /// With the revision of its latest change, and whether that took it away.
    lists: BTreeMap<ListName, BTreeMap<Key, (ListItem, u64, bool)>>,
    revision: u64,
}

/// Remembers every item, counts how often it is asked for changes, and can be made unavailable.
#[derive(Debug, Default)]
pub struct InMemoryListStore {
    kept: Mutex<Kept>,
    asked: AtomicUsize,
    unavailable: AtomicBool,
}

impl InMemoryListStore {
    /// Whether it answers from now on.
    pub fn set_available(&self, available: bool) {
        self.unavailable.store(!available, Ordering::SeqCst);
    }

    /// How often changes were asked for.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn check(&self) -> Result<(), ListStoreError> {
        if self.unavailable.load(Ordering::SeqCst) {
            return Err(ListStoreError::Unavailable {
                reason: "the test says so".to_owned(),
            });
        }
        Ok(())
    }
}

#[async_trait]
impl ListStore for InMemoryListStore {
    async fn put(&self, item: &ListItem) -> Result<(), ListStoreError> {
        self.check()?;
        let mut kept = self.kept.lock().unwrap();
        if !kept.lists.contains_key(&item.list) && kept.lists.len() >= MAX_LISTS {
            return Err(ListStoreError::TooManyLists);
        }
        let revision = kept.revision + 1;
        let list = kept.lists.entry(item.list.clone()).or_default();
        let is_there = list
            .get(&key(&item.value))
            .is_some_and(|(_, _, removed)| !removed);
        if !is_there && list.len() >= MAX_LIST_ITEMS {
            let in_force = list
                .values()
                .filter(|(known, _, removed)| !removed && !known.has_expired(item.added_at));
            if in_force.count() >= MAX_LIST_ITEMS {
                return Err(ListStoreError::ListFull {
                    list: item.list.clone(),
                });
            }
        }
        list.insert(key(&item.value), (item.clone(), revision, false));
        kept.revision = revision;
        Ok(())
    }

    async fn remove(
        &self,
        list: &ListName,
        value: &ListedValue,
        now: Timestamp,
    ) -> Result<Removed, ListStoreError> {
        self.check()?;
        let mut kept = self.kept.lock().unwrap();
        let next = kept.revision + 1;
        let items = kept
            .lists
            .get_mut(list)
            .ok_or_else(|| ListStoreError::UnknownList { list: list.clone() })?;
        match items.get_mut(&key(value)) {
            Some((item, revision, removed)) if !*removed => {
                (*revision, *removed) = (next, true);
                let had_expired = item.has_expired(now);
                kept.revision = next;
                Ok(if had_expired {
                    Removed::WasNotThere
                } else {
                    Removed::Yes
                })
            }
            _ => Ok(Removed::WasNotThere),
        }
    }

    async fn items(
        &self,
        list: &ListName,
        after: Option<&ListCursor>,
        limit: usize,
    ) -> Result<Page<ListItem>, ListStoreError> {
        self.check()?;
        let kept = self.kept.lock().unwrap();
        let items = kept
            .lists
            .get(list)
            .ok_or_else(|| ListStoreError::UnknownList { list: list.clone() })?;
        let after = after.map(|cursor| key(&cursor.value));
        let mut items = items
            .iter()
            .filter(|(key, (_, _, removed))| !removed && after.as_ref().is_none_or(|after| *key > after))
            .map(|(_, (item, _, _))| item.clone());
        Ok(Page {
            items: items.by_ref().take(limit).collect(),
            has_more: items.next().is_some(),
        })
    }

    async fn changes_after(&self, revision: u64, limit: usize) -> Result<ListChanges, ListStoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.check()?;
        let kept = self.kept.lock().unwrap();
        let mut rows: Vec<_> = kept
            .lists
            .values()
            .flat_map(BTreeMap::values)
            .filter(|(_, changed, _)| *changed > revision)
            .collect();
        rows.sort_by_key(|(_, changed, _)| *changed);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let upto = rows.last().map(|(_, changed, _)| *changed).filter(|_| has_more);
        let change = |(item, _, removed): &(ListItem, u64, bool)| match removed {
            false => ListChange::Put(item.clone()),
            true => ListChange::Removed {
                list: item.list.clone(),
                value: item.value.clone(),
            },
        };
        Ok(ListChanges {
            changes: rows.into_iter().map(change).collect(),
            lists: kept.lists.keys().cloned().collect(),
            revision: upto.unwrap_or(kept.revision),
            has_more,
        })
    }
}
