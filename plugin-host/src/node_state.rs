//! What a node keeps for itself: a folder of this machine that no other process shares.
//!
//! It holds the last good set with the highest sequence of every policy, small records of others by kind and policy, and the
//! machine code that this node compiled. Nothing in it is needed: a node without it takes everything from the store. And nothing in it is
//! believed that this node did not write: what was cut, altered or copied from elsewhere is set aside and named in the log.
//!
//! Whoever keeps something is not held up: a thread of the folder's own writes, in order, and the latest value of each thing
//! is what counts. What cannot be written is written later; decisions go on.

mod artifact_shelf;
pub(crate) mod files;
mod folder;
pub(crate) mod key;
mod last_good_set;
mod writer;

pub(crate) use artifact_shelf::ArtifactShelf;
pub(crate) use last_good_set::{GoodSet, KeptPolicy, KeptRelease, RestoredSet};
pub(crate) use writer::{LaterWork, Writer};

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use thiserror::Error;

use crate::artifact::{Artifact, ArtifactRef};
use crate::document::PolicyName;
use crate::metrics::StateMetrics;

use folder::{Folder, MACHINE_CODE, RECORDS};
use key::NodeKey;
use writer::Place;

/// The largest record, in bytes: what a part of the gateway notes of one policy.
pub(crate) const MAX_RECORD_BYTES: usize = 64 * 1024;

/// Why the folder of the node's state cannot be used.
#[derive(Debug, Error)]
pub enum NodeStateError {
    /// The system does not allow it.
    #[error("cannot {action} `{path}`: {cause}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        cause: io::Error,
    },
    /// Something else is there.
    #[error("`{path}` is no folder, expected one that is this gateway's alone")]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// Others than the owner have access.
    #[error(
        "`{path}` has mode {mode:04o}: others than its owner have access, expected {expected:04o} (chmod it)"
    )]
    Exposed {
        /// The file or folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// What they should be.
        expected: u32,
    },
    /// Another gateway has it.
    #[error(
        "another gateway runs with the folder `{path}`: give each gateway of a machine a `policies.state_path` of its own"
    )]
    InUse {
        /// The folder.
        path: PathBuf,
    },
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> NodeStateError {
    move |cause| NodeStateError::Io {
        path: path.to_owned(),
        action,
        cause,
    }
}

/// What a record is for. A part of its file's path, so it is one of those that are named here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RecordKind(&'static str);

impl RecordKind {
    /// Of this name: lower-case letters and dashes.
    pub(crate) const fn named(name: &'static str) -> Self {
        Self(name)
    }
}

/// The state of this node, open until it is dropped.
pub(crate) struct NodeState {
    /// Before the folder: its last writes end before another process may have that.
    writer: Writer,
    place: Arc<Place>,
    folder: Folder,
}

impl NodeState {
    /// Takes the folder and makes what is missing of it, its key first of all.
    ///
    /// # Errors
    /// When another process has it, when others than its owner have access, and when it cannot be made or read.
    pub(crate) fn open(path: &Path, metrics: StateMetrics) -> Result<Self, NodeStateError> {
        let folder = Folder::open(path)?;
        let key = NodeKey::open(&folder.path.join("node.key"))?;
        let place = Arc::new(Place {
            root: folder.path.clone(),
            key,
        });
        let writer =
            Writer::start(Arc::clone(&place), metrics).map_err(failed("start a thread for", path))?;
        Ok(Self {
            writer,
            place,
            folder,
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.folder.path
    }

    /// The key of this node.
    pub(crate) fn key(&self) -> &NodeKey {
        &self.place.key
    }

    /// Where machine code is kept.
    pub(crate) fn machine_code(&self) -> PathBuf {
        self.folder.path.join(MACHINE_CODE)
    }

    /// What writes here.
    pub(crate) const fn writer(&self) -> &Writer {
        &self.writer
    }

    /// The artifacts of the last good set.
    pub(crate) fn artifacts(&self) -> ArtifactShelf {
        ArtifactShelf::new(Arc::clone(&self.place))
    }

    /// The set that was kept last, where one was. Blocks: call it off the async threads.
    pub(crate) fn last_good_set(&self) -> Option<RestoredSet> {
        let restored = last_good_set::read(&self.place)?;
        self.writer.found(restored.set.revision);
        Some(restored)
    }

    /// Keeps an artifact for the sets after this, without waiting.
    pub(crate) fn keep_artifact(&self, artifact: Artifact) {
        self.writer.keep_artifact(artifact);
    }

    /// Keeps a set in place of the one before, without waiting. Its artifacts were kept before.
    pub(crate) fn keep(&self, set: GoodSet) {
        self.writer.keep_set(set);
    }

    /// Tries again what could not be written.
    pub(crate) fn retry(&self) {
        self.writer.retry();
    }

    /// The artifacts without which the latest set cannot be kept: they have to be fetched and kept again.
    pub(crate) fn missing_artifacts(&self) -> Vec<ArtifactRef> {
        self.writer.missing_artifacts()
    }

    /// Waits until everything is written, or cannot be for now.
    pub(crate) async fn settled(&self) {
        self.writer.settled().await;
    }

    /// The record of a policy, where there is one: the value that was written last. Blocks: call it off the async threads.
    pub(crate) fn read_record(&self, kind: RecordKind, name: &PolicyName) -> Option<Bytes> {
        match self.writer.pending_record(kind, name) {
            Some(pending) => pending,
            None => self.place.read(
                &record_path(&self.folder.path, kind, name),
                kind.0,
                name.as_str(),
                MAX_RECORD_BYTES as u64,
            ),
        }
    }

    /// Keeps a record of a policy in place of the one before, without waiting.
    ///
    /// # Errors
    /// When it has more than [`MAX_RECORD_BYTES`], and where more records wait than there are policies of any store.
    pub(crate) fn write_record(
        &self,
        kind: RecordKind,
        name: &PolicyName,
        bytes: Bytes,
    ) -> Result<(), RecordError> {
        if bytes.len() > MAX_RECORD_BYTES {
            return Err(RecordError::TooLarge { found: bytes.len() });
        }
        self.writer.keep_record(kind, name, Some(bytes))
    }

    /// Deletes the record of a policy, without waiting.
    ///
    /// # Errors
    /// As for [`NodeState::write_record`].
    pub(crate) fn remove_record(&self, kind: RecordKind, name: &PolicyName) -> Result<(), RecordError> {
        self.writer.keep_record(kind, name, None)
    }
}

/// Why a record is not kept.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum RecordError {
    /// It is no small one.
    #[error("the record has {found} bytes, expected at most {MAX_RECORD_BYTES}")]
    TooLarge {
        /// How many it has.
        found: usize,
    },
    /// The disk takes nothing, and many wait.
    #[error("{found} records wait to be written, and no more may")]
    TooMany {
        /// How many.
        found: usize,
    },
}

/// Both parts are safe in a path: a kind is a constant, and a name has nothing but letters, digits and dashes.
fn record_path(root: &Path, kind: RecordKind, name: &PolicyName) -> PathBuf {
    root.join(RECORDS).join(kind.0).join(name.as_str())
}

#[cfg(test)]
mod tests;
