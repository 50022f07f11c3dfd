//! The folder as a store: snapshots, revisions, and transactions that are whole also when the machine loses power.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::artifact::Artifact;
use crate::digest::{DIGEST_TEXT_BYTES, Digest, Hasher};
use crate::document::PolicyName;
use crate::envelope::MAX_ENVELOPE_BYTES;
use crate::store::{DocumentWrite, HistoryWrite, StoreError, layout};

use super::files::{self, LockKind, Stamp};
use super::pending::Pending;

/// How many past states are remembered, for watches that begin after them. A reader watches from what it has just listed.
const REMEMBERED_STATES: usize = 64;

/// The largest revision file, in bytes: a number and a digest.
const MAX_REVISION_BYTES: usize = 20 + 1 + DIGEST_TEXT_BYTES + 1;

/// The digests of all documents, by name.
pub(super) type State = BTreeMap<String, Digest>;

/// Every document at one revision.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) revision: u64,
    pub(super) documents: BTreeMap<String, Bytes>,
    pub(super) state: Arc<State>,
}

/// What shows without reading a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) revision: Option<Stamp>,
    pub(super) policies: Vec<(String, Stamp)>,
}

/// What the revision file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Recorded {
    revision: u64,
    /// Of the state at that revision; another one on disk was made by hand.
    fingerprint: Option<Digest>,
}

#[derive(Debug, Default)]
struct Memory {
    states: VecDeque<(u64, Arc<State>)>,
    /// A revision that could not be recorded, because the folder cannot be written.
    unrecorded: Option<(u64, Digest)>,
}

/// A folder with policies in it. Its methods block.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    memory: Mutex<Memory>,
}

impl Folder {
    /// Makes what is missing of the folder.
    pub(super) fn open(root: PathBuf) -> Result<Self, StoreError> {
        for name in [
            layout::POLICIES,
            layout::HISTORY,
            layout::ARTIFACTS,
            layout::NODES,
        ] {
            files::create_folder(&root.join(name))?;
        }
        files::create_empty(&root.join("lock"))?;
        Ok(Self {
            root,
            memory: Mutex::default(),
        })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn policies(&self) -> PathBuf {
        self.root.join(layout::POLICIES)
    }

    fn policy(&self, name: &PolicyName) -> PathBuf {
        self.policies().join(name.as_str())
    }

    pub(super) fn history(&self, name: &PolicyName) -> PathBuf {
        self.root.join(layout::HISTORY).join(name.as_str())
    }

    pub(super) fn chunk(&self, digest: &Digest, index: u32) -> PathBuf {
        let folder = self.root.join(layout::ARTIFACTS).join(digest.to_string());
        folder.join(layout::chunk_name(index))
    }

    pub(super) fn nodes(&self) -> PathBuf {
        self.root.join(layout::NODES)
    }

    fn pending(&self) -> PathBuf {
        self.root.join("pending")
    }

    fn revision(&self) -> PathBuf {
        self.root.join("revision")
    }

    pub(super) fn lock(&self, kind: LockKind) -> Result<files::Lock, StoreError> {
        files::lock(&self.root.join("lock"), kind)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Nothing that is done under it leaves it half done.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at everything without reading it.
    pub(super) fn scan(&self) -> Result<Scan, StoreError> {
        Ok(Scan {
            revision: files::stamp(&self.revision())?,
            policies: files::stamps(&self.policies())?,
        })
    }

    /// Every document, consistent, under a revision that is theirs alone.
    pub(super) fn snapshot(&self) -> Result<Snapshot, StoreError> {
        {
            let _lock = self.lock(LockKind::Shared)?;
            if files::stamp(&self.pending())?.is_none() {
                let (documents, state) = self.documents()?;
                let recorded = self.recorded()?;
                if recorded.fingerprint == Some(fingerprint(&state)) {
                    return Ok(self.remember(recorded.revision, documents, state));
                }
            }
        }
        // A transaction was cut short, or somebody changed a file by hand: put that right, alone.
        let _lock = self.lock(LockKind::Exclusive)?;
        self.recover()?;
        self.settle()
    }

    /// The documents as they are, and a revision for them: the recorded one, or a new one where they were changed by hand.
    pub(super) fn settle(&self) -> Result<Snapshot, StoreError> {
        let (documents, state) = self.documents()?;
        let recorded = self.recorded()?;
        let fingerprint = fingerprint(&state);
        let unrecorded = self.memory().unrecorded;
        let revision = match (recorded.fingerprint, unrecorded) {
            (Some(same), _) if same == fingerprint => recorded.revision,
            (_, Some((revision, same))) if same == fingerprint => revision,
            // An empty folder that never held anything is at revision 0.
            (None, _) if recorded.revision == 0 && state.is_empty() => 0,
            _ => {
                let latest = unrecorded
                    .map_or(0, |(revision, _)| revision)
                    .max(recorded.revision);
                self.record_or_remember(latest.saturating_add(1), fingerprint)?
            }
        };
        Ok(self.remember(revision, documents, state))
    }

    fn record_or_remember(&self, revision: u64, fingerprint: Digest) -> Result<u64, StoreError> {
        match self.record(revision, fingerprint) {
            Ok(()) => self.memory().unrecorded = None,
            Err(StoreError::Denied { .. }) => self.memory().unrecorded = Some((revision, fingerprint)),
            Err(error) => return Err(error),
        }
        Ok(revision)
    }

    fn remember(&self, revision: u64, documents: BTreeMap<String, Bytes>, state: State) -> Snapshot {
        let state = Arc::new(state);
        let mut memory = self.memory();
        if memory.states.back().is_none_or(|(latest, _)| *latest != revision) {
            memory.states.push_back((revision, Arc::clone(&state)));
        }
        if memory.states.len() > REMEMBERED_STATES {
            memory.states.pop_front();
        }
        Snapshot {
            revision,
            documents,
            state,
        }
    }

    /// The state at a revision from which a watch is to begin.
    pub(super) fn state_at(&self, after: u64) -> Result<Arc<State>, StoreError> {
        let current = self.snapshot()?;
        if after == current.revision {
            return Ok(current.state);
        }
        if after > current.revision {
            return Err(StoreError::Rewound {
                after,
                current: current.revision,
            });
        }
        let memory = self.memory();
        let known = memory.states.iter().rfind(|(revision, _)| *revision == after);
        match known {
            Some((_, state)) => Ok(Arc::clone(state)),
            None if after == 0 => Ok(Arc::default()),
            None => Err(StoreError::Compacted {
                after,
                oldest: memory
                    .states
                    .front()
                    .map_or(current.revision, |(revision, _)| *revision),
            }),
        }
    }

    fn documents(&self) -> Result<(BTreeMap<String, Bytes>, State), StoreError> {
        let mut documents = BTreeMap::new();
        let mut state = State::new();
        for (name, _) in files::stamps(&self.policies())? {
            if let Some(bytes) = files::read(&self.policies().join(&name), MAX_ENVELOPE_BYTES)? {
                state.insert(name.clone(), Digest::of(&bytes));
                documents.insert(name, bytes);
            }
        }
        Ok((documents, state))
    }

    fn recorded(&self) -> Result<Recorded, StoreError> {
        let path = self.revision();
        let Some(bytes) = files::read(&path, MAX_REVISION_BYTES)? else {
            return Ok(Recorded {
                revision: 0,
                fingerprint: None,
            });
        };
        let text = String::from_utf8_lossy(&bytes);
        let mut words = text.split_whitespace();
        let revision = words.next().and_then(|word| word.parse().ok());
        let revision = revision.ok_or_else(|| StoreError::Invalid {
            detail: format!(
                "{}: expected a number and a digest; delete the file, and every node lists anew",
                path.display()
            ),
        })?;
        Ok(Recorded {
            revision,
            fingerprint: words.next().and_then(|word| Digest::parse(word).ok()),
        })
    }

    fn record(&self, revision: u64, fingerprint: Digest) -> Result<(), StoreError> {
        files::write(&self.revision(), format!("{revision} {fingerprint}\n").as_bytes())
    }

    /// Writes documents at once, if each is still as it was read, with their artifacts, which were written before and may have
    /// been collected since.
    pub(super) fn put(&self, writes: &[DocumentWrite], artifacts: &[Artifact]) -> Result<u64, StoreError> {
        let _lock = self.lock(LockKind::Exclusive)?;
        self.recover()?;
        let snapshot = self.settle()?;
        if writes.is_empty() {
            return Ok(snapshot.revision);
        }
        let mut conflicts = Vec::new();
        for write in writes {
            let found = snapshot
                .documents
                .get(write.name.as_str())
                .map(|bytes| mod_revision(bytes));
            let history = self.history(&write.name).join(write.sequence.to_string());
            let is_taken = write.history == HistoryWrite::Appended && files::stamp(&history)?.is_some();
            if found != write.expected || is_taken {
                conflicts.push(write.name.as_str());
            }
        }
        if !conflicts.is_empty() {
            return Err(StoreError::Conflict {
                name: conflicts.join("`, `"),
            });
        }
        for artifact in artifacts {
            self.complete_artifact(artifact)?;
        }
        let pending = Pending::new(snapshot.revision.saturating_add(1), writes);
        files::write(&self.pending(), &pending.to_json())?;
        self.apply(&pending)?;
        Ok(pending.revision)
    }

    /// Ends a transaction that was cut short. Only a process that died can leave one behind, since the lock is held until
    /// it is done.
    pub(super) fn recover(&self) -> Result<(), StoreError> {
        match files::read(&self.pending(), Pending::MAX_BYTES)? {
            Some(bytes) => self.apply(&Pending::parse(&self.pending(), &bytes)?),
            None => Ok(()),
        }
    }

    fn apply(&self, pending: &Pending) -> Result<(), StoreError> {
        for document in &pending.documents {
            let history = self.history(&document.name);
            files::create_folder(&history)?;
            files::write(
                &history.join(document.sequence.to_string()),
                document.value()?.as_slice(),
            )?;
            files::write(&self.policy(&document.name), document.value()?.as_slice())?;
        }
        files::sync_folder(&self.root.join(layout::HISTORY))?;
        let (documents, state) = self.documents()?;
        self.record(pending.revision, fingerprint(&state))?;
        self.remember(pending.revision, documents, state);
        files::remove(&self.pending())?;
        files::sync_folder(&self.root)
    }
}

/// Another number for other bytes: a folder keeps no revision per file, and whoever edits one by hand counts none.
pub(super) fn mod_revision(bytes: &[u8]) -> u64 {
    let digest = Digest::of(bytes);
    let first = digest.as_bytes().first_chunk::<8>().copied().unwrap_or_default();
    u64::from_be_bytes(first)
}

fn fingerprint(state: &State) -> Digest {
    let mut hasher = Hasher::new();
    for (name, digest) in state {
        hasher.update(&(name.len() as u64).to_be_bytes());
        hasher.update(name.as_bytes());
        hasher.update(digest.as_bytes());
    }
    hasher.finish()
}
