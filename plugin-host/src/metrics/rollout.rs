//! What operators see of candidates on trial in numbers.

use domain::risk::{FaultKind, Outcome};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use std::sync::atomic::AtomicU64;

use super::{FaultLabels, PolicyLabels};
use crate::document::Stage;
use crate::rollout::Gate;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StageLabels {
    policy: String,
    stage: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ComparedLabels {
    policy: String,
    in_force: &'static str,
    candidate: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct GateLabels {
    policy: String,
    gate: &'static str,
}

/// All metrics of rollouts. A policy without a candidate has none of them.
#[derive(Clone, Default)]
pub(crate) struct RolloutFamilies {
    percent: Family<StageLabels, Gauge<f64, AtomicU64>>,
    evaluations: Family<StageLabels, Counter>,
    faults: Family<FaultLabels, Counter>,
    compared: Family<ComparedLabels, Counter>,
    dropped: Family<PolicyLabels, Counter>,
    sent_back: Family<GateLabels, Counter>,
}

/// The stages in the order of their numbers.
const STAGES: [&str; 2] = ["shadow", "canary"];

const fn number(stage: Stage) -> usize {
    match stage {
        Stage::Shadow(_) => 0,
        Stage::Canary(_) => 1,
    }
}

impl RolloutFamilies {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "portcullis_policy_candidate_percent",
            "Share of payments or cards of a candidate on trial; 0 once it was sent back",
            self.percent.clone(),
        );
        registry.register(
            "portcullis_policy_candidate_evaluations",
            "Evaluations of candidates that say something about them",
            self.evaluations.clone(),
        );
        registry.register(
            "portcullis_policy_candidate_faults",
            "Those without a verdict, by fault",
            self.faults.clone(),
        );
        registry.register(
            "portcullis_policy_candidate_compared",
            "Payments by the outcome of the release in force and that of its candidate",
            self.compared.clone(),
        );
        registry.register(
            "portcullis_policy_candidate_dropped",
            "Evaluations beside payments for which there was no room",
            self.dropped.clone(),
        );
        registry.register(
            "portcullis_policy_candidates_sent_back",
            "Candidates that were sent back, by the gate that they crossed",
            self.sent_back.clone(),
        );
    }

    /// The counters of one policy's rollout, looked up once.
    pub(crate) fn of(&self, name: &str) -> RolloutMetrics {
        let policy = || name.to_owned();
        RolloutMetrics {
            evaluations: STAGES.map(|stage| {
                let labels = StageLabels {
                    policy: policy(),
                    stage,
                };
                self.evaluations.get_or_create_owned(&labels)
            }),
            faults: FaultKind::ALL.map(|kind| {
                let fault = kind.as_str();
                let labels = FaultLabels {
                    policy: policy(),
                    fault,
                };
                self.faults.get_or_create_owned(&labels)
            }),
            compared: Outcome::ALL.map(|in_force| {
                Outcome::ALL.map(|candidate| {
                    self.compared.get_or_create_owned(&ComparedLabels {
                        policy: policy(),
                        in_force: in_force.as_str(),
                        candidate: candidate.as_str(),
                    })
                })
            }),
            dropped: self
                .dropped
                .get_or_create_owned(&PolicyLabels { policy: policy() }),
            sent_back: Gate::ALL.map(|gate| {
                let gate = gate.as_str();
                let labels = GateLabels {
                    policy: policy(),
                    gate,
                };
                self.sent_back.get_or_create_owned(&labels)
            }),
        }
    }

    /// Shows how large the share of a policy's candidate is, by the name of its stage.
    pub(crate) fn show(&self, name: &str, stage: &'static str, percent: f64) {
        for known in STAGES {
            let policy = name.to_owned();
            let labels = StageLabels { policy, stage: known };
            if known == stage {
                self.percent.get_or_create(&labels).set(percent);
            } else {
                self.percent.remove(&labels);
            }
        }
    }

    /// A policy has no candidate any more.
    pub(crate) fn forget(&self, name: &str) {
        let policy = || name.to_owned();
        for stage in STAGES {
            let labels = StageLabels {
                policy: policy(),
                stage,
            };
            self.percent.remove(&labels);
            self.evaluations.remove(&labels);
        }
        for kind in FaultKind::ALL {
            let fault = kind.as_str();
            self.faults.remove(&FaultLabels {
                policy: policy(),
                fault,
            });
        }
        for in_force in Outcome::ALL {
            for candidate in Outcome::ALL {
                self.compared.remove(&ComparedLabels {
                    policy: policy(),
                    in_force: in_force.as_str(),
                    candidate: candidate.as_str(),
                });
            }
        }
        self.dropped.remove(&PolicyLabels { policy: policy() });
        for gate in Gate::ALL {
            let gate = gate.as_str();
            self.sent_back.remove(&GateLabels {
                policy: policy(),
                gate,
            });
        }
    }
}

/// The counters of one policy's rollout. Counting is an atomic addition each.
#[derive(Clone)]
pub(crate) struct RolloutMetrics {
    evaluations: [Counter; STAGES.len()],
    faults: [Counter; FaultKind::ALL.len()],
    compared: [[Counter; Outcome::ALL.len()]; Outcome::ALL.len()],
    dropped: Counter,
    sent_back: [Counter; Gate::ALL.len()],
}

impl RolloutMetrics {
    /// Counts an evaluation of the candidate.
    pub(crate) fn evaluated(&self, stage: Stage, fault: Option<FaultKind>) {
        if let Some(counter) = self.evaluations.get(number(stage)) {
            counter.inc();
        }
        if let Some(counter) = fault.and_then(|kind| self.faults.get(kind as usize)) {
            counter.inc();
        }
    }

    /// Counts a payment about which both gave an answer.
    pub(crate) fn compared(&self, in_force: Outcome, candidate: Outcome) {
        let of_the_one = self.compared.get(in_force as usize);
        if let Some(counter) = of_the_one.and_then(|of_the_one| of_the_one.get(candidate as usize)) {
            counter.inc();
        }
    }

    /// Counts an evaluation for which there was no room.
    pub(crate) fn dropped(&self) {
        self.dropped.inc();
    }

    /// Counts a candidate that was sent back.
    pub(crate) fn sent_back(&self, gate: Gate) {
        if let Some(counter) = self.sent_back.get(gate as usize) {
            counter.inc();
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;
    use crate::document::Percent;

    fn text(registry: &Registry) -> String {
        let mut text = String::new();
        encode(&mut text, registry).unwrap();
        text
    }

    #[test]
    fn what_a_candidate_does_is_counted_and_forgotten_with_it() {
        let mut registry = Registry::default();
        let families = RolloutFamilies::default();
        families.register(&mut registry);
        let metrics = families.of("velocity-limit");
        metrics.evaluated(Stage::Canary(Percent::ALL), Some(FaultKind::Trap));
        metrics.evaluated(Stage::Canary(Percent::ALL), None);
        metrics.compared(Outcome::Approve, Outcome::Decline);
        metrics.dropped();
        for gate in Gate::ALL {
            metrics.sent_back(gate);
        }
        families.show("velocity-limit", "shadow", 100.0);
        families.show("velocity-limit", "canary", 0.5);
        let shown = text(&registry);
        for line in [
            r#"portcullis_policy_candidate_percent{policy="velocity-limit",stage="canary"} 0.5"#,
            r#"portcullis_policy_candidate_evaluations_total{policy="velocity-limit",stage="canary"} 2"#,
            r#"portcullis_policy_candidate_evaluations_total{policy="velocity-limit",stage="shadow"} 0"#,
            r#"portcullis_policy_candidate_faults_total{policy="velocity-limit",fault="trap"} 1"#,
            r#"portcullis_policy_candidate_compared_total{policy="velocity-limit",in_force="approve",candidate="decline"} 1"#,
            r#"portcullis_policy_candidate_compared_total{policy="velocity-limit",in_force="decline",candidate="approve"} 0"#,
            r#"portcullis_policy_candidate_dropped_total{policy="velocity-limit"} 1"#,
            r#"portcullis_policy_candidates_sent_back_total{policy="velocity-limit",gate="p99"} 1"#,
            r#"portcullis_policy_candidates_sent_back_total{policy="velocity-limit",gate="quarantine"} 1"#,
        ] {
            assert!(shown.contains(line), "`{line}` is not in\n{shown}");
        }
        assert!(
            !shown.contains(r#"percent{policy="velocity-limit",stage="shadow"}"#),
            "{shown}"
        );
        families.forget("velocity-limit");
        assert!(!text(&registry).contains("velocity-limit"));
    }
}
