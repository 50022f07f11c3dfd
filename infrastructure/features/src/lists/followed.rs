//! A list store whose items are kept in memory too, where features look them up.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{Clock, ListChanges, ListCursor, ListStore, ListStoreError, Page, Removed};
use async_trait::async_trait;
use domain::{ListItem, ListName, ListedValue, Timestamp};
use tokio::sync::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{ByName, SubjectLists};

/// How often the store is asked for changes: an item that another gateway took in counts here within a second.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// How many changes are read at once: a thousand items are some 200 KiB.
const CHANGES_AT_ONCE: usize = 1_000;

/// After how long without an answer everything is read anew. The store tells a removal for at least a day.
const READ_ANEW_AFTER: Duration = Duration::from_secs(12 * 3_600);

/// How often items that have expired are let go of.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// Passes every call on to a store, and keeps what is on its lists in a [`SubjectLists`]. What is put on a list through it is
/// found there as soon as the call returns; what other gateways put there, as long as [`FollowedLists::follow_until`] runs,
/// within some seconds.
pub struct FollowedLists {
    store: Arc<dyn ListStore>,
    lists: Arc<SubjectLists>,
    clock: Arc<dyn Clock>,
    progress: Mutex<Progress>,
}

/// How far the store was read.
#[derive(Debug, Default)]
struct Progress {
    revision: u64,
    read_at: Option<Instant>,
    forgot_at: Option<Instant>,
}

impl FollowedLists {
    /// Nothing is read yet: call [`FollowedLists::refresh`] before the first payment.
    #[must_use]
    pub fn new(store: Arc<dyn ListStore>, lists: Arc<SubjectLists>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            lists,
            clock,
            progress: Mutex::default(),
        }
    }

    /// Reads what changed since it was called last.
    ///
    /// # Errors
    /// When the store does not answer. The lists then stay as they were.
    pub async fn refresh(&self) -> Result<(), ListStoreError> {
        let mut progress = self.progress.lock().await;
        let now = Instant::now();
        match progress.read_at {
            Some(read_at) if now.duration_since(read_at) < READ_ANEW_AFTER => {
                let mut has_more = true;
                while has_more {
                    let from = progress.revision;
                    let changes = self.store.changes_after(from, CHANGES_AT_ONCE).await?;
                    self.lists.apply(&changes);
                    progress.revision = changes.revision;
                    has_more = changes.has_more;
                }
            }
            _ => progress.revision = self.read_anew().await?,
        }
        progress.read_at = Some(now);
        if progress
            .forgot_at
            .is_none_or(|at| now.duration_since(at) >= FORGET_EVERY)
        {
            self.lists.forget_expired(self.clock.now());
            progress.forgot_at = Some(now);
        }
        Ok(())
    }

    /// Everything there is, in the place of what was known. Returns the revision up to which that is.
    async fn read_anew(&self) -> Result<u64, ListStoreError> {
        let mut fresh = ByName::new();
        let mut revision = 0;
        loop {
            let changes = self.store.changes_after(revision, CHANGES_AT_ONCE).await?;
            self.lists.apply_to(&mut fresh, &changes);
            revision = changes.revision;
            if !changes.has_more {
                self.lists.replace(fresh);
                return Ok(revision);
            }
        }
    }

    /// Refreshes again and again until `stop`. Meanwhile, when the store does not answer, the lists stay as they were.
    pub async fn follow_until(&self, stop: impl Future<Output = ()> + Send) {
        let follow = async {
            let mut ticks = interval(ASK_EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut answered = true;
            loop {
                ticks.tick().await;
                let refreshed = self.refresh().await;
                match &refreshed {
                    Ok(()) if !answered => tracing::info!("the list store answers again"),
                    // Said once, not every second.
                    Err(error) if answered => {
                        tracing::warn!(%error, "the list store does not answer: lists stay as they were");
                    }
                    Ok(()) | Err(_) => {}
                }
                answered = refreshed.is_ok();
            }
        };
        tokio::select! {
            () = stop => {}
            () = follow => {}
        }
    }

    /// What was written is there; only this gateway's own memory of it may come later.
    async fn refresh_after_change(&self) {
        if let Err(error) = self.refresh().await {
            tracing::warn!(%error, "a change to a list is stored, and found by payments only once the store answers");
        }
    }
}

#[async_trait]
impl ListStore for FollowedLists {
    async fn put(&self, item: &ListItem) -> Result<(), ListStoreError> {
        self.store.put(item).await?;
        self.refresh_after_change().await;
        Ok(())
    }

    async fn remove(
        &self,
        list: &ListName,
        value: &ListedValue,
        now: Timestamp,
    ) -> Result<Removed, ListStoreError> {
        let removed = self.store.remove(list, value, now).await?;
        self.refresh_after_change().await;
        Ok(removed)
    }

    async fn items(
        &self,
        list: &ListName,
        after: Option<&ListCursor>,
        limit: usize,
    ) -> Result<Page<ListItem>, ListStoreError> {
        self.store.items(list, after, limit).await
    }

    async fn changes_after(&self, revision: u64, limit: usize) -> Result<ListChanges, ListStoreError> {
        self.store.changes_after(revision, limit).await
    }
}
