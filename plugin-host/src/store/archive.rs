//! What of a store only those need who publish: the history, and which artifacts there are. A gateway reads neither, and needs no
//! right to.

use async_trait::async_trait;
use bytes::Bytes;

use super::{PolicyStore, StoreError};
use crate::digest::Digest;
use crate::document::PolicyName;

/// The most entries of histories, and the most chunks, that are listed; a store with more is told to be too large.
pub const MAX_ARCHIVE_KEYS: usize = 1 << 20;

/// A store with its past. Both adapters give the same promises, held by the suite of [`PolicyStore`].
#[async_trait]
pub trait PolicyArchive: PolicyStore {
    /// The entries of one policy's history, or of all: by name, and of each the newest first.
    ///
    /// # Errors
    /// When the store cannot be read, or holds more than [`MAX_ARCHIVE_KEYS`].
    async fn history(&self, name: Option<&PolicyName>) -> Result<Vec<HistoryEntry>, StoreError>;

    /// The document of an entry, as it is stored: nothing of it was checked.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn past(&self, entry: &HistoryEntry) -> Result<Option<Bytes>, StoreError>;

    /// Forgets entries. Those that are not there are forgotten already. The highest of a name must stay, since the next document
    /// counts from it.
    ///
    /// # Errors
    /// When the store cannot be written; some entries may be forgotten then.
    async fn trim(&self, entries: &[HistoryEntry]) -> Result<(), StoreError>;

    /// Every artifact, by digest, also one that is not complete.
    ///
    /// # Errors
    /// When the store cannot be read, or holds more than [`MAX_ARCHIVE_KEYS`] chunks.
    async fn artifacts(&self) -> Result<Vec<StoredArtifact>, StoreError>;

    /// Deletes an artifact at once, if it is as it was listed, and if no document was written after this revision, which is that
    /// of a listing. Says whether it did: where it did not, what is needed has to be looked at again.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn delete(&self, artifact: &StoredArtifact, if_unchanged_since: u64) -> Result<bool, StoreError>;
}

/// A document in a policy's history.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HistoryEntry {
    /// Of which policy.
    pub name: PolicyName,
    /// Which of its documents.
    pub sequence: u64,
}

/// An artifact as far as a listing shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredArtifact {
    /// What it is called; its bytes were not looked at.
    pub digest: Digest,
    /// The number of its last chunk.
    pub last_chunk: u32,
    /// Another number whenever a chunk was written; only ever compared for equality.
    pub mark: u64,
}

/// By name, and of each the newest first.
pub(super) fn sort(entries: &mut [HistoryEntry]) {
    entries.sort_unstable_by(|left, right| {
        let by_name = left.name.cmp(&right.name);
        by_name.then(right.sequence.cmp(&left.sequence))
    });
}

pub(super) fn too_many(what: &str) -> StoreError {
    StoreError::TooLarge {
        what: what.to_owned(),
        found: MAX_ARCHIVE_KEYS as u64 + 1,
        max: MAX_ARCHIVE_KEYS as u64,
    }
}
