//! From what the store says to what is in force on this node, for as long as the gateway runs.
//!
//! Desired state comes from the store: a full listing first, then a watch from the listing's revision, and a listing again
//! after every loss and every so often. Actual state is the policy set. Whatever is wrong with a document, the release that
//! is in force stays, and every other policy is left alone. Documents of one transaction come into force by one swap.

mod backoff;
mod follow;
mod known;
mod loads;
mod refusal;
mod reporter;
mod restore;
mod retire;
mod settle;
mod status_board;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use application::ports::Clock;
use bytes::Bytes;
use domain::Timestamp;
use tokio::sync::Notify;

use crate::artifact::ArtifactRef;
use crate::config::Config;
use crate::document::Statement;
use crate::loader::Loader;
use crate::metrics::HostMetrics;
use crate::node_state::NodeState;
use crate::node_status::NodeId;
use crate::policy::Policy;
use crate::policy_set::InForce;
use crate::quarantine::{MachineTime, Supervision};
use crate::rollout::{RolloutRecords, Rollouts};
use crate::signing::TrustedKeys;
use crate::store::{PolicyStore, StoreListing};
use crate::wasm_engine::WasmRiskPolicyEngine;

use known::Known;
#[cfg(test)]
pub(crate) use loads::MAX_LOADS;
use loads::{Candidate, Loads, Retiring, Sources};
use refusal::Refusal;
use reporter::Reporter;
use restore::Keeping;
use status_board::StatusBoard;

/// What this node is called, and whom it takes documents from.
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) trusted: TrustedKeys,
    /// Where it notes how candidates do.
    pub(crate) records: Arc<dyn RolloutRecords>,
    /// What it keeps between its starts; none where it keeps nothing.
    pub(crate) state: Option<Arc<NodeState>>,
}

/// Keeps the policy set at what the store says.
pub(crate) struct Reconciler {
    store: Arc<dyn PolicyStore>,
    engine: Arc<WasmRiskPolicyEngine>,
    clock: Arc<dyn Clock>,
    metrics: HostMetrics,
    supervision: Arc<Supervision>,
    rollouts: Rollouts,
    board: Arc<StatusBoard>,
    relist_interval: Duration,
    trusted: TrustedKeys,
    /// Policies that this node may not be without.
    required: BTreeSet<String>,
    known: BTreeMap<String, Known>,
    loads: Loads,
    /// Up to where the store's changes were read.
    seen: u64,
    /// Up to where they were taken in: nothing before it is still being loaded.
    revision: u64,
    /// Whether the store was listed at all.
    is_listed: bool,
    /// Whether the store did not answer when this node started.
    is_without_store: bool,
    /// Whether decisions have begun.
    has_begun: bool,
    /// Batches of the last good set and of the first listing that are still being loaded. Before there is none, a policy set would
    /// lack what should decide.
    first_batches: usize,
    keeping: Option<Keeping>,
}

/// A change of one policy's document; none where it is gone.
type Change = (String, Option<Bytes>);

/// What is to be done about a document that passed every check so far.
enum Step {
    /// Its release is to be loaded.
    Load(Candidate),
    /// It retires its policy.
    Retire(Retiring),
}

impl Reconciler {
    pub(crate) fn new(
        store: Arc<dyn PolicyStore>,
        loader: Loader,
        engine: Arc<WasmRiskPolicyEngine>,
        clock: Arc<dyn Clock>,
        metrics: HostMetrics,
        node: Node,
        config: &Config,
    ) -> Self {
        let reporter = Reporter::new(Arc::clone(&store), node.id, clock.now());
        let changed = Arc::new(Notify::new());
        let supervision = Arc::new(Supervision::new(
            config.quarantine.clone(),
            Box::new(MachineTime::start()),
            Arc::clone(&clock),
            Arc::clone(&changed),
        ));
        let rollouts = Rollouts {
            clock: Arc::clone(&clock),
            changed: Arc::clone(&changed),
            metrics: metrics.clone(),
        };
        let board = StatusBoard::new(
            Arc::clone(&engine),
            metrics.clone(),
            reporter,
            changed,
            Arc::clone(&node.records),
        );
        let relist_interval = Duration::from_millis(config.relist_interval_ms.max(1_000));
        let load_timeout = Duration::from_millis(config.load_timeout_ms.max(1));
        let loads = Loads::new(
            Sources {
                store: Arc::clone(&store),
                shelf: node.state.as_ref().map(|state| state.artifacts()),
                records: node.records,
            },
            loader,
            Arc::clone(&clock),
            metrics.clone(),
            Arc::clone(&supervision),
            load_timeout,
        );
        Self {
            store,
            engine,
            clock,
            metrics,
            supervision,
            rollouts,
            board: Arc::new(board),
            relist_interval,
            trusted: node.trusted,
            required: config.required.iter().cloned().collect(),
            known: BTreeMap::new(),
            loads,
            seen: 0,
            revision: 0,
            is_listed: false,
            is_without_store: false,
            has_begun: false,
            first_batches: 0,
            keeping: node.state.map(Keeping::new),
        }
    }

    /// Takes in every document of the store; what is known and not listed is gone. Those of one transaction come into force
    /// together; no other waits for them.
    fn apply_listing(&mut self, listing: StoreListing) {
        self.metrics.store_listings.inc();
        let listed: BTreeSet<&String> = listing.documents.iter().map(|document| &document.name).collect();
        let gone = |(name, known): &(&String, &Known)| known.is_stored() && !listed.contains(name);
        let gone: Vec<Change> = self
            .known
            .iter()
            .filter(gone)
            .map(|(name, _)| (name.clone(), None))
            .collect();
        let mut transactions: BTreeMap<u64, Vec<Change>> = BTreeMap::new();
        for document in listing.documents {
            let transaction = transactions.entry(document.transaction).or_default();
            transaction.push((document.name, Some(document.value)));
        }
        self.is_listed = true;
        let is_first = !self.has_begun;
        let transactions = transactions.into_values().chain([gone]);
        self.apply(listing.revision, is_first, transactions);
    }

    /// Takes in changes, those that were made together as one. What has to be loaded of those comes into force when all of it
    /// is; what was refused before comes by itself, since it has missed the others already.
    fn apply(&mut self, revision: u64, is_first: bool, transactions: impl IntoIterator<Item = Vec<Change>>) {
        let started = Instant::now();
        let now = self.clock.now();
        let mut batches = Vec::new();
        let mut has_retired = false;
        for transaction in transactions {
            let (mut together, mut retiring) = (Vec::new(), Vec::new());
            for (name, value) in transaction {
                let Some(value) = value else {
                    self.vanish(&name, now);
                    continue;
                };
                match self.read(name, value, now, started) {
                    Some(Step::Load(candidate)) if candidate.begun.is_retry => {
                        batches.push((vec![candidate], Vec::new()));
                    }
                    Some(Step::Load(candidate)) => together.push(candidate),
                    Some(Step::Retire(one)) => retiring.push(one),
                    None => {}
                }
            }
            if !together.is_empty() {
                batches.push((together, retiring));
            } else if !retiring.is_empty() {
                has_retired = true;
                self.retire(retiring, now, started.elapsed());
            }
        }
        self.seen = revision;
        if is_first {
            self.first_batches += batches.len();
        }
        let is_settled = batches.is_empty();
        for (candidates, retiring) in batches {
            self.loads.begin(is_first, candidates, retiring);
        }
        if is_settled || has_retired {
            self.put_in_force();
        } else {
            self.publish_statuses();
        }
    }

    /// Reads a document, and says what is to be done about it: nothing, where it was read before or is refused.
    fn read(&mut self, name: String, value: Bytes, now: Timestamp, started: Instant) -> Option<Step> {
        let known = self.known.entry(name.clone()).or_default();
        if known.is_settled(&value) {
            if let Some(refusal) = known.lapsed(now) {
                self.refuse(&name, &value, &refusal, now, started.elapsed());
            }
            return None;
        }
        let refusal = match known.read(&name, &value, &self.trusted, now) {
            Ok(Statement::Retirement(retirement)) if self.required.contains(&name) => {
                Refusal::required(&retirement)
            }
            Ok(Statement::Retirement(retirement)) => {
                known.begin(&value);
                return Some(Step::Retire(Retiring {
                    name,
                    value,
                    retirement,
                }));
            }
            Ok(Statement::Release(document)) => {
                let begun = known.begin(&value);
                return Some(Step::Load(Candidate {
                    compiled: self.compiled(&document.artifact),
                    candidate_compiled: document
                        .candidate
                        .as_ref()
                        .and_then(|candidate| self.compiled(&candidate.artifact)),
                    begun,
                    name,
                    value,
                    document: Arc::from(document),
                    taken_at: now,
                }));
            }
            Err(refusal) => refusal,
        };
        known.see(&value);
        self.refuse(&name, &value, &refusal, now, started.elapsed());
        None
    }

    /// Lets what is known decide, where it is known well enough.
    fn put_in_force(&mut self) {
        if self.loads.is_idle() {
            self.known.retain(|_, known| known.is_remembered());
            if self.is_listed {
                self.revision = self.seen;
            }
        }
        if self.may_decide() {
            if !self.has_begun {
                self.has_begun = true;
                self.loads.make_way();
            }
            self.swap();
        } else {
            self.publish_statuses();
        }
    }

    /// Whether what is known is enough to decide by: what the store said at first, or what was in force before this node started.
    fn may_decide(&self) -> bool {
        self.has_begun || self.first_batches == 0 && (self.is_listed || self.may_begin_without_store())
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

    /// The policy of this artifact, where some release runs it already: only its document changed.
    fn compiled(&self, artifact: &ArtifactRef) -> Option<Arc<Policy>> {
        self.known
            .values()
            .flat_map(|known| {
                let on_trial = known.rollout.as_ref().map(|rollout| rollout.release());
                [known.in_force.as_ref(), known.previous.as_ref(), on_trial]
            })
            .flatten()
            .map(|release| release.policy())
            .find(|policy| policy.digest() == artifact.digest())
            .map(Arc::clone)
    }

    fn swap(&mut self) {
        let releases: Vec<InForce> = self
            .known
            .values()
            .filter_map(|known| {
                Some(InForce {
                    release: known.in_force.clone()?,
                    previous: known.previous.clone(),
                    candidate: known.rollout.clone(),
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
            self.keep();
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
