//! What operators see of policies in numbers.

mod node_state;
mod rollout;

use std::sync::atomic::AtomicU64;

use domain::risk::{EvaluationResult, FaultKind, Outcome, PolicyEvaluation};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

pub(crate) use rollout::{RolloutFamilies, RolloutMetrics};

use crate::quarantine::ProbeResult;

pub(crate) use node_state::{CacheMetrics, CacheResult, StateMetrics};

/// Bounds of an evaluation's duration, in seconds: from 2.5 µs, under which no instance is made, to the longest deadline.
const EVALUATION_SECONDS: [f64; 16] = [
    2.5e-6, 5e-6, 1e-5, 2e-5, 4e-5, 8e-5, 1.6e-4, 3.2e-4, 6.4e-4, 1.28e-3, 2.56e-3, 5.12e-3, 1.024e-2,
    2.5e-2, 0.1, 1.0,
];

/// Bounds of a load's duration, in seconds: from the compile cache to an interpreter of Python.
const LOAD_SECONDS: [f64; 10] = [0.001, 0.005, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OutcomeLabels {
    policy: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct FaultLabels {
    policy: String,
    fault: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct PolicyLabels {
    policy: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ProbeLabels {
    policy: String,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

/// All metrics of the policy host.
#[derive(Clone)]
pub(crate) struct HostMetrics {
    outcomes: Family<OutcomeLabels, Counter>,
    faults: Family<FaultLabels, Counter>,
    durations: Family<PolicyLabels, Histogram, fn() -> Histogram>,
    fuel: Family<PolicyLabels, Counter>,
    interrupted: Family<PolicyLabels, Counter>,
    quarantined: Family<PolicyLabels, Gauge>,
    quarantines: Family<PolicyLabels, Counter>,
    probes: Family<ProbeLabels, Counter>,
    rollouts: RolloutFamilies,
    loads: Family<ResultLabels, Counter>,
    load_duration: Histogram,
    pub(crate) revision: Gauge<u64, AtomicU64>,
    pub(crate) in_force: Gauge,
    pub(crate) refused: Gauge,
    pub(crate) gone: Gauge,
    pub(crate) retired: Gauge,
    pub(crate) store_connected: Gauge,
    pub(crate) state: StateMetrics,
    pub(crate) compile_cache: CacheMetrics,
    /// Listings of the whole store.
    pub(crate) store_listings: Counter,
}

impl HostMetrics {
    /// Registers everything.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            outcomes: Family::default(),
            faults: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(EVALUATION_SECONDS)),
            fuel: Family::default(),
            interrupted: Family::default(),
            quarantined: Family::default(),
            quarantines: Family::default(),
            probes: Family::default(),
            rollouts: RolloutFamilies::default(),
            loads: Family::default(),
            load_duration: Histogram::new(LOAD_SECONDS),
            revision: Gauge::default(),
            in_force: Gauge::default(),
            refused: Gauge::default(),
            gone: Gauge::default(),
            retired: Gauge::default(),
            store_connected: Gauge::default(),
            state: StateMetrics::default(),
            compile_cache: CacheMetrics::default(),
            store_listings: Counter::default(),
        };
        registry.register(
            "portcullis_policy_evaluations",
            "Evaluations by outcome, the failure mode's included",
            metrics.outcomes.clone(),
        );
        registry.register(
            "portcullis_policy_faults",
            "Evaluations without a verdict, by fault",
            metrics.faults.clone(),
        );
        registry.register(
            "portcullis_policy_evaluation_seconds",
            "Duration of one evaluation",
            metrics.durations.clone(),
        );
        registry.register("portcullis_policy_fuel", "Fuel used", metrics.fuel.clone());
        registry.register(
            "portcullis_policy_interruptions",
            "Evaluations that were interrupted on the payment's thread and run again on the lane",
            metrics.interrupted.clone(),
        );
        metrics.register_quarantine(registry);
        registry.register(
            "portcullis_policy_loads",
            "Documents that were loaded or refused, by result",
            metrics.loads.clone(),
        );
        registry.register(
            "portcullis_policy_load_seconds",
            "From a document to its release in force",
            metrics.load_duration.clone(),
        );
        metrics.register_set(registry);
        metrics.register_store(registry);
        metrics.rollouts.register(registry);
        metrics.state.register(registry);
        metrics.compile_cache.register(registry);
        metrics
    }

    fn register_store(&self, registry: &mut Registry) {
        registry.register(
            "portcullis_policy_store_connected",
            "Whether the policy store answers (1) or not (0)",
            self.store_connected.clone(),
        );
        registry.register(
            "portcullis_policy_store_listings",
            "Listings of the whole policy store",
            self.store_listings.clone(),
        );
    }

    fn register_set(&self, registry: &mut Registry) {
        registry.register(
            "portcullis_policy_set_revision",
            "Revision of the store that the policy set was built from",
            self.revision.clone(),
        );
        registry.register(
            "portcullis_policies_in_force",
            "Policies that decide",
            self.in_force.clone(),
        );
        registry.register(
            "portcullis_policies_refused",
            "Policies whose newest document was refused, or whose document is gone",
            self.refused.clone(),
        );
        registry.register(
            "portcullis_policies_gone",
            "Policies that decide although their document is gone from the store",
            self.gone.clone(),
        );
        registry.register(
            "portcullis_policies_retired",
            "Policies whose newest document says that nothing is to run",
            self.retired.clone(),
        );
    }

    fn register_quarantine(&self, registry: &mut Registry) {
        registry.register(
            "portcullis_policy_quarantined",
            "Whether the release in force faulted too often and is quarantined (1) or not (0)",
            self.quarantined.clone(),
        );
        registry.register(
            "portcullis_policy_quarantines",
            "Quarantines that began",
            self.quarantines.clone(),
        );
        registry.register(
            "portcullis_policy_probes",
            "Runs of quarantined releases, by what came of them",
            self.probes.clone(),
        );
    }

    /// Says whether a policy's release in force is quarantined.
    pub(crate) fn quarantined(&self, name: &str, is_quarantined: bool) {
        let policy = name.to_owned();
        self.quarantined
            .get_or_create(&PolicyLabels { policy })
            .set(i64::from(is_quarantined));
    }

    /// The families of candidates on trial.
    pub(crate) const fn rollouts(&self) -> &RolloutFamilies {
        &self.rollouts
    }

    /// A document came into force, or was refused with this code.
    pub(crate) fn loaded(&self, result: &'static str, elapsed: std::time::Duration) {
        self.loads.get_or_create(&ResultLabels { result }).inc();
        self.load_duration.observe(elapsed.as_secs_f64());
    }

    /// The counters of one policy, looked up once when a release of it is loaded.
    pub(crate) fn of_policy(&self, name: &str) -> PolicyMetrics {
        let policy = || name.to_owned();
        PolicyMetrics {
            outcomes: Outcome::ALL.map(|outcome| {
                self.outcomes.get_or_create_owned(&OutcomeLabels {
                    policy: policy(),
                    outcome: outcome.as_str(),
                })
            }),
            faults: FaultKind::ALL.map(|kind| {
                self.faults.get_or_create_owned(&FaultLabels {
                    policy: policy(),
                    fault: kind.as_str(),
                })
            }),
            duration: self
                .durations
                .get_or_create_owned(&PolicyLabels { policy: policy() }),
            interrupted: self
                .interrupted
                .get_or_create_owned(&PolicyLabels { policy: policy() }),
            fuel: self.fuel.get_or_create_owned(&PolicyLabels { policy: policy() }),
            quarantines: self
                .quarantines
                .get_or_create_owned(&PolicyLabels { policy: policy() }),
            probes: ProbeResult::ALL.map(|result| {
                self.probes.get_or_create_owned(&ProbeLabels {
                    policy: policy(),
                    result: result.as_str(),
                })
            }),
        }
    }
}

/// The counters of one policy. Counting is an atomic addition each, but for the histogram's short lock.
#[derive(Clone)]
pub(crate) struct PolicyMetrics {
    outcomes: [Counter; Outcome::ALL.len()],
    faults: [Counter; FaultKind::ALL.len()],
    duration: Histogram,
    fuel: Counter,
    interrupted: Counter,
    quarantines: Counter,
    probes: [Counter; ProbeResult::ALL.len()],
}

impl PolicyMetrics {
    /// Counts an evaluation that is run again on the lane.
    pub(crate) fn interrupted(&self) {
        self.interrupted.inc();
    }

    /// Counts a quarantine that begins.
    pub(crate) fn quarantined(&self) {
        self.quarantines.inc();
    }

    /// Counts a run of a quarantined release.
    pub(crate) fn probed(&self, result: ProbeResult) {
        if let Some(counter) = self.probes.get(result as usize) {
            counter.inc();
        }
    }

    /// Counts an evaluation.
    pub(crate) fn count(&self, evaluation: &PolicyEvaluation) {
        if let Some(counter) = self.outcomes.get(evaluation.outcome() as usize) {
            counter.inc();
        }
        if let EvaluationResult::Fault { fault, .. } = &evaluation.result
            && let Some(counter) = self.faults.get(fault.kind as usize)
        {
            counter.inc();
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "nanoseconds of one evaluation are far below 2^52"
        )]
        self.duration.observe(evaluation.elapsed_ns as f64 * 1e-9);
        self.fuel.inc_by(evaluation.fuel_used);
    }
}

#[cfg(test)]
mod tests;
