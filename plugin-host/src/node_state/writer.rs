//! The thread that writes: what is to be kept waits here, the latest value of each thing, and nobody waits for the disk.

mod queue;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use tokio::sync::watch;

use super::artifact_shelf::ArtifactShelf;
use super::files::{self, Durability};
use super::key::NodeKey;
use super::last_good_set::{self, GoodSet, KeepError};
use super::{RecordError, RecordKind, folder, record_path};
use crate::artifact::{Artifact, ArtifactRef};
use crate::document::PolicyName;
use crate::metrics::StateMetrics;
use crate::priority::Priority;

use queue::{Job, Queue};

/// How nice the thread is: a little, since payments come first, and what it writes is worth the more the sooner it is there.
const NICENESS: i32 = 2;

/// Bytes of artifacts that may wait, four of the largest. Those beyond it have to be fetched again before their set is kept.
const MAX_WAITING_ARTIFACT_BYTES: u64 = 256 * 1024 * 1024;

/// Records that may wait: of four kinds for every policy that a store may hold.
const MAX_WAITING_RECORDS: usize = 16_384;

/// Things of the least importance that may wait, and how many bytes they may hold.
const MAX_WAITING_TASKS: usize = 64;
const MAX_WAITING_TASK_BYTES: usize = 256 * 1024 * 1024;

/// The folder and the key, for those who read and write there.
pub(super) struct Place {
    pub(super) root: PathBuf,
    pub(super) key: NodeKey,
}

impl Place {
    /// Another handle on the same.
    pub(super) fn shared(&self) -> Arc<Self> {
        Arc::new(Self {
            root: self.root.clone(),
            key: self.key.clone(),
        })
    }

    /// The content of a sealed file, where there is one. One that this node did not write is set aside.
    pub(super) fn read(&self, path: &Path, kind: &str, name: &str, max: u64) -> Option<Bytes> {
        let problem = match files::read(path, max) {
            Ok(None) => return None,
            Ok(Some(bytes)) => match self.key.open_sealed(kind, name, &bytes.into()) {
                Ok(content) => return Some(content),
                Err(error) => error.to_string(),
            },
            Err(error) => error.to_string(),
        };
        tracing::error!(path = %path.display(), error = problem, "a file of this node's state is not believed and is set aside");
        self.set_aside(path);
        None
    }

    pub(super) fn set_aside(&self, path: &Path) {
        if let Err(error) = folder::set_aside(&self.root, path) {
            tracing::error!(path = %path.display(), %error, "a file of this node's state cannot be set aside");
        }
    }

    fn write_record(&self, kind: RecordKind, name: &PolicyName, value: Option<&Bytes>) -> io::Result<()> {
        let path = record_path(&self.root, kind, name);
        let folder = path.parent().unwrap_or(&self.root);
        let Some(value) = value else {
            files::remove(&path)?;
            return if folder.exists() {
                files::sync_folder(folder)
            } else {
                Ok(())
            };
        };
        files::create_folder(folder)?;
        let seal = self.key.seal(kind.0, name.as_str(), &[value]);
        files::write(&path, &[&seal, value], Durability::Durable)
    }
}

/// What the thread and those who give it work share.
struct Shared {
    place: Arc<Place>,
    queue: Mutex<Queue>,
    changed: Condvar,
    /// Counts how often nothing was left to do.
    settled: watch::Sender<u64>,
    metrics: StateMetrics,
}

/// Gives the thread work. The thread ends with the first of its handles' owner: [`Writer`] itself.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Gives the thread work that may be left undone; does not keep it alive.
#[derive(Clone)]
pub(crate) struct LaterWork(Arc<Shared>);

impl LaterWork {
    /// Has something done when nothing is more important, unless too much waits already. Says whether it will be.
    pub(crate) fn later(&self, bytes: usize, task: impl FnOnce() + Send + 'static) -> bool {
        let mut queue = self.0.queue();
        let is_full = queue.tasks.len() >= MAX_WAITING_TASKS
            || queue.task_bytes.saturating_add(bytes) > MAX_WAITING_TASK_BYTES;
        if queue.is_closed || is_full {
            return false;
        }
        queue.task_bytes += bytes;
        queue.tasks.push_back((bytes, Box::new(task)));
        self.0.changed.notify_one();
        true
    }
}

impl Writer {
    pub(super) fn start(place: Arc<Place>, metrics: StateMetrics) -> io::Result<Self> {
        metrics.writable.set(1);
        let shared = Arc::new(Shared {
            place,
            queue: Mutex::default(),
            changed: Condvar::new(),
            settled: watch::Sender::new(0),
            metrics,
        });
        let worker = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("policy-state".to_owned())
            .spawn(move || {
                Priority::background(NICENESS).of_this_thread("policy-state");
                worker.run();
            })?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// For work that may be left undone.
    pub(crate) fn later_work(&self) -> LaterWork {
        LaterWork(Arc::clone(&self.shared))
    }

    /// The set of this revision was on the disk when the node started.
    pub(super) fn found(&self, revision: u64) {
        self.shared.metrics.saved_revision.set(revision);
    }

    pub(super) fn keep_artifact(&self, artifact: Artifact) {
        let mut queue = self.shared.queue();
        let (digest, size) = (*artifact.reference().digest(), artifact.reference().size());
        queue.expected.insert(digest);
        if queue.artifact_bytes.saturating_add(size) <= MAX_WAITING_ARTIFACT_BYTES {
            queue.artifact_bytes += size;
            if queue.artifacts.insert(digest, artifact).is_some() {
                queue.artifact_bytes = queue.artifact_bytes.saturating_sub(size);
            }
        }
        self.shared.wake(queue);
    }

    pub(super) fn keep_set(&self, set: GoodSet) {
        let mut queue = self.shared.queue();
        queue.set = Some(Arc::new(set));
        queue.expected.clear();
        self.shared.wake(queue);
    }

    pub(super) fn keep_record(
        &self,
        kind: RecordKind,
        name: &PolicyName,
        value: Option<Bytes>,
    ) -> Result<(), RecordError> {
        let mut queue = self.shared.queue();
        let key = (kind, name.clone());
        let found = queue.records.len();
        if found >= MAX_WAITING_RECORDS && !queue.records.contains_key(&key) {
            return Err(RecordError::TooMany { found });
        }
        queue.records.insert(key, value);
        self.shared.wake(queue);
        Ok(())
    }

    /// What waits to be written of a record: a value, or that it is deleted.
    pub(super) fn pending_record(&self, kind: RecordKind, name: &PolicyName) -> Option<Option<Bytes>> {
        self.shared.queue().records.get(&(kind, name.clone())).cloned()
    }

    pub(super) fn retry(&self) {
        let queue = self.shared.queue();
        self.shared.wake(queue);
    }

    pub(super) fn missing_artifacts(&self) -> Vec<ArtifactRef> {
        self.shared.queue().missing.clone()
    }

    pub(super) async fn settled(&self) {
        let mut settled = self.shared.settled.subscribe();
        while !self.shared.is_settled() {
            // The sender is here.
            if settled.changed().await.is_err() {
                return;
            }
        }
    }
}

impl Drop for Writer {
    /// Ends the thread after what it can write still.
    fn drop(&mut self) {
        let mut queue = self.shared.queue();
        queue.is_closed = true;
        drop(queue);
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes this node's state had panicked");
        }
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is something new, so that everything is tried.
    fn wake(&self, mut queue: MutexGuard<'_, Queue>) {
        queue.is_stalled = false;
        drop(queue);
        self.changed.notify_one();
    }

    fn is_settled(&self) -> bool {
        let queue = self.queue();
        !queue.is_busy && queue.tasks.is_empty() && (queue.is_empty() || queue.is_stalled)
    }

    fn run(&self) {
        let mut queue = self.queue();
        loop {
            queue.is_busy = false;
            let Some(job) = queue.next() else {
                if queue.is_closed {
                    return;
                }
                self.settled.send_modify(|times| *times += 1);
                queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            queue.is_busy = true;
            drop(queue);
            let (job, result) = self.perform(job);
            queue = self.queue();
            match result {
                Ok(()) => queue.written(&job),
                Err(error) => {
                    if let KeepError::Missing(missing) = &error {
                        queue.missing.clone_from(missing);
                    }
                    queue.is_stalled = true;
                    self.failed(&mut queue, &error);
                }
            }
            if queue.is_empty() {
                self.recovered(&mut queue);
            }
        }
    }

    /// Does it, and gives back what it was.
    fn perform(&self, job: Job) -> (Job, Result<(), KeepError>) {
        let result = match job {
            Job::Task(task) => {
                task();
                return (Job::Task(Box::new(|| {})), Ok(()));
            }
            Job::Artifact(ref artifact) => ArtifactShelf::new(Arc::clone(&self.place))
                .put(artifact)
                .map_err(KeepError::from),
            Job::Set(ref set) => self.write_set(set),
            Job::Record(kind, ref name, ref value) => self
                .place
                .write_record(kind, name, value.as_ref())
                .map_err(KeepError::from),
        };
        (job, result)
    }

    fn write_set(&self, set: &Arc<GoodSet>) -> Result<(), KeepError> {
        last_good_set::write(&self.place, set)?;
        self.metrics.saved_revision.set(set.revision);
        let expected = {
            let queue = self.queue();
            let waits_no_other = queue
                .set
                .as_ref()
                .is_some_and(|waiting| Arc::ptr_eq(waiting, set));
            waits_no_other.then(|| queue.expected.clone())
        };
        // A set that waits may name what this one does not: it clears away then.
        if let Some(expected) = expected {
            last_good_set::clear(&self.place, set, &expected);
        }
        Ok(())
    }

    /// Said once, until it is another problem or none.
    fn failed(&self, queue: &mut Queue, error: &KeepError) {
        self.metrics.write_failures.inc();
        self.metrics.writable.set(0);
        let problem = error.to_string();
        if queue.problem.as_ref() != Some(&problem) {
            tracing::error!(
                path = %self.place.root.display(),
                error = problem,
                "this node's state cannot be written; decisions go on, and it is tried again with the next change and the next listing of the store"
            );
        }
        queue.problem = Some(problem);
    }

    fn recovered(&self, queue: &mut Queue) {
        if queue.problem.take().is_some() {
            self.metrics.writable.set(1);
            tracing::info!(path = %self.place.root.display(), "this node's state is written again");
        }
    }
}
