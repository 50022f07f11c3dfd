//! What is counted, under which names.

use std::sync::Arc;

use domain::risk::{FailureMode, Fault, PolicyIdentity, Score, Verdict};
use prometheus_client::encoding::text::encode;

use super::*;

fn evaluation(result: Result<Outcome, FaultKind>) -> PolicyEvaluation {
    let identity = Arc::new(PolicyIdentity {
        name: "velocity-limit".into(),
        version: "1.0.0".into(),
        sequence: 1,
        digest: "sha256:".into(),
    });
    let result = result
        .map(|outcome| Verdict {
            outcome,
            score: Score::default(),
            reasons: Vec::new(),
        })
        .map_err(|kind| Fault {
            kind,
            detail: "".into(),
        });
    PolicyEvaluation::new(
        identity,
        result,
        &FailureMode::new(Outcome::Review),
        testkit::builders::cny(12_900),
        Vec::new(),
        100,
        3_000,
    )
}

fn text(registry: &Registry) -> String {
    let mut text = String::new();
    encode(&mut text, registry).unwrap();
    text
}

#[test]
fn evaluations_are_counted_by_policy_by_outcome_and_by_fault() {
    let mut registry = Registry::default();
    let metrics = HostMetrics::register(&mut registry);
    let of_policy = metrics.of_policy("velocity-limit");
    for result in [
        Ok(Outcome::Approve),
        Ok(Outcome::Decline),
        Ok(Outcome::Approve),
        Err(FaultKind::Trap),
        Err(FaultKind::Unavailable),
    ] {
        of_policy.count(&evaluation(result));
    }
    let text = text(&registry);
    for line in [
        r#"portcullis_policy_evaluations_total{policy="velocity-limit",outcome="approve"} 2"#,
        r#"portcullis_policy_evaluations_total{policy="velocity-limit",outcome="challenge"} 0"#,
        r#"portcullis_policy_evaluations_total{policy="velocity-limit",outcome="review"} 2"#,
        r#"portcullis_policy_evaluations_total{policy="velocity-limit",outcome="decline"} 1"#,
        r#"portcullis_policy_faults_total{policy="velocity-limit",fault="trap"} 1"#,
        r#"portcullis_policy_faults_total{policy="velocity-limit",fault="unavailable"} 1"#,
        r#"portcullis_policy_faults_total{policy="velocity-limit",fault="deadline"} 0"#,
        r#"portcullis_policy_fuel_total{policy="velocity-limit"} 500"#,
        r#"portcullis_policy_evaluation_seconds_count{policy="velocity-limit"} 5"#,
        r#"portcullis_policy_evaluation_seconds_bucket{le="0.000005",policy="velocity-limit"} 5"#,
    ] {
        assert!(text.contains(line), "`{line}` is not in\n{text}");
    }
}

#[test]
fn every_outcome_and_every_fault_has_a_counter_of_its_own() {
    let mut registry = Registry::default();
    let metrics = HostMetrics::register(&mut registry).of_policy("velocity-limit");
    for kind in FaultKind::ALL {
        metrics.count(&evaluation(Err(kind)));
    }
    let text = text(&registry);
    for kind in FaultKind::ALL {
        let line = format!(r#"portcullis_policy_faults_total{{policy="velocity-limit",fault="{kind}"}} 1"#);
        assert!(text.contains(&line), "`{line}` is not in\n{text}");
    }
}

#[test]
fn quarantines_and_probes_are_counted_and_the_state_is_shown() {
    let mut registry = Registry::default();
    let host = HostMetrics::register(&mut registry);
    let metrics = host.of_policy("velocity-limit");
    metrics.quarantined();
    for result in ProbeResult::ALL {
        metrics.probed(result);
    }
    metrics.probed(ProbeResult::Answered);
    host.quarantined("velocity-limit", true);
    let shown = text(&registry);
    for line in [
        r#"portcullis_policy_quarantined{policy="velocity-limit"} 1"#,
        r#"portcullis_policy_quarantines_total{policy="velocity-limit"} 1"#,
        r#"portcullis_policy_probes_total{policy="velocity-limit",result="answered"} 2"#,
        r#"portcullis_policy_probes_total{policy="velocity-limit",result="faulted"} 1"#,
        r#"portcullis_policy_probes_total{policy="velocity-limit",result="unavailable"} 1"#,
    ] {
        assert!(shown.contains(line), "`{line}` is not in\n{shown}");
    }
    host.quarantined("velocity-limit", false);
    assert!(text(&registry).contains(r#"portcullis_policy_quarantined{policy="velocity-limit"} 0"#));
}

#[test]
fn loads_are_counted_by_their_result() {
    let mut registry = Registry::default();
    let metrics = HostMetrics::register(&mut registry);
    metrics.loaded("in_force", std::time::Duration::from_millis(3));
    metrics.loaded("digest_mismatch", std::time::Duration::ZERO);
    let text = text(&registry);
    assert!(
        text.contains(r#"portcullis_policy_loads_total{result="in_force"} 1"#),
        "{text}"
    );
    assert!(
        text.contains(r#"portcullis_policy_loads_total{result="digest_mismatch"} 1"#),
        "{text}"
    );
}
