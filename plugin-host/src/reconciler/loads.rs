//! Loads under way. They go on beside what the store says meanwhile, so that an artifact that compiles for a minute holds up
//! no other; documents that were pushed together still come into force together.

use std::sync::Arc;
use std::time::{Duration, Instant};

use application::ports::Clock;
use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::refusal::Refusal;
use crate::artifact;
use crate::document::PolicyDocument;
use crate::loader::Loader;
use crate::metrics::HostMetrics;
use crate::policy::Policy;
use crate::quarantine::{Quarantine, Supervision};
use crate::release::Release;
use crate::store::PolicyStore;

/// Artifacts that are fetched or compiled at the same time; each may hold the largest artifact in memory.
pub(crate) const MAX_LOADS: usize = 4;

/// A document that passed every check but those of its artifact.
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) value: Bytes,
    pub(super) document: Arc<PolicyDocument>,
    /// The policy of its artifact, where some release runs it already: only the document changed.
    pub(super) compiled: Option<Arc<Policy>>,
    /// As [`super::known::Known::begin`] said.
    pub(super) generation: u64,
}

/// What came of a candidate, and how long it took.
pub(super) struct Loaded {
    pub(super) candidate: Candidate,
    pub(super) result: Result<Release, Refusal>,
    pub(super) elapsed: Duration,
}

/// Candidates of one change to the store, all loaded.
pub(super) struct Batch {
    /// Whether it is all that the store held when this node started.
    pub(super) is_first: bool,
    pub(super) loaded: Vec<Loaded>,
}

/// Loads what changed, in tasks of its own.
pub(super) struct Loads {
    loading: Loading,
    batches: JoinSet<Batch>,
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
        };
        Self {
            loading,
            batches: JoinSet::new(),
        }
    }

    /// Begins to load what changed together.
    pub(super) fn begin(&mut self, is_first: bool, candidates: Vec<Candidate>) {
        let loading = self.loading.clone();
        self.batches.spawn(async move {
            let mut loads = JoinSet::new();
            for candidate in candidates {
                loads.spawn(loading.clone().load(candidate));
            }
            let mut loaded = Vec::new();
            while let Some(joined) = loads.join_next().await {
                match joined {
                    Ok(one) => loaded.push(one),
                    Err(error) => tracing::error!(%error, "a task that loads a policy had panicked"),
                }
            }
            Batch { is_first, loaded }
        });
    }

    /// Whether nothing is being loaded.
    pub(super) fn is_idle(&self) -> bool {
        self.batches.is_empty()
    }

    /// The next batch that is loaded; never, while nothing is.
    pub(super) async fn next(&mut self) -> Batch {
        loop {
            match self.batches.join_next().await {
                Some(Ok(batch)) => return batch,
                Some(Err(error)) => tracing::error!(%error, "a task that loads policies had panicked"),
                None => std::future::pending().await,
            }
        }
    }
}

impl Loading {
    async fn load(self, candidate: Candidate) -> Loaded {
        // Never closed.
        let _permit = self.permits.acquire().await;
        let started = Instant::now();
        let document = Arc::clone(&candidate.document);
        let compiled = candidate.compiled.clone();
        let result = tokio::time::timeout(self.timeout, self.release(&document, compiled))
            .await
            .unwrap_or_else(|_| Err(Refusal::too_slow(self.timeout)))
            .map_err(|refusal| refusal.of(&document));
        Loaded {
            candidate,
            result,
            elapsed: started.elapsed(),
        }
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
