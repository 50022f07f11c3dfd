//! From what the store says to what is in force on this node, for as long as the gateway runs.
//!
//! Desired state comes from the store: a full listing first, then a watch from the listing's revision, and a listing again
//! after every loss and every so often. Actual state is the policy set. Whatever is wrong with a document, the release that
//! is in force stays, and every other policy is left alone. Documents of one transaction come into force by one swap.

mod backoff;
mod known;
mod refusal;
mod reporter;
mod status_board;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use application::ports::Clock;
use bytes::Bytes;
use domain::Timestamp;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::artifact;
use crate::config::Config;
use crate::document::PolicyDocument;
use crate::loader::Loader;
use crate::metrics::HostMetrics;
use crate::node_status::NodeId;
use crate::policy::Policy;
use crate::policy_set::InForce;
use crate::quarantine::{MachineTime, Quarantine, Supervision};
use crate::release::Release;
use crate::store::{PolicyStore, StoreError, StoreListing, WatchEvent};
use crate::wasm_engine::WasmRiskPolicyEngine;

use backoff::Backoff;
use known::Known;
use refusal::Refusal;
use reporter::Reporter;
use status_board::StatusBoard;

/// Artifacts that are fetched or compiled at the same time; each may hold the largest artifact in memory.
const MAX_LOADS: usize = 4;

/// Keeps the policy set at what the store says.
pub(crate) struct Reconciler {
    store: Arc<dyn PolicyStore>,
    loader: Loader,
    engine: Arc<WasmRiskPolicyEngine>,
    clock: Arc<dyn Clock>,
    metrics: HostMetrics,
    supervision: Arc<Supervision>,
    board: Arc<StatusBoard>,
    relist_interval: Duration,
    load_timeout: Duration,
    /// Policies that this node may not be without.
    required: BTreeSet<String>,
    known: BTreeMap<String, Known>,
    revision: u64,
}

/// A document that passed every check but those of its artifact.
struct Candidate {
    name: String,
    value: Bytes,
    document: Arc<PolicyDocument>,
}

impl Reconciler {
    pub(crate) fn new(
        store: Arc<dyn PolicyStore>,
        loader: Loader,
        engine: Arc<WasmRiskPolicyEngine>,
        clock: Arc<dyn Clock>,
        metrics: HostMetrics,
        node: NodeId,
        config: &Config,
    ) -> Self {
        let reporter = Reporter::new(Arc::clone(&store), node, clock.now());
        let quarantines = Arc::new(Notify::new());
        let supervision = Supervision::new(
            config.quarantine.clone(),
            Box::new(MachineTime::start()),
            Arc::clone(&clock),
            Arc::clone(&quarantines),
        );
        let board = StatusBoard::new(Arc::clone(&engine), metrics.clone(), reporter, quarantines);
        let relist_interval = Duration::from_millis(config.relist_interval_ms.max(1_000));
        Self {
            store,
            loader,
            engine,
            clock,
            metrics,
            supervision: Arc::new(supervision),
            board: Arc::new(board),
            relist_interval,
            load_timeout: Duration::from_millis(config.load_timeout_ms.max(1)),
            required: config.required.iter().cloned().collect(),
            known: BTreeMap::new(),
            revision: 0,
        }
    }

    /// Follows the store until told to stop.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let reports = tokio::spawn(self.board.reports(stop.clone()));
        let board = tokio::spawn(Arc::clone(&self.board).follow(stop.clone()));
        let mut backoff = Backoff::default();
        let store = self.store.describe();
        while !stop.is_cancelled() {
            let lost = tokio::select! {
                () = stop.cancelled() => break,
                lost = self.follow(&mut backoff) => lost,
            };
            self.metrics.store_connected.set(0);
            let pause = backoff.next();
            tracing::warn!(store, error = %lost, retry_in_ms = pause.as_millis(), "lost the policy store");
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
        if reports.await.is_err() || board.await.is_err() {
            tracing::error!("a task that reports this node's status had panicked");
        }
    }

    /// Lists, then watches, and ends when the store is lost.
    async fn follow(&mut self, backoff: &mut Backoff) -> StoreError {
        match self.follow_until_lost(backoff).await {
            Err(error) => error,
            Ok(never) => match never {},
        }
    }

    async fn follow_until_lost(
        &mut self,
        backoff: &mut Backoff,
    ) -> Result<std::convert::Infallible, StoreError> {
        let listing = self.store.list().await?;
        self.apply_listing(listing).await;
        let mut watch = self.store.watch(self.revision).await?;
        self.metrics.store_connected.set(1);
        tracing::info!(
            store = self.store.describe(),
            revision = self.revision,
            "following the policy store"
        );
        let mut relist = tokio::time::interval(self.relist_interval);
        relist.set_missed_tick_behavior(MissedTickBehavior::Delay);
        relist.reset();
        loop {
            tokio::select! {
                event = watch.next() => match event? {
                    // A listing between two events may have taken in what the watch tells only now.
                    WatchEvent::Changed { revision, .. } if revision <= self.revision => {}
                    WatchEvent::Changed { revision, documents } => self.apply(revision, documents).await,
                    WatchEvent::Progress { revision } => self.revision = self.revision.max(revision),
                },
                _ = relist.tick() => {
                    let listing = self.store.list().await?;
                    self.apply_listing(listing).await;
                }
            }
            backoff.reset();
        }
    }

    /// Takes in every document of the store; what is known and not listed is gone.
    async fn apply_listing(&mut self, listing: StoreListing) {
        let mut changes: Vec<(String, Option<Bytes>)> = listing
            .documents
            .into_iter()
            .map(|document| (document.name, Some(document.value)))
            .collect();
        let listed: BTreeSet<&String> = changes.iter().map(|(name, _)| name).collect();
        let gone = |(name, known): &(&String, &Known)| known.is_stored() && !listed.contains(name);
        let gone: Vec<String> = self
            .known
            .iter()
            .filter(gone)
            .map(|(name, _)| name.clone())
            .collect();
        changes.extend(gone.into_iter().map(|name| (name, None)));
        self.apply(listing.revision, changes).await;
    }

    /// Takes in changes that were made together, and swaps the policy set once.
    async fn apply(&mut self, revision: u64, changes: Vec<(String, Option<Bytes>)>) {
        let started = Instant::now();
        let now = self.clock.now();
        let mut candidates = Vec::new();
        for (name, value) in changes {
            let known = self.known.entry(name.clone()).or_default();
            match value {
                None if self.required.contains(&name) && known.in_force.is_some() => {
                    if known.vanish(now) {
                        tracing::error!(
                            policy.name = name,
                            "a required policy is gone from the store; it stays in force"
                        );
                    }
                }
                None => {
                    tracing::info!(policy.name = name, "the policy was retired");
                    if known.forget() {
                        self.known.remove(&name);
                    }
                }
                Some(value) if known.is_settled(&value) => {
                    if let Some(refusal) = known.lapsed(now) {
                        self.refuse(&name, &value, &refusal, now, started.elapsed());
                    }
                }
                Some(value) => match known.read(&name, &value, now) {
                    Ok(document) => {
                        known.loading = true;
                        candidates.push(Candidate {
                            name,
                            value,
                            document: Arc::new(document),
                        });
                    }
                    Err(refusal) => self.refuse(&name, &value, &refusal, now, started.elapsed()),
                },
            }
        }
        if !candidates.is_empty() {
            self.publish_statuses();
        }
        for (candidate, loaded, elapsed) in self.load(candidates).await {
            match loaded {
                Ok(release) => self.accept(candidate, Arc::new(release), elapsed),
                Err(refusal) => self.refuse(&candidate.name, &candidate.value, &refusal, now, elapsed),
            }
        }
        for known in self.known.values_mut() {
            known.loading = false;
        }
        self.revision = revision;
        self.swap();
    }

    /// The required policies that nothing is in force of.
    fn missing(&self) -> Vec<&str> {
        let in_force = |name: &&String| {
            self.known
                .get(*name)
                .is_some_and(|known| known.in_force.is_some())
        };
        self.required
            .iter()
            .filter(|name| !in_force(name))
            .map(String::as_str)
            .collect()
    }

    /// Fetches and compiles what changed, several at a time.
    async fn load(&self, candidates: Vec<Candidate>) -> Vec<(Candidate, Result<Release, Refusal>, Duration)> {
        let permits = Arc::new(Semaphore::new(MAX_LOADS));
        let mut loads = JoinSet::new();
        for candidate in candidates {
            let store = Arc::clone(&self.store);
            let loader = self.loader.clone();
            let permits = Arc::clone(&permits);
            let compiled = self.compiled(&candidate.document);
            let metrics = self.metrics.clone();
            let supervision = Arc::clone(&self.supervision);
            let clock = Arc::clone(&self.clock);
            let load_timeout = self.load_timeout;
            let started = Instant::now();
            loads.spawn(async move {
                let _permit = permits.acquire_owned().await;
                let document = Arc::clone(&candidate.document);
                let loaded = async {
                    let policy = match compiled {
                        Some(policy) => loader.reuse(Arc::clone(&document), policy).await,
                        None => {
                            let bytes = artifact::fetch(&*store, &document.artifact).await?;
                            loader.load(Arc::clone(&document), bytes).await
                        }
                    }?;
                    let metrics = metrics.of_policy(document.name.as_str());
                    let quarantine = Quarantine::new(supervision);
                    Ok(Release::new(policy, &document, clock.now(), metrics, quarantine)?)
                };
                let loaded = tokio::time::timeout(load_timeout, loaded)
                    .await
                    .unwrap_or_else(|_| Err(Refusal::too_slow(load_timeout)))
                    .map_err(|refusal| refusal.of(&document));
                (candidate, loaded, started.elapsed())
            });
        }
        let mut loaded = Vec::new();
        while let Some(joined) = loads.join_next().await {
            match joined {
                Ok(result) => loaded.push(result),
                Err(error) => tracing::error!(%error, "a task that loads a policy had panicked"),
            }
        }
        loaded
    }

    /// The policy of this artifact, where some release runs it already: only its document changed.
    fn compiled(&self, document: &PolicyDocument) -> Option<Arc<Policy>> {
        self.known
            .values()
            .flat_map(|known| [&known.in_force, &known.previous])
            .flatten()
            .map(|release| release.policy())
            .find(|policy| policy.digest() == document.artifact.digest())
            .map(Arc::clone)
    }

    fn accept(&mut self, candidate: Candidate, release: Arc<Release>, elapsed: Duration) {
        let identity = release.identity();
        tracing::info!(
            policy.name = candidate.name,
            policy.version = &*identity.version,
            policy.sequence = identity.sequence,
            policy.digest = &*identity.digest,
            elapsed_us = elapsed.as_micros(),
            "the policy is loaded"
        );
        self.metrics.loaded("in_force", elapsed);
        let known = self.known.entry(candidate.name).or_default();
        known.accept(&candidate.value, candidate.document, release);
        if !self.supervision.is_enabled() {
            // Nothing would ever run it.
            known.previous = None;
        }
    }

    fn refuse(&mut self, name: &str, value: &Bytes, refusal: &Refusal, now: Timestamp, elapsed: Duration) {
        let known = self.known.entry(name.to_owned()).or_default();
        if known.refuse(value, refusal, now) {
            tracing::warn!(
                policy.name = name,
                policy.sequence = refusal.sequence,
                code = refusal.code,
                error = refusal.message,
                in_force = known.in_force.as_ref().map(|release| release.identity().sequence),
                "the policy was refused; what is in force stays"
            );
            self.metrics.loaded(refusal.code, elapsed);
        }
    }

    fn swap(&mut self) {
        let releases: Vec<InForce> = self
            .known
            .values()
            .filter_map(|known| {
                Some(InForce {
                    release: known.in_force.clone()?,
                    previous: known.previous.clone(),
                })
            })
            .collect();
        self.metrics
            .in_force
            .set(i64::try_from(releases.len()).unwrap_or(i64::MAX));
        self.metrics.revision.set(self.revision);
        let missing = self.missing();
        if !missing.is_empty() {
            // At the start alone: what was in force once stays so.
            tracing::warn!(
                missing = missing.join(", "),
                "required policies are not in force; nothing is decided"
            );
        } else {
            if releases.is_empty() {
                tracing::warn!("no policy is in force: every payment is approved");
            }
            self.engine.swap(self.revision, releases);
        }
        self.publish_statuses();
    }

    fn publish_statuses(&self) {
        let standings = self
            .known
            .iter()
            .filter_map(|(name, known)| known.standing(name))
            .collect();
        self.board.publish(self.revision, standings);
    }
}

#[cfg(test)]
mod tests;
