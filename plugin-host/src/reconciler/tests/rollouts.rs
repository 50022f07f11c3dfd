//! From a document with a candidate to what is on trial, what is told of it, and what a restart leaves of it.

use std::sync::Mutex;

use domain::risk::PolicyIdentity;

use super::*;
use crate::document::{PolicyDocument, PolicyName};
use crate::node_status::{NodeCandidate, NodeCandidateState};
use crate::testing::document_with_candidate;

/// Records in memory, which outlive the node that keeps them.
#[derive(Default)]
struct Notes(Mutex<BTreeMap<String, Bytes>>);

impl Notes {
    fn of(&self, name: &str) -> Option<Bytes> {
        self.0.lock().unwrap().get(name).cloned()
    }
}

impl RolloutRecords for Notes {
    fn read(&self, name: &PolicyName) -> Option<Bytes> {
        self.of(name.as_str())
    }

    fn write(&self, name: &PolicyName, record: Bytes) {
        self.0.lock().unwrap().insert(name.as_str().to_owned(), record);
    }

    fn remove(&self, name: &PolicyName) {
        self.0.lock().unwrap().remove(name.as_str());
    }
}

fn trapping() -> Vec<u8> {
    Guest::evaluating("(unreachable)").component()
}

/// A store that holds `alpha`, as it is and with a candidate.
struct Trial {
    scene: Scene,
    notes: Arc<Notes>,
}

impl Trial {
    fn start() -> Self {
        let notes = Arc::new(Notes::default());
        let scene = Scene::start_noting(
            &small_config(1),
            InMemoryPolicyStore::new(),
            Some(Arc::clone(&notes) as _),
        );
        Self { scene, notes }
    }

    /// Ends the node, and starts another one over the same store and the same notes.
    async fn restart(self) -> Self {
        let Self { scene, notes } = self;
        let store = Arc::clone(&scene.store);
        scene.end().await;
        store.forget_reports();
        let scene = Scene::start_noting(&small_config(1), store, Some(Arc::clone(&notes) as _));
        Self { scene, notes }
    }

    fn publish(&self, sequence: u64, stable: &[u8], candidate: &[u8], of_the_candidate: &Value) {
        for component in [stable, candidate] {
            self.scene.store.put_artifact(component);
        }
        let otherwise = json!({"sequence": sequence});
        let document = document_with_candidate("alpha", stable, &otherwise, candidate, of_the_candidate);
        self.commit(&document);
    }

    fn commit(&self, document: &PolicyDocument) {
        let value = Envelope::unsigned(document).to_json();
        self.scene.store.commit(vec![("alpha", Some(value))]);
    }

    /// How the candidate stands once this sequence is in force.
    async fn on_trial(&self, sequence: u64) -> NodeCandidate {
        self.scene
            .in_force("alpha", sequence)
            .await
            .candidate
            .expect("a candidate")
    }

    async fn sent_back(&self) -> NodeCandidate {
        let is_sent_back = |policy: &NodePolicy| {
            let candidate = policy.candidate.as_ref();
            candidate.is_some_and(|candidate| candidate.state == NodeCandidateState::SentBack)
        };
        let status = self
            .scene
            .until(|status| of(status, "alpha").is_some_and(is_sent_back))
            .await;
        of(&status, "alpha").unwrap().candidate.clone().unwrap()
    }

    /// Lets so many payments with a card be decided, and says by which release the last one was.
    async fn pay(&self, payments: u32) -> Arc<PolicyIdentity> {
        let details = testkit::builders::payment_details().card("fp_1").build();
        let request = risk_request("pay_1").details(details).build();
        tokio::time::resume();
        let mut last = None;
        for _ in 0..payments {
            last = self.scene.snapshot().evaluate(&request.borrow(), &[]).await.pop();
        }
        tokio::time::pause();
        last.unwrap().policy
    }
}

#[tokio::test(start_paused = true)]
async fn a_candidate_decides_beside_the_release_in_force_and_is_then_promoted() {
    let trial = Trial::start();
    trial.publish(1, &scoring(1), &scoring(2), &json!({"percent": 12.5}));
    let candidate = trial.on_trial(1).await;
    assert_eq!(
        (&*candidate.stage, candidate.percent, candidate.state),
        ("canary", 12.5, NodeCandidateState::Running)
    );
    assert_eq!(candidate.digest, Some(Digest::of(&scoring(2))));
    trial
        .scene
        .assert_metric(r#"portcullis_policy_candidate_percent{policy="alpha",stage="canary"} 12.5"#);
    assert_eq!(trial.scene.store.fetched().len(), 2);

    trial.publish(2, &scoring(1), &scoring(2), &json!({"percent": 100}));
    assert_eq!(trial.on_trial(2).await.percent, 100.0);
    let by = trial.pay(3).await;
    assert_eq!((&*by.version, by.sequence), ("2.0.0", 2));
    let candidate = trial.scene.status_of("alpha").candidate.unwrap();
    assert_eq!(
        (&*candidate.identity.version, candidate.identity.sequence),
        ("2.0.0", 2)
    );

    publish(
        &trial.scene,
        "alpha",
        &scoring(2),
        &json!({"sequence": 3, "version": "2.0.0"}),
    );
    assert_eq!(trial.scene.in_force("alpha", 3).await.candidate, None);
    assert_eq!(trial.scene.scores().await, [scored("alpha", 2)]);
    assert_eq!(trial.scene.store.fetched().len(), 2, "both were compiled already");
    let told = trial.scene.metrics();
    assert!(
        !told.contains(r#"candidate_evaluations_total{policy="alpha""#),
        "{told}"
    );
    trial.scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn where_a_candidate_is_no_good_the_document_is_refused_and_says_whose_fault_it_is() {
    let trial = Trial::start();
    publish(&trial.scene, "alpha", &scoring(1), &json!({}));
    trial.scene.in_force("alpha", 1).await;
    let good = scoring(2);
    for (sequence, stable, candidate, otherwise, code, needle) in [
        (
            2,
            &good[..],
            &b"#!/bin/sh"[..],
            json!({}),
            "not_a_component",
            "candidate: the artifact",
        ),
        (
            3,
            &b"#!/bin/sh"[..],
            &good[..],
            json!({}),
            "not_a_component",
            "the artifact",
        ),
        (
            4,
            &good[..],
            &good[..],
            json!({"parameters": {"max": 1}}),
            "unknown_parameter",
            "candidate: parameters.max",
        ),
    ] {
        trial.publish(sequence, stable, candidate, &otherwise);
        let holds = |policy: &NodePolicy| {
            let error = policy.error.as_ref();
            error.is_some_and(|error| error.sequence == Some(sequence) && error.code == code)
        };
        let status = trial
            .scene
            .until(|status| of(status, "alpha").is_some_and(holds))
            .await;
        let message = of(&status, "alpha").unwrap().error.clone().unwrap().message;
        assert!(message.starts_with(needle), "{message}");
        assert_eq!(trial.scene.scores().await, [scored("alpha", 1)]);
    }
    trial.scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_candidate_with_the_same_component_is_compiled_once() {
    let trial = Trial::start();
    let candidate = json!({"limits": {"fuel": 5_000_000}});
    trial.publish(1, &scoring(1), &scoring(1), &candidate);
    trial.on_trial(1).await;
    assert_eq!(trial.scene.store.fetched().len(), 1);
    trial.scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_back_stays_so_after_a_restart_and_until_another_document_comes() {
    let trial = Trial::start();
    trial.publish(1, &scoring(1), &trapping(), &json!({}));
    trial.on_trial(1).await;
    assert_eq!(&*trial.pay(3).await.version, "1.0.0", "two faults are too many");
    let sent_back = trial.sent_back().await;
    assert_eq!(sent_back.gate.as_deref(), Some("fault_ratio"));
    assert_eq!(
        (sent_back.faults, sent_back.evaluations, sent_back.since.0),
        (2, 2, NOW)
    );
    let reason = sent_back.reason.clone().unwrap();
    assert!(reason.starts_with("fault ratio 1 of 2 evaluations"), "{reason}");
    trial
        .scene
        .assert_metric(r#"portcullis_policy_candidate_percent{policy="alpha",stage="canary"} 0.0"#);
    trial.scene.assert_metric(
        r#"portcullis_policy_candidates_sent_back_total{policy="alpha",gate="fault_ratio"} 1"#,
    );

    let trial = trial.restart().await;
    let again = trial.sent_back().await;
    assert_eq!((again.reason, again.faults), (Some(reason), 2));
    assert_eq!(&*trial.pay(3).await.version, "1.0.0");

    trial.publish(2, &scoring(1), &trapping(), &json!({}));
    let anew = trial.on_trial(2).await;
    assert_eq!((anew.state, anew.evaluations), (NodeCandidateState::Running, 0));
    assert_eq!(&*trial.pay(1).await.version, "2.0.0");
    trial.scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn counts_go_on_over_a_restart_and_over_a_document_that_moves_the_share() {
    let trial = Trial::start();
    trial.publish(1, &scoring(1), &scoring(2), &json!({}));
    trial.on_trial(1).await;
    trial.pay(5).await;
    let counted = |count: u64| {
        move |policy: &NodePolicy| policy.candidate.as_ref().is_some_and(|c| c.evaluations == count)
    };
    trial
        .scene
        .until(|status| of(status, "alpha").is_some_and(counted(5)))
        .await;
    let trial = trial.restart().await;
    assert_eq!(trial.on_trial(1).await.evaluations, 5);
    trial.publish(2, &scoring(1), &scoring(2), &json!({"percent": 99.99}));
    assert_eq!(trial.on_trial(2).await.evaluations, 5);
    trial.pay(2).await;
    trial
        .scene
        .until(|status| of(status, "alpha").is_some_and(counted(7)))
        .await;
    // The last document had no candidate: nothing is remembered of it.
    publish(&trial.scene, "alpha", &scoring(1), &json!({"sequence": 3}));
    trial.scene.in_force("alpha", 3).await;
    assert_eq!(trial.notes.of("alpha"), None);
    trial.scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_document_that_is_deleted_and_comes_back_does_not_bring_a_bad_candidate_back() {
    let trial = Trial::start();
    trial.publish(1, &scoring(1), &trapping(), &json!({}));
    trial.on_trial(1).await;
    trial.pay(3).await;
    trial.sent_back().await;
    let revision = trial.scene.store.commit(vec![("alpha", None)]);
    trial.scene.until(|status| status.revision == revision).await;
    trial.publish(1, &scoring(1), &trapping(), &json!({}));
    trial.sent_back().await;
    trial.scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_candidate_alone_leaves_the_quarantine_of_the_release_in_force() {
    let trial = Trial::start();
    publish(&trial.scene, "alpha", &scoring(11), &json!({}));
    trial.scene.in_force("alpha", 1).await;
    publish(
        &trial.scene,
        "alpha",
        &trapping(),
        &json!({"sequence": 2, "version": "1.0.0"}),
    );
    trial.scene.in_force("alpha", 2).await;
    assert_eq!(
        trial.pay(21).await.sequence,
        1,
        "what was in force before stands in"
    );
    let quarantined = |policy: &NodePolicy, sequence: u64| {
        policy.sequence == Some(sequence)
            && policy
                .quarantine
                .as_ref()
                .is_some_and(|quarantine| quarantine.faults == 20)
    };
    // A candidate comes, its share is moved, and it goes: the release in force is the same all the time.
    for (sequence, percent) in [(3, 0.01), (4, 0.02)] {
        trial.publish(sequence, &trapping(), &scoring(12), &json!({"percent": percent}));
        let holds = |policy: &NodePolicy| quarantined(policy, sequence);
        trial
            .scene
            .until(|status| of(status, "alpha").is_some_and(holds))
            .await;
        assert_eq!(trial.pay(1).await.sequence, 1);
    }
    publish(&trial.scene, "alpha", &trapping(), &json!({"sequence": 5}));
    let holds = |policy: &NodePolicy| quarantined(policy, 5);
    trial
        .scene
        .until(|status| of(status, "alpha").is_some_and(holds))
        .await;
    // Published once more as it is, it starts healthy, as ever.
    publish(&trial.scene, "alpha", &trapping(), &json!({"sequence": 6}));
    assert_eq!(trial.scene.in_force("alpha", 6).await.quarantine, None);
    trial.scene.end().await;
}
