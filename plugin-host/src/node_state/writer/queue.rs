//! What waits to be written, and in which order it is.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use crate::artifact::{Artifact, ArtifactRef};
use crate::digest::Digest;
use crate::document::PolicyName;
use crate::node_state::RecordKind;
use crate::node_state::last_good_set::GoodSet;

/// Work that may be left undone.
pub(super) type Task = Box<dyn FnOnce() + Send>;

/// What waits.
#[derive(Default)]
pub(super) struct Queue {
    pub(super) artifacts: BTreeMap<Digest, Artifact>,
    pub(super) artifact_bytes: u64,
    pub(super) set: Option<Arc<GoodSet>>,
    pub(super) records: BTreeMap<(RecordKind, PolicyName), Option<Bytes>>,
    pub(super) tasks: VecDeque<(usize, Task)>,
    pub(super) task_bytes: usize,
    /// Artifacts that were kept since the latest set: the next one may name them.
    pub(super) expected: BTreeSet<Digest>,
    /// What the latest set lacks.
    pub(super) missing: Vec<ArtifactRef>,
    /// What could not be written waits until it is tried again.
    pub(super) is_stalled: bool,
    pub(super) is_busy: bool,
    pub(super) is_closed: bool,
    /// What went wrong last.
    pub(super) problem: Option<String>,
}

/// What is done next.
pub(super) enum Job {
    Artifact(Artifact),
    Set(Arc<GoodSet>),
    Record(RecordKind, PolicyName, Option<Bytes>),
    Task(Task),
}

impl Queue {
    /// What a set names comes before it, and what is missed least comes last.
    pub(super) fn next(&mut self) -> Option<Job> {
        if !self.is_stalled {
            if let Some(artifact) = self.artifacts.values().next() {
                return Some(Job::Artifact(artifact.clone()));
            }
            if let Some(set) = &self.set {
                return Some(Job::Set(Arc::clone(set)));
            }
            if let Some(((kind, name), value)) = self.records.iter().next() {
                return Some(Job::Record(*kind, name.clone(), value.clone()));
            }
        }
        let (bytes, task) = self.tasks.pop_front()?;
        self.task_bytes = self.task_bytes.saturating_sub(bytes);
        Some(Job::Task(task))
    }

    /// Takes away what was written, unless there is something newer.
    pub(super) fn written(&mut self, job: &Job) {
        match job {
            Job::Artifact(artifact) => self.forget_artifact(artifact.reference().digest()),
            Job::Set(set) => {
                self.missing.clear();
                if self.set.as_ref().is_some_and(|waiting| Arc::ptr_eq(waiting, set)) {
                    self.set = None;
                }
            }
            Job::Record(kind, name, value) => {
                let key = (*kind, name.clone());
                if self.records.get(&key) == Some(value) {
                    self.records.remove(&key);
                }
            }
            Job::Task(_) => {}
        }
    }

    pub(super) fn forget_artifact(&mut self, digest: &Digest) {
        if let Some(artifact) = self.artifacts.remove(digest) {
            self.artifact_bytes = self.artifact_bytes.saturating_sub(artifact.reference().size());
        }
    }

    /// Whether all that has to be written is.
    pub(super) fn is_empty(&self) -> bool {
        self.artifacts.is_empty() && self.set.is_none() && self.records.is_empty()
    }
}
