//! What comes of a gate that is crossed, and of a quarantine.

use super::*;

#[tokio::test]
async fn a_candidate_that_faults_too_often_is_sent_back_at_once_and_payments_go_on() {
    let gates = json!({"gates": {"max_fault_ratio": 0.1, "minimum_evaluations": 20}});
    let scene = Scene::new(saying(Outcome::Approve, 1), trapping(), &gates);
    // Two of twenty are allowed, so the third says enough.
    for _ in 0..3 {
        assert!(!scene.rollout.is_sent_back());
        let evaluation = scene.pay_with("pay_1", "fp_1", &[]).await;
        assert_eq!(
            (fault(&evaluation), evaluation.outcome()),
            (FaultKind::Trap, Outcome::Review)
        );
    }
    for _ in 0..5 {
        let evaluation = scene.pay_with("pay_1", "fp_1", &[]).await;
        assert_eq!((score(&evaluation), &*evaluation.policy.version), (1, "1.0.0"));
    }
    scene.beside_is_done().await;
    let sent_back = scene.rollout.status().sent_back.unwrap();
    assert_eq!(sent_back.gate, "fault_ratio");
    assert_eq!(
        &*sent_back.reason,
        "fault ratio 1 of 3 evaluations, expected at most 0.1 of the first 20"
    );
}

#[tokio::test]
async fn a_candidate_that_takes_too_long_or_decides_otherwise_is_sent_back() {
    let slow = json!({
        "stage": "shadow", "limits": {"fuel": 1_000_000_000, "deadline_ms": 1_000},
        "gates": {"max_p99_us": 1, "minimum_evaluations": 10},
    });
    let drifting =
        json!({"stage": "shadow", "gates": {"max_decision_drift": 0.05, "minimum_evaluations": 10}});
    for (candidate, how, gate) in [
        (computing(1_000_000), slow, "p99"),
        (saying(Outcome::Decline, 1), drifting, "decision_drift"),
    ] {
        let scene = Scene::new(saying(Outcome::Approve, 1), candidate, &how);
        let _stands = scene.pay_with("pay_1", "fp_1", &[]).await;
        scene.beside_is_done().await;
        let status = scene.rollout.status();
        let sent_back = status.sent_back.expect(gate);
        assert_eq!(
            (sent_back.gate, status.evaluations),
            (gate, 1),
            "{}",
            sent_back.reason
        );
        // It is not run any more.
        let _stands = scene.pay_with("pay_2", "fp_1", &[]).await;
        scene.beside_is_done().await;
        assert_eq!(scene.rollout.status().evaluations, 1);
    }
}

#[tokio::test]
async fn a_candidate_that_the_quarantine_would_hold_is_sent_back() {
    let gates = json!({"gates": {"max_fault_ratio": 1, "minimum_evaluations": 1_000_000}});
    let scene = Scene::new(saying(Outcome::Approve, 1), trapping(), &gates);
    let mut by_the_candidate = 0;
    while &*scene.pay_with("pay_1", "fp_1", &[]).await.policy.version == "2.0.0" {
        by_the_candidate += 1;
    }
    let sent_back = scene.rollout.status().sent_back.unwrap();
    // With the longest deadline so few say enough.
    assert_eq!((sent_back.gate, by_the_candidate), ("quarantine", 5));
    assert!(
        !scene.set.slots[0].is_quarantined(),
        "the release in force is not to blame"
    );
}

#[tokio::test]
async fn while_the_release_in_force_is_quarantined_its_candidate_is_counted_and_not_compared() {
    let scene = Scene::new(trapping(), saying(Outcome::Approve, 2), &shadow());
    for _ in 0..5 {
        assert_eq!(
            fault(&scene.pay_with("pay_1", "fp_1", &[]).await),
            FaultKind::Trap
        );
        scene.beside_is_done().await;
    }
    let compared = scene.rollout.status().compared;
    assert_eq!(
        compared, 5,
        "the outcome that stands in for a fault is an outcome"
    );
    for _ in 0..5 {
        assert_eq!(
            fault(&scene.pay_with("pay_1", "fp_1", &[]).await),
            FaultKind::Quarantined
        );
        scene.beside_is_done().await;
    }
    let status = scene.rollout.status();
    assert_eq!((status.evaluations, status.compared), (10, 5));
}

#[tokio::test]
async fn a_canary_goes_on_while_the_release_in_force_is_quarantined() {
    let scene = Scene::new(trapping(), saying(Outcome::Approve, 2), &json!({"percent": 50}));
    let mut cards = (0..).map(|index| format!("fp_{index:032x}"));
    let (mut taken, mut left) = (None, None);
    while taken.is_none() || left.is_none() {
        let card = cards.next().unwrap();
        let version = scene.pay_with("pay_1", &card, &[]).await.policy.version.clone();
        *(if &*version == "2.0.0" {
            &mut taken
        } else {
            &mut left
        }) = Some(card);
    }
    let (taken, left) = (taken.unwrap(), left.unwrap());
    while !scene.set.slots[0].is_quarantined() {
        let _stands = scene.pay_with("pay_1", &left, &[]).await;
    }
    scene.beside_is_done().await;
    let compared = scene.rollout.status().compared;
    assert_eq!(score(&scene.pay_with("pay_1", &taken, &[]).await), 2);
    assert_eq!(
        fault(&scene.pay_with("pay_1", &left, &[]).await),
        FaultKind::Quarantined
    );
    scene.beside_is_done().await;
    assert_eq!(
        scene.rollout.status().compared,
        compared,
        "a quarantined release is not run to compare it"
    );
}

#[test]
fn what_was_sent_back_is_logged_with_the_numbers() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let scene = Scene::new(saying(Outcome::Approve, 1), trapping(), &json!({}));
    let ((), lines) = captured(|| {
        runtime.block_on(async {
            for _ in 0..5 {
                let _stands = scene.pay_with("pay_1", "fp_1", &[]).await;
            }
        });
    });
    let sent_back: Vec<_> = lines
        .iter()
        .filter(|line| line.message.contains("was sent back"))
        .collect();
    assert_eq!(sent_back.len(), 1, "{lines:?}");
    assert_eq!(sent_back[0].level, Level::WARN);
    for field in [
        "policy.name=\"alpha\"",
        "policy.version=\"2.0.0\"",
        "stage=\"canary\"",
        "gate=\"fault_ratio\"",
        "fault ratio 1 of 2 evaluations, expected at most 0.01 of the first 100",
    ] {
        assert!(sent_back[0].fields.contains(field), "{field}: {sent_back:?}");
    }
}
