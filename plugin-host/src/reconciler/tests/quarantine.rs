//! What a quarantine leaves in force, and who is told of it while nothing changes in the store.

use domain::risk::FaultKind;

use super::*;

fn trapping() -> Vec<u8> {
    Guest::evaluating("(unreachable)").component()
}

fn next(sequence: u64) -> Value {
    json!({"sequence": sequence})
}

impl Scene {
    /// Lets so many payments be decided, and says by which sequence of the one policy the last one was, and with which score.
    async fn pay(&self, payments: u32) -> (u64, Result<u16, FaultKind>) {
        let request = risk_request("pay_1").build();
        tokio::time::resume();
        let mut last = None;
        for _ in 0..payments {
            last = self.snapshot().evaluate(&request.borrow(), &[]).await.pop();
        }
        tokio::time::pause();
        let last = last.unwrap();
        let result = match last.result {
            EvaluationResult::Verdict(verdict) => Ok(verdict.score.value()),
            EvaluationResult::Fault { fault, .. } => Err(fault.kind),
        };
        (last.policy.sequence, result)
    }

    async fn quarantined(&self, name: &str) -> NodePolicy {
        let holds = |policy: &NodePolicy| policy.state == NodePolicyState::Quarantined;
        let status = self.until(|status| of(status, name).is_some_and(holds)).await;
        of(&status, name).unwrap().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn the_release_before_decides_until_a_new_document_comes_and_all_of_it_is_told() {
    let scene = Scene::start();
    publish(&scene, "alpha", &scoring(11), &json!({}));
    scene.in_force("alpha", 1).await;
    publish(&scene, "alpha", &trapping(), &next(2));
    scene.in_force("alpha", 2).await;
    scene.assert_metric(r#"portcullis_policy_quarantined{policy="alpha"} 0"#);

    assert_eq!(scene.pay(20).await, (2, Err(FaultKind::Trap)));
    assert_eq!(scene.pay(1).await, (1, Ok(11)));
    let policy = scene.quarantined("alpha").await;
    assert_eq!(policy.sequence, Some(2), "that release is in force all the same");
    let quarantine = policy.quarantine.unwrap();
    assert_eq!((quarantine.faults, quarantine.evaluations), (20, 20));
    assert_eq!(quarantine.last_fault, "trap");
    let instead = quarantine.instead.unwrap();
    assert_eq!(
        (instead.sequence, instead.digest),
        (1, Some(Digest::of(&scoring(11))))
    );
    assert_eq!(quarantine.since.0, NOW);
    assert_eq!(policy.since.0, NOW);
    let status = scene.status_of("alpha");
    assert_eq!(status.quarantine.unwrap().instead.unwrap().sequence, 1);
    scene.assert_metric(r#"portcullis_policy_quarantined{policy="alpha"} 1"#);
    scene.assert_metric(r#"portcullis_policy_quarantines_total{policy="alpha"} 1"#);

    // Replaced while it is quarantined: what stood in for it stands by for the next one.
    publish(&scene, "alpha", &trapping(), &next(3));
    scene.in_force("alpha", 3).await;
    scene.assert_metric(r#"portcullis_policy_quarantined{policy="alpha"} 0"#);
    assert_eq!(scene.pay(20).await, (3, Err(FaultKind::Trap)));
    assert_eq!(scene.pay(1).await, (1, Ok(11)));

    publish(&scene, "alpha", &scoring(12), &next(4));
    scene.in_force("alpha", 4).await;
    assert_eq!(scene.pay(1).await, (4, Ok(12)));
    assert!(scene.status_of("alpha").quarantine.is_none());
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn the_last_good_release_is_the_one_that_stands_by() {
    let scene = Scene::start();
    for (sequence, score) in [(1, 11), (2, 12), (3, 13)] {
        publish(&scene, "alpha", &scoring(score), &next(sequence));
        scene.in_force("alpha", sequence).await;
    }
    publish(&scene, "alpha", &trapping(), &next(4));
    scene.in_force("alpha", 4).await;
    assert_eq!(scene.pay(21).await, (3, Ok(13)));
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_first_release_leaves_the_decision_to_its_failure_mode_and_a_retired_one_no_number() {
    let scene = Scene::start();
    publish(&scene, "alpha", &trapping(), &json!({}));
    scene.in_force("alpha", 1).await;
    assert_eq!(scene.pay(21).await, (1, Err(FaultKind::Quarantined)));
    let policy = scene.quarantined("alpha").await;
    assert_eq!(policy.quarantine.unwrap().instead, None);
    // It comes back after it was retired, and is as new.
    scene.store.commit(vec![("alpha", Some(retirement("alpha", 2)))]);
    let is_retired = |policy: &NodePolicy| policy.state == NodePolicyState::Retired;
    scene
        .until(|status| of(status, "alpha").is_some_and(is_retired))
        .await;
    scene.assert_metric(r#"portcullis_policy_quarantined{policy="alpha"} 0"#);
    publish(&scene, "alpha", &trapping(), &next(3));
    scene.in_force("alpha", 3).await;
    assert_eq!(scene.pay(1).await, (3, Err(FaultKind::Trap)));
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_quarantine_that_begins_while_another_policy_is_loading_is_told_at_once() {
    let scene = Scene::start();
    publish(&scene, "alpha", &trapping(), &json!({}));
    scene.in_force("alpha", 1).await;
    let bravo = scoring(2);
    scene.store.hold(&bravo);
    publish(&scene, "bravo", &bravo, &json!({}));
    let holds = |policy: &NodePolicy| policy.state == NodePolicyState::Loading;
    scene.until(|status| of(status, "bravo").is_some_and(holds)).await;
    assert_eq!(scene.pay(21).await, (1, Err(FaultKind::Quarantined)));
    scene.quarantined("alpha").await;
    assert!(scene.status_of("bravo").loading);
    scene.store.let_go();
    scene.in_force("bravo", 1).await;
    scene.end().await;
}
