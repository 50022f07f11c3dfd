//! How every policy stands, told to whoever asks: the engine, the numbers, and the store by the reporter.
//!
//! The reconciler says what it knows after each change of the store. A quarantine begins and ends, and a candidate is sent back,
//! by payments, at any time: the board is then drawn anew from the same knowledge, also while the reconciler is busy loading. So
//! it is every few seconds while a candidate is on trial, and how that does is noted for the next start of the node.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use application::ports::{PolicyStatus, QuarantineInForce};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::document::PolicyName;
use crate::metrics::HostMetrics;
use crate::release::Release;
use crate::rollout::{Rollout, RolloutRecord, RolloutRecords};
use crate::wasm_engine::WasmRiskPolicyEngine;

use super::reporter::Reporter;
use crate::fleet::DOCUMENT_GONE;

/// How often the numbers of candidates on trial are told and noted. What a node loses when it is killed is counted within this
/// time; that a candidate is sent back is noted at once.
const REFRESH: Duration = Duration::from_secs(3);

/// How one policy stands, but for its quarantine and its candidate, which are seen when it is told.
pub(super) struct Standing {
    pub(super) status: PolicyStatus,
    pub(super) in_force: Option<Arc<Release>>,
    pub(super) previous: Option<Arc<Release>>,
    pub(super) rollout: Option<Arc<Rollout>>,
}

impl Standing {
    fn now(&self) -> PolicyStatus {
        let quarantine = self.in_force.as_ref().and_then(|release| {
            let episode = release.quarantine().episode()?;
            let instead = self
                .previous
                .as_ref()
                .filter(|previous| !previous.quarantine().holds())
                .map(|previous| Arc::clone(previous.identity()));
            Some(QuarantineInForce {
                since: episode.since,
                evaluations: episode.evaluations,
                faults: episode.faults,
                last_fault: episode.last_fault,
                instead,
            })
        });
        PolicyStatus {
            quarantine,
            candidate: self.rollout.as_ref().map(|rollout| rollout.status()),
            ..self.status.clone()
        }
    }
}

/// What is known, and who is told.
pub(super) struct StatusBoard {
    engine: Arc<WasmRiskPolicyEngine>,
    metrics: HostMetrics,
    reporter: Reporter,
    changed: Arc<Notify>,
    records: Arc<dyn RolloutRecords>,
    latest: Mutex<Latest>,
}

#[derive(Default)]
struct Latest {
    revision: u64,
    standings: Vec<Standing>,
    /// Whose quarantine is among the numbers.
    counted: BTreeSet<Box<str>>,
    /// Whose candidate is among the numbers, and what was noted of it last.
    noted: BTreeMap<Box<str>, RolloutRecord>,
}

impl StatusBoard {
    /// `changed` says that a quarantine has begun or ended, or that a candidate was sent back.
    pub(super) fn new(
        engine: Arc<WasmRiskPolicyEngine>,
        metrics: HostMetrics,
        reporter: Reporter,
        changed: Arc<Notify>,
        records: Arc<dyn RolloutRecords>,
    ) -> Self {
        Self {
            engine,
            metrics,
            reporter,
            changed,
            records,
            latest: Mutex::default(),
        }
    }

    /// Tells what is known now.
    pub(super) fn publish(&self, revision: u64, standings: Vec<Standing>) {
        let mut latest = self.lock();
        latest.revision = revision;
        latest.standings = standings;
        self.tell(&mut latest);
    }

    /// Tells of quarantines and candidates until told to stop.
    pub(super) async fn follow(self: Arc<Self>, stop: CancellationToken) {
        loop {
            let is_last = tokio::select! {
                () = stop.cancelled() => true,
                () = self.changed.notified() => false,
                () = tokio::time::sleep(REFRESH) => {
                    if self.lock().noted.is_empty() {
                        continue;
                    }
                    false
                }
            };
            let mut latest = self.lock();
            if is_last {
                self.note(&mut latest);
                return;
            }
            self.tell(&mut latest);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The task that reports to the store.
    pub(super) fn reports(&self, stop: CancellationToken) -> impl Future<Output = ()> + Send + use<> {
        self.reporter.task(stop)
    }

    /// Shows whose release in force is quarantined. What was never in force has no number: the store may hold any name.
    fn count(&self, latest: &mut Latest, statuses: &[PolicyStatus]) {
        let in_force = || statuses.iter().filter(|status| status.in_force.is_some());
        let names: BTreeSet<Box<str>> = in_force().map(|status| status.name.clone()).collect();
        for gone in latest.counted.difference(&names) {
            self.metrics.quarantined(gone, false);
        }
        latest.counted = names;
        for status in in_force() {
            self.metrics
                .quarantined(&status.name, status.quarantine.is_some());
        }
    }

    /// Shows the candidates' shares, and notes how they do where that has changed. The record of a policy that is gone stays: the
    /// same document may come back, and what was sent back under it stays so.
    fn note(&self, latest: &mut Latest) {
        let mut noted = std::mem::take(&mut latest.noted);
        for standing in &latest.standings {
            let Some(rollout) = &standing.rollout else {
                continue;
            };
            let name = &standing.status.name;
            rollout.show(self.metrics.rollouts());
            let record = rollout.record();
            let is_news = noted.remove(name).is_none_or(|before| before != record);
            if is_news && let Ok(name) = PolicyName::parse(name) {
                self.records.write(&name, record.to_json().into());
            }
            latest.noted.insert(name.clone(), record);
        }
        for gone in noted.into_keys() {
            self.metrics.rollouts().forget(&gone);
            let is_in_force =
                |standing: &Standing| standing.status.name == gone && standing.in_force.is_some();
            if latest.standings.iter().any(is_in_force)
                && let Ok(name) = PolicyName::parse(&gone)
            {
                self.records.remove(&name);
            }
        }
    }

    fn tell(&self, latest: &mut Latest) {
        self.note(latest);
        let statuses: Vec<PolicyStatus> = latest.standings.iter().map(Standing::now).collect();
        let count = |holds: &dyn Fn(&PolicyStatus) -> bool| {
            let count = statuses.iter().filter(|status| holds(status)).count();
            i64::try_from(count).unwrap_or(i64::MAX)
        };
        self.metrics.gone.set(count(&|status| {
            status
                .refused
                .as_ref()
                .is_some_and(|refused| refused.code == DOCUMENT_GONE)
        }));
        self.metrics
            .refused
            .set(count(&|status| status.refused.is_some()));
        self.metrics
            .retired
            .set(count(&|status| status.retired.is_some()));
        self.count(latest, &statuses);
        self.reporter.update(latest.revision, &statuses);
        self.engine.report(statuses);
    }
}
