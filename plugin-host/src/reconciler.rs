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
mod settle;
mod status_board;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use application::ports::Clock;
use bytes::Bytes;
use domain::Timestamp;
use tokio::sync::Notify;

use crate::config::Config;
use crate::document::PolicyDocument;
use crate::loader::Loader;
use crate::metrics::HostMetrics;
use crate::node_state::NodeState;
use crate::node_status::NodeId;
use crate::policy::Policy;
use crate::policy_set::InForce;
use crate::quarantine::{MachineTime, Supervision};
use crate::signing::TrustedKeys;
use crate::store::{PolicyStore, StoreListing};
use crate::wasm_engine::WasmRiskPolicyEngine;

use known::Known;
#[cfg(test)]
pub(crate) use loads::MAX_LOADS;
use loads::{Candidate, Loads};
use reporter::Reporter;
use restore::Keeping;
use status_board::StatusBoard;

/// What this node is called, and whom it takes documents from.
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) trusted: TrustedKeys,
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
        let quarantines = Arc::new(Notify::new());
        let supervision = Arc::new(Supervision::new(
            config.quarantine.clone(),
            Box::new(MachineTime::start()),
            Arc::clone(&clock),
            Arc::clone(&quarantines),
        ));
        let board = StatusBoard::new(Arc::clone(&engine), metrics.clone(), reporter, quarantines);
        let relist_interval = Duration::from_millis(config.relist_interval_ms.max(1_000));
        let load_timeout = Duration::from_millis(config.load_timeout_ms.max(1));
        let loads = Loads::new(
            Arc::clone(&store),
            node.state.as_ref().map(|state| state.artifacts()),
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
        for transaction in transactions {
            let mut together = Vec::new();
            for (name, value) in transaction {
                match value {
                    None => self.retire(&name, now),
                    Some(value) => match self.read(name, value, now, started) {
                        Some(candidate) if candidate.begun.is_retry => batches.push(vec![candidate]),
                        read => together.extend(read),
                    },
                }
            }
            if !together.is_empty() {
                batches.push(together);
            }
        }
        self.seen = revision;
        if is_first {
            self.first_batches += batches.len();
        }
        let is_settled = batches.is_empty();
        for batch in batches {
            self.loads.begin(is_first, batch);
        }
        if is_settled {
            self.put_in_force();
        } else {
            self.publish_statuses();
        }
    }

    /// Reads a document, and says what has to be loaded of it: nothing, where it was read before or is refused.
    fn read(&mut self, name: String, value: Bytes, now: Timestamp, started: Instant) -> Option<Candidate> {
        let known = self.known.entry(name.clone()).or_default();
        if known.is_settled(&value) {
            if let Some(refusal) = known.lapsed(now) {
                self.refuse(&name, &value, &refusal, now, started.elapsed());
            }
            return None;
        }
        match known.read(&name, &value, &self.trusted, now) {
            Ok(document) => {
                let begun = known.begin(&value);
                Some(Candidate {
                    compiled: self.compiled(&document),
                    begun,
                    name,
                    value,
                    document: Arc::new(document),
                    taken_at: now,
                })
            }
            Err(refusal) => {
                known.see(&value);
                self.refuse(&name, &value, &refusal, now, started.elapsed());
                None
            }
        }
    }

    /// The document is gone from the store.
    fn retire(&mut self, name: &str, now: Timestamp) {
        let Some(known) = self.known.get_mut(name) else {
            return;
        };
        if self.required.contains(name) && known.is_in_force() {
            if known.vanish(now) {
                tracing::error!(
                    policy.name = name,
                    "a required policy is gone from the store; it stays in force"
                );
            }
            return;
        }
        tracing::info!(policy.name = name, "the policy was retired");
        known.forget();
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
            self.has_begun = true;
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
    fn compiled(&self, document: &PolicyDocument) -> Option<Arc<Policy>> {
        self.known
            .values()
            .flat_map(|known| [&known.in_force, &known.previous])
            .flatten()
            .map(|release| release.policy())
            .find(|policy| policy.digest() == document.artifact.digest())
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
