//! Who decides while a candidate is on trial, and what is run beside payments.

mod gates;

use std::sync::mpsc::{SyncSender, sync_channel};

use domain::payment::PaymentDetails;
use prometheus_client::registry::Registry;
use testkit::fakes::SettableClock;
use tokio::sync::Notify;
use tracing::Level;

use super::*;
use crate::document::PolicyDocument;
use crate::lane::MAX_PLACES;
use crate::metrics::HostMetrics;
use crate::quarantine::{Quarantine, QuarantineConfig};
use crate::rollout::{Rollout, Rollouts};
use crate::testing::{Hand, PAID_AT, captured, document_with_candidate, load, supervision};

/// A policy with a candidate.
struct Scene {
    set: PolicySet,
    rollout: Arc<Rollout>,
}

impl Scene {
    fn new(stable: Guest, candidate: Guest, of_the_candidate: &Value) -> Self {
        Self::under(json!({}), stable, candidate, of_the_candidate)
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "what is made for one scene reads better without a reference"
    )]
    fn under(otherwise: Value, stable: Guest, candidate: Guest, of_the_candidate: &Value) -> Self {
        let (stable, candidate) = (stable.component(), candidate.component());
        let document = document_with_candidate("alpha", &stable, &otherwise, &candidate, of_the_candidate);
        let supervision = supervision(QuarantineConfig::default(), &Hand::default());
        let metrics = HostMetrics::register(&mut Registry::default());
        let release = |component: &[u8], document: &PolicyDocument| {
            let quarantine = Quarantine::new(Arc::clone(&supervision), document.limits.deadline());
            let since = Timestamp::from_unix_millis(PAID_AT);
            let metrics = metrics.of_policy("alpha");
            Arc::new(Release::new(Arc::new(load(component)), document, since, metrics, quarantine).unwrap())
        };
        let stable = release(&stable, &document.without_candidate());
        let candidate = release(&candidate, &document.promoted().unwrap());
        let rollouts = Rollouts {
            clock: Arc::new(SettableClock::default()),
            changed: Arc::new(Notify::new()),
            metrics,
        };
        let rollout = Arc::new(rollouts.begin(&document, candidate, None, None).unwrap());
        let set = set_of(vec![InForce {
            release: stable,
            previous: None,
            candidate: Some(Arc::clone(&rollout)),
        }]);
        Self { set, rollout }
    }

    /// What the policy says about a payment with this card.
    async fn pay_with(&self, id: &str, fingerprint: &str, features: &[FeatureValue]) -> PolicyEvaluation {
        let details = payment_details().card(fingerprint).build();
        self.pay(id, details, features).await
    }

    async fn pay(&self, id: &str, details: PaymentDetails, features: &[FeatureValue]) -> PolicyEvaluation {
        let request = risk_request(id).details(details).build();
        self.set
            .evaluate(&request.borrow(), features)
            .await
            .pop()
            .unwrap()
    }

    /// Waits until everything that was left for the threads beside payments is done.
    async fn beside_is_done(&self) {
        // Left there like everything else: what waits to be run beside payments has no time by which it must have begun.
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.set
            .beside
            .submit(move || {
                let _awaited = sender.send(());
            })
            .unwrap();
        receiver.await.unwrap();
    }

    /// Holds the one thread beside payments until it is told.
    fn hold(&self) -> SyncSender<()> {
        let (release, held) = sync_channel::<()>(1);
        self.set
            .beside
            .submit(move || {
                let _released = held.recv();
            })
            .unwrap();
        release
    }
}

fn saying(outcome: Outcome, score: u16) -> Guest {
    Guest::answering(&Answer::of(outcome, score))
}

fn trapping() -> Guest {
    Guest::evaluating("(unreachable)")
}

fn spinning() -> Guest {
    Guest::evaluating("(loop $again (br $again)) (unreachable)")
}

fn shadow() -> Value {
    json!({"stage": "shadow"})
}

#[tokio::test]
async fn a_canary_decides_about_its_share_of_cards_and_a_card_stays_on_its_side() {
    let scene = Scene::new(
        saying(Outcome::Approve, 1),
        saying(Outcome::Approve, 2),
        &json!({"percent": 25}),
    );
    let mut by_the_candidate = 0;
    for index in 0..400 {
        let fingerprint = format!("fp_{index:032x}");
        let first = scene.pay_with("pay_1", &fingerprint, &[]).await;
        let again = scene.pay_with("pay_2", &fingerprint, &[]).await;
        assert_eq!(first.policy, again.policy, "{fingerprint}");
        let (version, expected) = match score(&first) {
            1 => ("1.0.0", 1),
            _ => ("2.0.0", 2),
        };
        assert_eq!((&*first.policy.version, score(&again)), (version, expected));
        assert_eq!(
            first.policy.digest,
            scene_digest(&scene, expected),
            "the record names the artifact"
        );
        by_the_candidate += u32::from(expected == 2);
    }
    // A hundred within five standard deviations.
    assert!((57..=143).contains(&by_the_candidate), "{by_the_candidate}");
    scene.beside_is_done().await;
    let status = scene.rollout.status();
    assert_eq!(status.evaluations, u64::from(2 * by_the_candidate));
    assert!(
        status.compared > 0 && status.compared + status.dropped == status.evaluations,
        "{status:?}"
    );
    assert_eq!((status.differing, status.rescored), (0, status.compared));
}

fn scene_digest(scene: &Scene, score: u16) -> Box<str> {
    let release = match score {
        1 => &scene.set.slots[0].current.release,
        _ => scene.rollout.release(),
    };
    release.identity().digest.clone()
}

#[tokio::test]
async fn a_payment_without_a_card_is_decided_by_the_release_in_force() {
    let scene = Scene::new(
        saying(Outcome::Approve, 1),
        saying(Outcome::Approve, 2),
        &json!({}),
    );
    let without = payment_details().build();
    assert_eq!(score(&scene.pay("pay_1", without, &[]).await), 1);
    let with = payment_details().card("fp_1").build();
    assert_eq!(score(&scene.pay("pay_1", with, &[]).await), 2);
}

#[tokio::test]
async fn the_scope_and_the_failure_mode_are_the_document_s() {
    let otherwise = json!({
        "failure_mode": {"default": "challenge"},
        "scope": {"minimum_amount": {"CNY": 5_000}},
    });
    let scene = Scene::under(
        otherwise,
        saying(Outcome::Approve, 1),
        trapping(),
        &json!({"gates": {"max_fault_ratio": 1}}),
    );
    let evaluation = scene.pay_with("pay_1", "fp_1", &[]).await;
    assert_eq!(&*evaluation.policy.version, "2.0.0");
    assert_eq!(
        (fault(&evaluation), evaluation.outcome()),
        (FaultKind::Trap, Outcome::Challenge)
    );
    let small = payment_details().amount(money(4_999, "CNY")).card("fp_1").build();
    let request = risk_request("pay_2").details(small).build();
    assert!(scene.set.evaluate(&request.borrow(), &[]).await.is_empty());
}

fn fault(evaluation: &PolicyEvaluation) -> FaultKind {
    slot::fault(evaluation).expect("a fault")
}

#[tokio::test]
async fn the_features_of_a_candidate_are_looked_up_while_it_is_on_trial() {
    let (ip, device) = (velocity(Subject::Ip), velocity(Subject::Device));
    let scene = Scene::new(
        echoing(&[("ip", ip.clone())]),
        echoing(&[("device", device.clone()), ("ip", ip.clone())]),
        &json!({"gates": {"max_decision_drift": 0}}),
    );
    assert_eq!(scene.set.features(), [ip.clone(), device]);
    let features = [FeatureValue::Count(3), FeatureValue::Count(5)];
    assert_eq!(score(&scene.pay_with("pay_1", "fp_1", &features).await), 53);
    // Once it was sent back, the next set does without them.
    let release = Arc::clone(&scene.set.slots[0].current.release);
    for _ in 0..2 {
        scene.rollout.evaluated(Some(FaultKind::Trap), Duration::ZERO);
    }
    assert!(scene.rollout.is_sent_back());
    let next = set_of(vec![InForce {
        release,
        previous: None,
        candidate: Some(Arc::clone(&scene.rollout)),
    }]);
    assert_eq!(next.features(), [ip]);
}

#[tokio::test]
async fn a_shadow_is_compared_and_decides_nothing() {
    let scene = Scene::new(
        saying(Outcome::Approve, 1),
        saying(Outcome::Decline, 900),
        &shadow(),
    );
    for index in 0..40 {
        let evaluation = scene.pay_with(&format!("pay_{index}"), "fp_1", &[]).await;
        assert_eq!((score(&evaluation), evaluation.outcome()), (1, Outcome::Approve));
        scene.beside_is_done().await;
    }
    let status = scene.rollout.status();
    assert_eq!((status.evaluations, status.faults), (40, 0));
    assert_eq!((status.compared, status.differing, status.dropped), (40, 40, 0));
    assert!(status.p99_us.is_some());
    // The last ones are kept, the newest first, and nothing of the payer is in them.
    assert_eq!(status.differences.len(), 32);
    let newest = &status.differences[0];
    assert_eq!(&*newest.payment_id, "pay_39");
    assert_eq!(
        (newest.in_force.outcome, newest.in_force.score),
        (Outcome::Approve, Some(1))
    );
    assert_eq!(
        (newest.candidate.outcome, newest.candidate.score),
        (Outcome::Decline, Some(900))
    );
    assert!(!format!("{status:?}").contains("fp_1"));
}

#[tokio::test]
async fn a_shadow_is_run_for_its_share_of_payments() {
    let scene = Scene::new(
        saying(Outcome::Approve, 1),
        saying(Outcome::Approve, 1),
        &json!({"stage": "shadow", "percent": 50}),
    );
    for index in 0..200 {
        let _stands = scene.pay_with(&format!("pay_{index}"), "fp_1", &[]).await;
        scene.beside_is_done().await;
    }
    let status = scene.rollout.status();
    assert!((65..=135).contains(&status.evaluations), "{status:?}");
    assert_eq!((status.compared, status.differing), (status.evaluations, 0));
}

#[tokio::test]
async fn a_payment_does_not_wait_for_what_is_run_beside_it() {
    let scene = Scene::new(
        saying(Outcome::Approve, 1),
        saying(Outcome::Decline, 2),
        &shadow(),
    );
    // The one thread is busy, and stays so: no payment would ever be answered that waited for it.
    let release = scene.hold();
    for index in 0..200 {
        let evaluation = scene.pay_with(&format!("pay_{index}"), "fp_1", &[]).await;
        assert_eq!(score(&evaluation), 1);
    }
    let status = scene.rollout.status();
    assert_eq!(status.evaluations, 0);
    assert!(status.dropped >= u64::from(200 - MAX_PLACES), "{status:?}");
    release.send(()).unwrap();
    scene.beside_is_done().await;
    let status = scene.rollout.status();
    assert_eq!(status.evaluations + status.dropped, 200);
}

#[tokio::test]
async fn a_candidate_that_spins_takes_no_thread_from_payments() {
    // The policy itself takes its time, on the one thread of the lane.
    let unhurried = json!({"limits": {"fuel": 1_000_000_000, "deadline_ms": 1_000}});
    let candidate = json!({
        "stage": "shadow", "limits": {"fuel": 1_000_000_000, "deadline_ms": 20},
        "gates": {"max_fault_ratio": 1},
    });
    let scene = Scene::under(unhurried, computing(5_000_000), spinning(), &candidate);
    for index in 0..6 {
        let evaluation = scene.pay_with(&format!("pay_{index}"), "fp_1", &[]).await;
        assert_eq!((score(&evaluation), &*evaluation.policy.version), (9, "1.0.0"));
    }
    scene.beside_is_done().await;
    let status = scene.rollout.status();
    // On a machine that is busy it may not have had its deadline's worth of the processor: that says nothing about it.
    assert_eq!(status.evaluations, status.faults);
    assert_eq!(status.compared, status.faults);
}
