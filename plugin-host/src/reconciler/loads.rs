//! Loads under way. They go on beside what the store says meanwhile, so that an artifact that compiles for a minute holds up
//! no other; documents that were pushed together still come into force together.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use application::ports::Clock;
use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::task::{self, JoinSet};

use super::known::Begun;
use super::refusal::Refusal;
use crate::artifact;
use crate::document::{PolicyDocument, Retirement};
use crate::load_error::LoadError;
use crate::loader::Loader;
use crate::metrics::HostMetrics;
use crate::policy::Policy;
use crate::quarantine::{Quarantine, Supervision};
use crate::release::Release;
use crate::store::PolicyStore;

/// Artifacts that are fetched or compiled at the same time; each may hold the largest artifact in memory.
pub(crate) const MAX_LOADS: usize = 4;

/// How many of them may be of documents that were refused before: what is new must not wait for what has failed, and some of
/// that takes its whole time at each try.
const MAX_RETRIES: usize = 2;

/// A document that passed every check but those of its artifact.
#[derive(Clone)]
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) value: Bytes,
    pub(super) document: Arc<PolicyDocument>,
    /// The policy of its artifact, where some release runs it already: only the document changed.
    pub(super) compiled: Option<Arc<Policy>>,
    pub(super) begun: Begun,
}

/// A document that retires its policy and passed every check; there is nothing to load of it.
pub(super) struct Retiring {
    pub(super) name: String,
    pub(super) value: Bytes,
    pub(super) retirement: Retirement,
}

/// What came of a candidate, and how long it took.
pub(super) struct Loaded {
    pub(super) candidate: Candidate,
    pub(super) result: Result<Release, Refusal>,
    pub(super) elapsed: Duration,
}

/// Candidates of one transaction, all loaded, and what it retires.
pub(super) struct Batch {
    /// Whether it is of what the store held when this node started.
    pub(super) is_first: bool,
    pub(super) loaded: Vec<Loaded>,
    pub(super) retiring: Vec<Retiring>,
}

/// Loads what changed, each document in a task of its own.
pub(super) struct Loads {
    loading: Loading,
    tasks: JoinSet<(Result<Release, Refusal>, Duration)>,
    under_way: HashMap<task::Id, UnderWay>,
    batches: HashMap<u64, OpenBatch>,
    /// Batches that were begun, by which they are numbered.
    begun: u64,
}

/// What a task loads. It is kept here, so that it is not lost with a task that panics.
struct UnderWay {
    candidate: Candidate,
    batch: u64,
    since: Instant,
}

/// A batch that is not yet loaded.
struct OpenBatch {
    left: usize,
    batch: Batch,
}

/// What loading a candidate takes.
#[derive(Clone)]
struct Loading {
    store: Arc<dyn PolicyStore>,
    loader: Loader,
    clock: Arc<dyn Clock>,
    metrics: HostMetrics,
    supervision: Arc<Supervision>,
    timeout: Duration,
    permits: Arc<Semaphore>,
    retry_permits: Arc<Semaphore>,
}

impl Loads {
    pub(super) fn new(
        store: Arc<dyn PolicyStore>,
        loader: Loader,
        clock: Arc<dyn Clock>,
        metrics: HostMetrics,
        supervision: Arc<Supervision>,
        timeout: Duration,
    ) -> Self {
        let loading = Loading {
            store,
            loader,
            clock,
            metrics,
            supervision,
            timeout,
            permits: Arc::new(Semaphore::new(MAX_LOADS)),
            retry_permits: Arc::new(Semaphore::new(MAX_RETRIES)),
        };
        Self {
            loading,
            tasks: JoinSet::new(),
            under_way: HashMap::new(),
            batches: HashMap::new(),
            begun: 0,
        }
    }

    /// Begins to load what changed together with what is to be retired.
    pub(super) fn begin(&mut self, is_first: bool, candidates: Vec<Candidate>, retiring: Vec<Retiring>) {
        self.begun += 1;
        let open = OpenBatch {
            left: candidates.len(),
            batch: Batch {
                is_first,
                loaded: Vec::with_capacity(candidates.len()),
                retiring,
            },
        };
        self.batches.insert(self.begun, open);
        for candidate in candidates {
            let task = self.tasks.spawn(self.loading.clone().load(candidate.clone()));
            let under_way = UnderWay {
                candidate,
                batch: self.begun,
                since: Instant::now(),
            };
            self.under_way.insert(task.id(), under_way);
        }
    }

    /// Whether nothing is being loaded.
    pub(super) fn is_idle(&self) -> bool {
        self.batches.is_empty()
    }

    /// The next batch that is loaded; never, while nothing is. May be dropped while it waits: nothing is lost.
    pub(super) async fn next(&mut self) -> Batch {
        loop {
            let ended = match self.tasks.join_next_with_id().await {
                Some(Ok((id, ended))) => self.ended(id, Some(ended)),
                Some(Err(error)) => {
                    tracing::error!(%error, "a task that loads a policy had panicked");
                    self.ended(error.id(), None)
                }
                None => std::future::pending().await,
            };
            if let Some(batch) = ended {
                return batch;
            }
        }
    }

    /// A task has ended, and how; nothing where it panicked. Its batch, where it was the last of it.
    fn ended(&mut self, id: task::Id, ended: Option<(Result<Release, Refusal>, Duration)>) -> Option<Batch> {
        let UnderWay {
            candidate,
            batch,
            since,
        } = self.under_way.remove(&id)?;
        let open = self.batches.get_mut(&batch)?;
        let (result, elapsed) = ended.unwrap_or_else(|| {
            let refusal = Refusal::from(LoadError::Panicked).of(&candidate.document);
            (Err(refusal), since.elapsed())
        });
        open.batch.loaded.push(Loaded {
            candidate,
            result,
            elapsed,
        });
        open.left = open.left.saturating_sub(1);
        if open.left > 0 {
            return None;
        }
        self.batches.remove(&batch).map(|open| open.batch)
    }
}

impl Loading {
    /// What comes of a candidate, and how long it took from when it was its turn.
    async fn load(self, candidate: Candidate) -> (Result<Release, Refusal>, Duration) {
        // Neither is ever closed.
        let _retry_permit = if candidate.begun.is_retry {
            Some(self.retry_permits.acquire().await)
        } else {
            None
        };
        let _permit = self.permits.acquire().await;
        let started = Instant::now();
        let document = candidate.document;
        let result = tokio::time::timeout(self.timeout, self.release(&document, candidate.compiled))
            .await
            .unwrap_or_else(|_| Err(Refusal::too_slow(self.timeout)))
            .map_err(|refusal| refusal.of(&document));
        (result, started.elapsed())
    }

    async fn release(
        &self,
        document: &Arc<PolicyDocument>,
        compiled: Option<Arc<Policy>>,
    ) -> Result<Release, Refusal> {
        let policy = match compiled {
            Some(policy) => self.loader.reuse(Arc::clone(document), policy).await,
            None => {
                let bytes = artifact::fetch(&*self.store, &document.artifact).await?;
                self.loader.load(Arc::clone(document), bytes).await
            }
        }?;
        let metrics = self.metrics.of_policy(document.name.as_str());
        let quarantine = Quarantine::new(Arc::clone(&self.supervision), document.limits.deadline());
        Ok(Release::new(
            policy,
            document,
            self.clock.now(),
            metrics,
            quarantine,
        )?)
    }
}
