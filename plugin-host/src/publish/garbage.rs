//! Collecting what nobody needs any more: artifacts, and the far end of histories.
//!
//! An artifact is needed by a document that names it, by a node that runs it, and by the newest entries of each history, so that
//! there is a way back. It is written before the document that names it, so somebody's push may be under way whose artifact nobody
//! names yet. Two things keep that one: whatever is to be deleted is looked at twice, some time apart, and must be the same; and the
//! deletion is on the condition that no document was written since the second look, while a document is written on the condition
//! that its artifact is still there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::artifact::CHUNK_BYTES;
use crate::digest::Digest;
use crate::document::{PolicyName, Statement};
use crate::envelope::Envelope;
use crate::store::{HistoryEntry, PolicyArchive, StoreError, StoredArtifact};

use super::history::statement_of;

/// How often it is looked again when somebody published meanwhile.
const MAX_ATTEMPTS: u32 = 5;

/// What nobody needs.
#[derive(Clone, Debug)]
pub struct Garbage {
    /// Artifacts.
    pub artifacts: Vec<GarbageArtifact>,
    /// Entries of histories.
    pub history: Vec<HistoryEntry>,
    /// How many artifacts are needed.
    pub needed: usize,
    /// The revision of the documents that were looked at.
    revision: u64,
}

/// An artifact that nobody needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GarbageArtifact {
    /// Which one, and how it was found.
    pub stored: StoredArtifact,
    /// How large it is, in bytes.
    pub size: u64,
}

/// What was collected.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// Artifacts that were deleted.
    pub artifacts: Vec<GarbageArtifact>,
    /// Entries of histories that were deleted.
    pub history: Vec<HistoryEntry>,
    /// Artifacts that were left for another time, since somebody went on publishing.
    pub left: usize,
}

/// Why nothing can be collected.
#[derive(Debug, thiserror::Error)]
pub enum GarbageError {
    /// The store refused or did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something that may name an artifact cannot be read.
    #[error("{what} cannot be read, so nobody knows what it needs, and nothing is collected: {error}")]
    Unreadable {
        /// What, as a key or a node.
        what: String,
        /// Why not.
        error: String,
    },
}

impl Garbage {
    /// Looks what nobody needs. Of each policy's history the newest `keep` entries are needed.
    ///
    /// # Errors
    /// When the store cannot be read, or a document or a node's report in it.
    pub async fn find(store: &dyn PolicyArchive, keep: usize) -> Result<Self, GarbageError> {
        // First of all: what is written after it makes every deletion fail.
        let listing = store.list().await?;
        let mut needed = BTreeSet::new();
        let mut stored = BTreeMap::new();
        for document in &listing.documents {
            let envelope = Envelope::parse(&document.value).map_err(|error| error.to_string());
            let statement =
                envelope.and_then(|envelope| envelope.statement().map_err(|error| error.to_string()));
            let statement =
                statement.map_err(|error| unreadable(format!("policies/{}", document.name), error))?;
            needed.extend(digests(&statement));
            stored.insert(document.name.clone(), statement.sequence());
        }
        for (node, report) in store.nodes().await? {
            let report: Value = serde_json::from_slice(&report)
                .map_err(|error| unreadable(format!("the report of {node}"), error.to_string()))?;
            needed.extend(digests_in(&report));
        }
        let mut history = Vec::new();
        let mut kept: BTreeMap<PolicyName, usize> = BTreeMap::new();
        for entry in store.history(None).await? {
            let newer = kept.entry(entry.name.clone()).or_default();
            *newer += 1;
            // The highest always stays, since the next document counts from it, and the one that is stored does.
            let is_kept = *newer <= keep.max(1) || stored.get(entry.name.as_str()) == Some(&entry.sequence);
            if !is_kept {
                history.push(entry);
                continue;
            }
            if let Some(statement) = statement_of(store, &entry).await? {
                let key = format!("policies-history/{}/{}", entry.name, entry.sequence);
                let statement = statement.map_err(|error| unreadable(key, error))?;
                needed.extend(digests(&statement));
            }
        }
        let all = store.artifacts().await?;
        let (needed, unneeded): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|artifact| needed.contains(&artifact.digest));
        let mut artifacts = Vec::with_capacity(unneeded.len());
        for artifact in unneeded {
            let last = store.chunk(&artifact.digest, artifact.last_chunk).await?;
            let before = u64::from(artifact.last_chunk) * CHUNK_BYTES as u64;
            artifacts.push(GarbageArtifact {
                stored: artifact,
                size: before + last.map_or(0, |last| last.len() as u64),
            });
        }
        Ok(Self {
            artifacts,
            history,
            needed: needed.len(),
            revision: listing.revision,
        })
    }

    /// Collects what nobody needs now, nor `grace` later. Longer than a push takes from its artifact to its document, so that no
    /// push has to write twice.
    ///
    /// # Errors
    /// When the store cannot be read or written; some of it may be collected then.
    pub async fn collect(
        store: &dyn PolicyArchive,
        keep: usize,
        grace: Duration,
    ) -> Result<Collected, GarbageError> {
        let mut collected = Collected::default();
        let first = Self::find(store, keep).await?;
        if first.artifacts.is_empty() && first.history.is_empty() {
            return Ok(collected);
        }
        tokio::time::sleep(grace).await;
        for _ in 0..MAX_ATTEMPTS {
            let now = Self::find(store, keep).await?;
            // Before the artifacts: an entry whose artifact is gone leads nowhere.
            store.trim(&now.history).await?;
            collected.history.extend(now.history);
            let unneeded = now
                .artifacts
                .into_iter()
                .filter(|artifact| first.artifacts.contains(artifact));
            let unneeded: Vec<GarbageArtifact> = unneeded.collect();
            collected.left = unneeded.len();
            for artifact in unneeded {
                if !store.delete(&artifact.stored, now.revision).await? {
                    break;
                }
                collected.artifacts.push(artifact);
                collected.left -= 1;
            }
            if collected.left == 0 {
                break;
            }
        }
        Ok(collected)
    }
}

fn unreadable(what: String, error: String) -> GarbageError {
    GarbageError::Unreadable { what, error }
}

/// The artifacts that a document names.
fn digests(statement: &Statement) -> Vec<Digest> {
    match statement {
        Statement::Retirement(_) => Vec::new(),
        Statement::Release(document) => {
            let candidate = document.candidate.as_ref().map(|candidate| &candidate.artifact);
            let artifacts = [Some(&document.artifact), candidate].into_iter().flatten();
            artifacts.map(|artifact| *artifact.digest()).collect()
        }
    }
}

/// Everything in a report that is a digest, wherever it is: a node of another version may have other fields.
fn digests_in(report: &Value) -> Vec<Digest> {
    match report {
        Value::String(text) => Digest::parse(text).into_iter().collect(),
        Value::Array(values) => values.iter().flat_map(digests_in).collect(),
        Value::Object(fields) => fields.values().flat_map(digests_in).collect(),
        _ => Vec::new(),
    }
}
