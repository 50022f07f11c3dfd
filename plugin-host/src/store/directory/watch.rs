//! Watching a folder: looks at names, sizes and times every so often, and reads when something shows.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::store::{PolicyWatch, StoreError, WatchEvent};

use super::blocking;
use super::folder::{Folder, Scan, Snapshot, State};

/// How often the folder is looked at: five times within the second in which a policy is to be enforced.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// How often a quiet folder is said to be alive.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(5);

/// How often the documents are read again after a change although nothing shows: a file that is written twice within one
/// tick of the file system's clock has the same time both times.
const READS_AFTER_CHANGE: u32 = 2;

/// A watch over a folder's documents.
pub(super) struct DirectoryWatch {
    folder: Arc<Folder>,
    /// What the reader knows.
    known: Arc<State>,
    revision: u64,
    /// What showed when the documents were read last.
    read_at: Option<Scan>,
    /// What showed at the last look, where it was not read yet.
    unread: Option<Scan>,
    reads_left: u32,
    looked: Option<Instant>,
    told: Instant,
}

impl DirectoryWatch {
    pub(super) async fn open(folder: Arc<Folder>, after: u64) -> Result<Self, StoreError> {
        let opened = Arc::clone(&folder);
        let known = blocking(move || opened.state_at(after)).await?;
        Ok(Self {
            folder,
            known,
            revision: after,
            read_at: None,
            unread: None,
            reads_left: 0,
            looked: None,
            told: Instant::now(),
        })
    }

    /// Whether the documents are to be read. What a transaction of ours wrote is read at once, as its revision shows. A file
    /// that somebody else writes may be half written, so it is read when it shows no change between two looks.
    fn is_due(&mut self, scan: &Scan) -> bool {
        let Some(read_at) = &self.read_at else {
            return true;
        };
        if read_at == scan {
            self.unread = None;
            return self.reads_left > 0;
        }
        if read_at.revision != scan.revision || self.unread.as_ref() == Some(scan) {
            return true;
        }
        self.unread = Some(scan.clone());
        false
    }

    /// Takes a snapshot in, and tells what is new in it.
    fn take(&mut self, scan: Scan, snapshot: &Snapshot) -> Option<WatchEvent> {
        self.read_at = Some(scan);
        self.unread = None;
        self.reads_left = self.reads_left.saturating_sub(1);
        self.revision = snapshot.revision;
        if *self.known == *snapshot.state {
            return None;
        }
        let changed = snapshot
            .documents
            .iter()
            .filter(|(name, _)| self.known.get(*name) != snapshot.state.get(*name))
            .map(|(name, bytes)| (name.clone(), Some(bytes.clone())));
        let deleted = self
            .known
            .keys()
            .filter(|name| !snapshot.state.contains_key(*name))
            .map(|name| (name.clone(), None));
        let mut documents: Vec<_> = changed.chain(deleted).collect();
        documents.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        self.known = Arc::clone(&snapshot.state);
        self.reads_left = READS_AFTER_CHANGE;
        self.told = Instant::now();
        Some(WatchEvent::Changed {
            revision: snapshot.revision,
            documents,
        })
    }
}

#[async_trait]
impl PolicyWatch for DirectoryWatch {
    async fn next(&mut self) -> Result<WatchEvent, StoreError> {
        loop {
            if let Some(looked) = self.looked {
                tokio::time::sleep_until(looked + POLL_INTERVAL).await;
            }
            let folder = Arc::clone(&self.folder);
            let scan = blocking(move || folder.scan()).await?;
            self.looked = Some(Instant::now());
            if self.is_due(&scan) {
                let folder = Arc::clone(&self.folder);
                let snapshot = blocking(move || folder.snapshot()).await?;
                if let Some(event) = self.take(scan, &snapshot) {
                    return Ok(event);
                }
            }
            if self.told.elapsed() >= PROGRESS_INTERVAL {
                self.told = Instant::now();
                return Ok(WatchEvent::Progress {
                    revision: self.revision,
                });
            }
        }
    }
}
