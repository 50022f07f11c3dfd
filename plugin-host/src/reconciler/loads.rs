//! Loads under way. They go on beside what the store says meanwhile, so that an artifact that compiles for a minute holds up
//! no other; documents that were pushed together still come into force together.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use application::ports::Clock;
use bytes::Bytes;
use domain::Timestamp;
use tokio::sync::Semaphore;
use tokio::task::{self, JoinSet};

use super::known::Begun;
use super::refusal::Refusal;
use crate::artifact::{self, Artifact, ArtifactRef};
use crate::digest::Digest;
use crate::document::{PolicyDocument, Retirement};
use crate::load_error::LoadError;
use crate::loader::Loader;
use crate::metrics::HostMetrics;
use crate::node_state::ArtifactShelf;
use crate::policy::Policy;
use crate::quarantine::{Quarantine, Supervision};
use crate::release::Release;
use crate::rollout::RolloutRecords;
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
    /// The same of the artifact of its candidate.
    pub(super) candidate_compiled: Option<Arc<Policy>>,
    pub(super) begun: Begun,
    /// When its signatures were found to be enough.
    pub(super) taken_at: Timestamp,
}

/// A document that retires its policy and passed every check; there is nothing to load of it.
pub(super) struct Retiring {
    pub(super) name: String,
    pub(super) value: Bytes,
    pub(super) retirement: Retirement,
}

/// What a document says is to run.
pub(super) struct Releases {
    pub(super) release: Release,
    /// The one on trial beside it.
    pub(super) candidate: Option<Release>,
    /// What this node noted of a trial before it was started.
    pub(super) noted: Option<Bytes>,
    /// Artifacts that came from the store and not from this node's disk.
    pub(super) fetched: Vec<Artifact>,
}

/// What came of a candidate, and how long it took.
pub(super) struct Loaded {
    pub(super) candidate: Candidate,
    pub(super) result: Result<Releases, Refusal>,
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
    tasks: JoinSet<(Result<Releases, Refusal>, Duration)>,
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

/// Where everything comes from that a document needs.
#[derive(Clone)]
pub(super) struct Sources {
    pub(super) store: Arc<dyn PolicyStore>,
    /// Artifacts on this node's disk, where it keeps some.
    pub(super) shelf: Option<ArtifactShelf>,
    /// What this node noted of candidates.
    pub(super) records: Arc<dyn RolloutRecords>,
}

/// What loading a candidate takes.
#[derive(Clone)]
struct Loading {
    sources: Sources,
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
        sources: Sources,
        loader: Loader,
        clock: Arc<dyn Clock>,
        metrics: HostMetrics,
        supervision: Arc<Supervision>,
        timeout: Duration,
    ) -> Self {
        let loading = Loading {
            sources,
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

    /// These artifacts are in force.
    pub(super) fn in_use(&self, digests: &BTreeSet<Digest>) {
        self.loading.loader.in_use(digests);
    }

    /// Payments are decided from now on, and come before what is loaded.
    pub(super) fn make_way(&self) {
        self.loading.loader.make_way();
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
    fn ended(&mut self, id: task::Id, ended: Option<(Result<Releases, Refusal>, Duration)>) -> Option<Batch> {
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
    async fn load(self, candidate: Candidate) -> (Result<Releases, Refusal>, Duration) {
        // Neither is ever closed.
        let _retry_permit = if candidate.begun.is_retry {
            Some(self.retry_permits.acquire().await)
        } else {
            None
        };
        let _permit = self.permits.acquire().await;
        let started = Instant::now();
        let document = Arc::clone(&candidate.document);
        let result = tokio::time::timeout(self.timeout, self.releases(candidate))
            .await
            .unwrap_or_else(|_| Err(Refusal::too_slow(self.timeout)))
            .map_err(|refusal| refusal.of(&document));
        (result, started.elapsed())
    }

    /// Both releases of a document: where one is refused, all of it is.
    async fn releases(&self, candidate: Candidate) -> Result<Releases, Refusal> {
        let Candidate {
            document,
            compiled,
            candidate_compiled,
            begun,
            ..
        } = candidate;
        let mut fetched = Vec::new();
        let Some(promoted) = document.promoted() else {
            let release = self.release(&document, compiled, begun, &mut fetched).await?;
            return Ok(Releases {
                release,
                candidate: None,
                noted: None,
                fetched,
            });
        };
        let stable = Arc::new(document.without_candidate());
        let release = self.release(&stable, compiled, begun, &mut fetched).await?;
        // The same component under other parameters was compiled a moment ago.
        let is_the_same = promoted.artifact.digest() == release.policy().digest();
        let compiled = candidate_compiled.or_else(|| is_the_same.then(|| Arc::clone(release.policy())));
        let candidate = self
            .release(&Arc::new(promoted), compiled, begun, &mut fetched)
            .await
            .map_err(Refusal::of_the_candidate)?;
        let records = Arc::clone(&self.sources.records);
        let noted = task::spawn_blocking(move || records.read(&document.name)).await;
        Ok(Releases {
            release,
            candidate: Some(candidate),
            noted: noted.ok().flatten(),
            fetched,
        })
    }

    /// One release. Its artifact goes to those that were fetched, where it was.
    async fn release(
        &self,
        document: &Arc<PolicyDocument>,
        compiled: Option<Arc<Policy>>,
        begun: Begun,
        fetched: &mut Vec<Artifact>,
    ) -> Result<Release, Refusal> {
        let policy = match compiled {
            Some(policy) => self.loader.reuse(Arc::clone(document), policy).await?,
            None => {
                let (artifact, is_fetched) = self.artifact(document.artifact, begun.is_kept).await?;
                let bytes = artifact.bytes().clone();
                if is_fetched {
                    fetched.push(artifact);
                }
                self.loader.load(Arc::clone(document), bytes).await?
            }
        };
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

    /// The artifact of a document, from this node's disk where it is there; whether it came from the store. What was in force before
    /// this node started is not asked for there: the store may be away, and it has its own word to say.
    async fn artifact(&self, reference: ArtifactRef, is_kept: bool) -> Result<(Artifact, bool), Refusal> {
        if let Some(shelf) = self.sources.shelf.clone() {
            let taken = task::spawn_blocking(move || shelf.take(&reference)).await;
            if let Ok(Some(bytes)) = taken {
                return Ok((Artifact::verified(reference, bytes.into()), false));
            }
        }
        if is_kept {
            return Err(Refusal::artifact_not_kept());
        }
        let bytes = artifact::fetch(&*self.sources.store, &reference).await?;
        Ok((Artifact::verified(reference, bytes.into()), true))
    }
}
