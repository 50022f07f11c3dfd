//! Who decides while a release is quarantined, and how it comes back.

use std::sync::mpsc;

use testkit::builders::cny;
use tracing::Level;

use super::*;
use crate::quarantine::QuarantineConfig;
use crate::testing::{Hand, captured, release_under, supervision};

/// No test waits for so long.
const AGES: Duration = Duration::from_secs(600);

/// Traps, but for a merchant with a short name: the length of the merchant's id is the second word of the second text.
const TRAPS_FOR_OTHERS: &str = "
    (if (i32.gt_u (i32.load offset=12 (local.get $request)) (i32.const 3)) (then (unreachable)))
    (call $score (i32.const 2))";

const SHORT: &str = "m_1";
const LONG: &str = "m_long";

/// A policy whose release in force is `second`, after `first`.
struct Scene {
    time: Hand,
    set: PolicySet,
}

impl Scene {
    fn new(first: Option<(Guest, Value)>, second: (Guest, Value)) -> Self {
        let time = Hand::default();
        let config = QuarantineConfig {
            minimum_evaluations: 4,
            probes_to_recover: 2,
            ..QuarantineConfig::default()
        };
        let supervision = supervision(config, &time);
        let release = |sequence: u64, (guest, mut otherwise): (Guest, Value)| {
            otherwise["sequence"] = sequence.into();
            release_under(&supervision, "alpha", &guest, &otherwise).unwrap()
        };
        let in_force = InForce {
            release: release(2, second),
            previous: first.map(|first| release(1, first)),
            candidate: None,
        };
        let set = set_of(vec![in_force]);
        Self { time, set }
    }

    /// What the policy says about CNY 129.00 to a merchant.
    async fn pay(&self, merchant: &str, features: &[FeatureValue]) -> Option<PolicyEvaluation> {
        let details = payment_details().merchant(merchant).build();
        let request = risk_request("pay_1").details(details).build();
        self.set.evaluate(&request.borrow(), features).await.pop()
    }

    /// Lets the release in force fault until it is quarantined, and no longer.
    async fn quarantine(&self) {
        for _ in 0..4 {
            assert!(!self.set.slots[0].is_quarantined());
            let evaluation = self.pay(LONG, &[]).await.unwrap();
            assert_eq!(evaluation.policy.sequence, 2);
            assert_eq!(fault(&evaluation), FaultKind::Trap);
        }
        assert!(self.set.slots[0].is_quarantined());
    }

    /// Waits until the lane has done what was left for it.
    async fn probes_are_done(&self) {
        self.set.lane.run(AGES, || ()).await.unwrap();
    }
}

fn trapping() -> Guest {
    Guest::evaluating("(unreachable)")
}

fn scoring(score: u16) -> Guest {
    Guest::answering(&Answer::of(Outcome::Approve, score))
}

fn fault(evaluation: &PolicyEvaluation) -> FaultKind {
    match &evaluation.result {
        EvaluationResult::Fault { fault, .. } => fault.kind,
        EvaluationResult::Verdict(_) => panic!("it answered"),
    }
}

#[tokio::test]
async fn the_release_before_decides_under_its_own_document() {
    let first = json!({
        "failure_mode": {"default": "challenge"},
        "scope": {"merchants": ["m_long", "m_first"]},
    });
    let second = json!({"scope": {"merchants": ["m_long", "m_second"]}});
    let scene = Scene::new(Some((scoring(11), first)), (trapping(), second));
    scene.quarantine().await;
    let evaluation = scene.pay(LONG, &[]).await.unwrap();
    assert_eq!(evaluation.policy.sequence, 1);
    assert_eq!(score(&evaluation), 11);
    assert_eq!(
        scene.pay("m_first", &[]).await.unwrap().policy.sequence,
        1,
        "the scope is that of the release that decides"
    );
    assert_eq!(scene.pay("m_second", &[]).await, None);
}

#[tokio::test]
async fn the_features_of_the_release_before_are_looked_up_too() {
    let (ip, device) = (velocity(Subject::Ip), velocity(Subject::Device));
    let first = echoing(&[("device", device.clone()), ("ip", ip.clone())]);
    let second = trapping().described(&Description::of("traps").feature("ip", &ip));
    let scene = Scene::new(Some((first, json!({}))), (second, json!({})));
    assert_eq!(scene.set.features(), [ip, device]);
    scene.quarantine().await;
    let features = [FeatureValue::Count(3), FeatureValue::Count(5)];
    let evaluation = scene.pay(SHORT, &features).await.unwrap();
    assert_eq!(score(&evaluation), 53);
}

#[tokio::test]
async fn without_a_release_before_the_failure_mode_decides_and_nothing_is_run() {
    let otherwise = json!({"failure_mode": {
        "default": "decline",
        "quarantined": {"outcome": "approve", "up_to": {"CNY": 12_900}, "above": "challenge"},
    }});
    let scene = Scene::new(None, (trapping(), otherwise));
    scene.quarantine().await;
    let evaluation = scene.pay(LONG, &[]).await.unwrap();
    assert_eq!(fault(&evaluation), FaultKind::Quarantined);
    assert_eq!((evaluation.policy.sequence, evaluation.fuel_used), (2, 0));
    assert_eq!(evaluation.outcome(), Outcome::Approve);
    let dearer = payment_details().amount(cny(12_901)).build();
    let dearer = risk_request("pay_2").details(dearer).build();
    let evaluations = scene.set.evaluate(&dearer.borrow(), &[]).await;
    assert_eq!(evaluations[0].outcome(), Outcome::Challenge);
}

#[tokio::test]
async fn where_both_fault_the_failure_mode_of_the_one_in_force_decides() {
    let first = json!({"failure_mode": {"default": "decline"}});
    let second = json!({"failure_mode": {"default": "review", "quarantined": "challenge"}});
    let scene = Scene::new(Some((trapping(), first)), (trapping(), second));
    scene.quarantine().await;
    for _ in 0..4 {
        let evaluation = scene.pay(LONG, &[]).await.unwrap();
        assert_eq!(
            (evaluation.policy.sequence, fault(&evaluation)),
            (1, FaultKind::Trap)
        );
        assert_eq!(evaluation.outcome(), Outcome::Decline);
    }
    let evaluation = scene.pay(LONG, &[]).await.unwrap();
    assert_eq!(
        (evaluation.policy.sequence, fault(&evaluation)),
        (2, FaultKind::Quarantined)
    );
    assert_eq!(evaluation.outcome(), Outcome::Challenge);
}

#[tokio::test]
async fn probes_that_answer_bring_it_back_and_ones_that_fault_do_not() {
    let guest = Guest::evaluating(TRAPS_FOR_OTHERS);
    let scene = Scene::new(None, (guest, json!({})));
    scene.quarantine().await;
    // One good probe, one bad one, one good one: that is not two in a row. None of them is seen by its payment.
    for merchant in [SHORT, LONG, SHORT] {
        scene.time.forward(1_000);
        let evaluation = scene.pay(merchant, &[]).await.unwrap();
        assert_eq!(fault(&evaluation), FaultKind::Quarantined);
        scene.probes_are_done().await;
    }
    assert!(scene.set.slots[0].is_quarantined());
    // Before the interval has passed nothing is tried.
    for _ in 0..5 {
        let evaluation = scene.pay(SHORT, &[]).await.unwrap();
        assert_eq!(fault(&evaluation), FaultKind::Quarantined);
        scene.probes_are_done().await;
    }
    assert!(scene.set.slots[0].is_quarantined());
    scene.time.forward(1_000);
    let evaluation = scene.pay(SHORT, &[]).await.unwrap();
    assert_eq!(fault(&evaluation), FaultKind::Quarantined);
    scene.probes_are_done().await;
    assert!(!scene.set.slots[0].is_quarantined());
    assert_eq!(score(&scene.pay(SHORT, &[]).await.unwrap()), 2);
}

#[tokio::test]
async fn a_payment_does_not_wait_for_a_probe() {
    let scene = Scene::new(Some((scoring(11), json!({}))), (trapping(), json!({})));
    scene.quarantine().await;
    // The one thread of the lane is busy, and stays so.
    let (release, held) = mpsc::sync_channel::<()>(1);
    scene
        .set
        .lane
        .submit(move || {
            let _released = held.recv();
        })
        .unwrap();
    scene.time.forward(1_000);
    for _ in 0..3 {
        assert_eq!(score(&scene.pay(LONG, &[]).await.unwrap()), 11);
    }
    let quarantine = scene.set.slots[0].current.release.quarantine();
    scene.time.forward(1_000_000);
    assert!(quarantine.probe().is_none(), "one probe is under way");
    release.send(()).unwrap();
    scene.probes_are_done().await;
    scene.time.forward(1_000);
    assert!(quarantine.probe().is_some());
}

#[test]
fn the_beginning_is_logged_with_who_decides_instead() {
    // With timers: a busy machine may send a policy to the lane.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    for (first, instead) in [
        (
            Some((scoring(11), json!({}))),
            "instead=\"release\" instead.sequence=1",
        ),
        (None, "instead=\"failure_mode\""),
    ] {
        let scene = Scene::new(first, (trapping(), json!({})));
        let ((), lines) = captured(|| runtime.block_on(scene.quarantine()));
        let begun: Vec<_> = lines
            .iter()
            .filter(|line| line.message.contains("is quarantined"))
            .collect();
        assert_eq!(begun.len(), 1, "{lines:?}");
        assert_eq!(begun[0].level, Level::WARN);
        for field in [
            "policy.name=\"alpha\"",
            "policy.sequence=2",
            "faults=4 evaluations=4",
            instead,
        ] {
            assert!(begun[0].fields.contains(field), "{field}: {begun:?}");
        }
    }
}
