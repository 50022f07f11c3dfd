//! What goes on, and what begins anew, when another document comes or the node is started again.

use domain::Timestamp;
use domain::risk::Outcome;
use prometheus_client::registry::Registry;
use serde_json::json;
use testkit::builders::NOW;
use testkit::fakes::SettableClock;

use super::*;
use crate::quarantine::{Quarantine, QuarantineConfig};
use crate::testing::{Answer, Guest, Hand, PAID_AT, document_with_candidate, load, supervision};

/// A node, and the two components of a document.
struct Scene {
    rollouts: Rollouts,
    stable: Vec<u8>,
    candidate: Vec<u8>,
}

impl Scene {
    fn new() -> Self {
        Self {
            rollouts: Rollouts {
                clock: Arc::new(SettableClock::default()),
                changed: Arc::new(Notify::new()),
                metrics: HostMetrics::register(&mut Registry::default()),
            },
            stable: Guest::answering(&Answer::of(Outcome::Approve, 1)).component(),
            candidate: Guest::answering(&Answer::of(Outcome::Decline, 2)).component(),
        }
    }

    fn begin(
        &self,
        otherwise: &Value,
        of_the_candidate: &Value,
        before: Option<&Rollout>,
        noted: Option<&Bytes>,
    ) -> Rollout {
        let document = document_with_candidate(
            "alpha",
            &self.stable,
            otherwise,
            &self.candidate,
            of_the_candidate,
        );
        let supervision = supervision(QuarantineConfig::default(), &Hand::default());
        let quarantine = Quarantine::new(supervision, document.limits.deadline());
        let promoted = document.promoted().unwrap();
        let metrics = self.rollouts.metrics.of_policy("alpha");
        let since = Timestamp::from_unix_millis(PAID_AT);
        let policy = Arc::new(load(&self.candidate));
        let release = Release::new(policy, &promoted, since, metrics, quarantine).unwrap();
        self.rollouts
            .begin(&document, Arc::new(release), before, noted)
            .unwrap()
    }
}

fn evaluate(rollout: &Rollout, fault: Option<FaultKind>) {
    rollout.evaluated(fault, Duration::from_micros(20));
}

fn noted(rollout: &Rollout) -> Bytes {
    rollout.record().to_json().into()
}

#[test]
fn a_document_that_only_moves_the_share_goes_on_counting() {
    let scene = Scene::new();
    let first = scene.begin(&json!({}), &json!({"percent": 1}), None, None);
    evaluate(&first, None);
    let moved = scene.begin(
        &json!({"sequence": 2, "version": "1.0.1", "publisher": "another", "published_at": "2026-05-05T00:00:00Z"}),
        &json!({"percent": 50, "version": "2.0.1"}),
        Some(&first),
        None,
    );
    evaluate(&moved, None);
    assert_eq!(moved.status().evaluations, 2);
    assert_eq!(
        (moved.status().percent, &*moved.status().identity.version),
        (50.0, "2.0.1")
    );
    for (otherwise, of_the_candidate) in [
        (json!({"sequence": 3}), json!({"stage": "shadow"})),
        (json!({"sequence": 3}), json!({"gates": {"max_fault_ratio": 0.5}})),
        (json!({"sequence": 3}), json!({"limits": {"fuel": 5}})),
        (json!({"sequence": 3, "limits": {"fuel": 5}}), json!({})),
        (
            json!({"sequence": 3, "scope": {"currencies": ["EUR"]}}),
            json!({}),
        ),
    ] {
        let another = scene.begin(&otherwise, &of_the_candidate, Some(&moved), None);
        assert_eq!(another.status().evaluations, 0, "{otherwise} {of_the_candidate}");
    }
}

#[test]
fn what_was_sent_back_stays_so_until_another_sequence_says_otherwise() {
    let scene = Scene::new();
    let first = scene.begin(&json!({"sequence": 7}), &json!({}), None, None);
    for _ in 0..5 {
        evaluate(&first, Some(FaultKind::Trap));
    }
    let status = first.status();
    assert_eq!(
        (status.evaluations, status.faults),
        (2, 2),
        "the others were under way"
    );
    assert_eq!(status.sent_back.as_ref().unwrap().since, NOW);
    let record = noted(&first);
    for (before, noted) in [
        (Some(&first), None),
        (None, Some(&record)),
        (Some(&first), Some(&record)),
    ] {
        let again = scene.begin(&json!({"sequence": 7}), &json!({}), before, noted);
        assert!(again.is_sent_back());
        assert_eq!(
            again.status().sent_back.unwrap().reason,
            status.sent_back.as_ref().unwrap().reason
        );
        assert_eq!(again.status().faults, 2);
        let next = scene.begin(&json!({"sequence": 8}), &json!({}), before, noted);
        assert!(!next.is_sent_back());
        assert_eq!(
            next.status().evaluations,
            0,
            "it has its chance from the beginning"
        );
    }
}

#[test]
fn a_node_that_is_started_again_goes_on_counting() {
    let scene = Scene::new();
    let first = scene.begin(&json!({"sequence": 7}), &json!({}), None, None);
    for _ in 0..60 {
        evaluate(&first, None);
    }
    evaluate(&first, Some(FaultKind::Trap));
    let record = noted(&first);
    // Meanwhile the share may have been moved.
    for sequence in [7, 8] {
        let again = scene.begin(
            &json!({"sequence": sequence}),
            &json!({"percent": 7}),
            None,
            Some(&record),
        );
        assert_eq!(again.record().counts, first.record().counts);
        evaluate(&again, Some(FaultKind::Trap));
        let reason = again.status().sent_back.unwrap().reason;
        assert_eq!(
            &*reason,
            "fault ratio 0.032 of 62 evaluations, expected at most 0.01 of the first 100"
        );
    }
    // Of another trial, or of another program, nothing is taken.
    let other = scene.begin(
        &json!({"sequence": 8}),
        &json!({"stage": "shadow"}),
        None,
        Some(&record),
    );
    assert_eq!(other.status().evaluations, 0);
    let garbage = Bytes::from_static(b"{\"format\": 9}");
    let begun = scene.begin(&json!({"sequence": 7}), &json!({}), None, Some(&garbage));
    assert_eq!(begun.status().evaluations, 0);
}

#[test]
fn what_the_node_had_no_room_for_says_nothing_about_a_candidate() {
    let scene = Scene::new();
    let rollout = scene.begin(&json!({}), &json!({"gates": {"max_fault_ratio": 0}}), None, None);
    for kind in [FaultKind::Unavailable, FaultKind::Quarantined] {
        evaluate(&rollout, Some(kind));
    }
    assert_eq!(rollout.status().evaluations, 0);
    evaluate(&rollout, Some(FaultKind::Refused));
    assert!(rollout.is_sent_back());
}

#[test]
fn what_a_policy_s_codes_repeat_of_a_payer_is_concealed() {
    let scene = Scene::new();
    let rollout = scene.begin(&json!({}), &json!({}), None, None);
    let said = |outcome, code: &str| {
        let verdict = domain::risk::Verdict {
            outcome,
            score: domain::risk::Score::default(),
            reasons: vec![domain::risk::Reason {
                code: code.into(),
                message: "".into(),
            }],
        };
        Said::verdict(&verdict)
    };
    let payment = PaymentId::parse("pay_1").unwrap();
    rollout.compare(
        &payment,
        said(Outcome::Approve, "ip.203.0.113.7"),
        said(Outcome::Decline, "velocity.card.count"),
        || Secrets::new(["203.0.113.7"].into_iter()),
    );
    let difference = rollout.status().differences.pop().unwrap();
    assert_eq!(difference.in_force.reasons, ["ip.[concealed]".into()]);
    assert_eq!(difference.candidate.reasons, ["velocity.card.count".into()]);
}
