//! How every policy stands, told to whoever asks: the engine, the numbers, and the store by the reporter.
//!
//! The reconciler says what it knows after each change of the store. A quarantine begins and ends by payments, at any time:
//! the board is then drawn anew from the same knowledge, also while the reconciler is busy loading.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use application::ports::{PolicyStatus, QuarantineInForce};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::metrics::HostMetrics;
use crate::release::Release;
use crate::wasm_engine::WasmRiskPolicyEngine;

use super::reporter::Reporter;
use crate::fleet::DOCUMENT_GONE;

/// How one policy stands, but for its quarantine, which is seen when it is told.
pub(super) struct Standing {
    pub(super) status: PolicyStatus,
    pub(super) in_force: Option<Arc<Release>>,
    pub(super) previous: Option<Arc<Release>>,
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
    latest: Mutex<Latest>,
}

#[derive(Default)]
struct Latest {
    revision: u64,
    standings: Vec<Standing>,
    /// Whose quarantine is among the numbers.
    counted: BTreeSet<Box<str>>,
}

impl StatusBoard {
    /// `changed` says that a quarantine has begun or ended.
    pub(super) fn new(
        engine: Arc<WasmRiskPolicyEngine>,
        metrics: HostMetrics,
        reporter: Reporter,
        changed: Arc<Notify>,
    ) -> Self {
        Self {
            engine,
            metrics,
            reporter,
            changed,
            latest: Mutex::default(),
        }
    }

    /// Tells what is known now.
    pub(super) fn publish(&self, revision: u64, standings: Vec<Standing>) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.revision = revision;
        latest.standings = standings;
        self.tell(&mut latest);
    }

    /// Tells of quarantines until told to stop.
    pub(super) async fn follow(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.changed.notified() => {}
            }
            let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
            self.tell(&mut latest);
        }
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

    fn tell(&self, latest: &mut Latest) {
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
