//! `/v1/policies`.

use application::ports::{
    CandidateAnswer, CandidateDifference, CandidateOnTrial, PolicyStatus, QuarantineInForce, RefusedRelease,
    ReleaseInForce, RetirementInForce, SentBackCandidate,
};
use domain::Timestamp;
use domain::risk::{FaultKind, Outcome};
use serde_json::json;

use crate::caller::get;
use crate::fakes::engine::identity;
use crate::fakes::{NOW, World};

fn in_force() -> ReleaseInForce {
    ReleaseInForce {
        identity: identity("velocity-limit"),
        summary: "Counts payments per card".into(),
        since: NOW,
    }
}

fn refused() -> RefusedRelease {
    RefusedRelease {
        sequence: Some(8),
        code: "digest_mismatch",
        message: "expected sha256:ab, found sha256:cd".to_owned(),
        since: Timestamp::from_unix_millis(0),
    }
}

fn quarantine() -> QuarantineInForce {
    QuarantineInForce {
        since: NOW,
        evaluations: 21,
        faults: 14,
        last_fault: FaultKind::OutOfFuel,
        instead: Some(identity("velocity-limit")),
    }
}

fn candidate() -> CandidateOnTrial {
    CandidateOnTrial {
        identity: identity("velocity-limit"),
        stage: "canary",
        percent: 2.5,
        since: Timestamp::from_unix_millis(0),
        sent_back: Some(SentBackCandidate {
            gate: "fault_ratio",
            since: NOW,
            reason: "fault ratio 0.031 of 1204 evaluations, expected at most 0.01".into(),
        }),
        evaluations: 1_204,
        faults: 37,
        p99_us: Some(43),
        compared: 1_100,
        differing: 1,
        rescored: 9,
        dropped: 2,
        differences: vec![CandidateDifference {
            payment_id: "pay_1".into(),
            at: NOW,
            in_force: CandidateAnswer {
                outcome: Outcome::Approve,
                score: Some(3),
                fault: None,
                reasons: vec!["amount.usual".into()],
            },
            candidate: CandidateAnswer {
                outcome: Outcome::Review,
                score: None,
                fault: Some(FaultKind::Trap),
                reasons: Vec::new(),
            },
        }],
    }
}

/// What is shown of [`candidate`].
fn candidate_view() -> serde_json::Value {
    json!({
        "version": "1.4.0",
        "digest": format!("sha256:{}", "ab".repeat(32)),
        "stage": "canary",
        "percent": 2.5,
        "state": "sent_back",
        "since": "1970-01-01T00:00:00.000Z",
        "sent_back": {
            "gate": "fault_ratio",
            "since": "2026-03-01T08:30:00.250Z",
            "reason": "fault ratio 0.031 of 1204 evaluations, expected at most 0.01",
        },
        "evaluations": 1204,
        "faults": 37,
        "p99_us": 43,
        "compared": 1100,
        "differing": 1,
        "rescored": 9,
        "dropped": 2,
        "differences": [{
            "payment_id": "pay_1",
            "at": "2026-03-01T08:30:00.250Z",
            "in_force": {"outcome": "approve", "score": 3, "fault": null, "reasons": ["amount.usual"]},
            "candidate": {"outcome": "review", "score": null, "fault": "trap", "reasons": []},
        }],
    })
}

#[tokio::test]
async fn every_policy_is_shown_with_how_it_stands() {
    let world = World::new();
    *world.engine.statuses.lock().unwrap() = vec![PolicyStatus {
        name: "velocity-limit".into(),
        in_force: Some(in_force()),
        refused: Some(refused()),
        loading: false,
        quarantine: Some(quarantine()),
        retired: None,
        highest_sequence: 7,
        candidate: Some(candidate()),
    }];
    let answer = get(&world.api(), "/v1/policies").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({
            "policy_revision": 41,
            "policies": [{
                "name": "velocity-limit",
                "state": "quarantined_newer_refused",
                "loading": false,
                "in_force": {
                    "version": "1.4.0",
                    "sequence": 7,
                    "digest": format!("sha256:{}", "ab".repeat(32)),
                    "summary": "Counts payments per card",
                    "since": "2026-03-01T08:30:00.250Z",
                },
                "refused": {
                    "sequence": 8,
                    "code": "digest_mismatch",
                    "message": "expected sha256:ab, found sha256:cd",
                    "since": "1970-01-01T00:00:00.000Z",
                },
                "quarantine": {
                    "since": "2026-03-01T08:30:00.250Z",
                    "fault_ratio": 0.667,
                    "evaluations": 21,
                    "faults": 14,
                    "last_fault": "out_of_fuel",
                    "instead": {
                        "version": "1.4.0",
                        "sequence": 7,
                        "digest": format!("sha256:{}", "ab".repeat(32)),
                    },
                },
                "retired": null,
                "candidate": candidate_view(),
            }],
        })
    );
}

#[tokio::test]
async fn the_state_is_the_headline_of_the_entry() {
    let world = World::new();
    let entry = |has: bool, was_refused: bool, loading: bool| PolicyStatus {
        name: "p".into(),
        in_force: has.then(in_force),
        refused: was_refused.then(refused),
        loading,
        quarantine: None,
        retired: None,
        highest_sequence: 8,
        candidate: None,
    };
    let quarantined = |was_refused: bool, loading: bool| PolicyStatus {
        quarantine: Some(quarantine()),
        ..entry(true, was_refused, loading)
    };
    let retired = |was_refused: bool, loading: bool| PolicyStatus {
        retired: Some(RetirementInForce {
            sequence: 9,
            reason: Some("replaced by another".into()),
            since: NOW,
        }),
        ..entry(false, was_refused, loading)
    };
    let cases = [
        (entry(true, false, false), "in_force"),
        (entry(true, false, true), "in_force_newer_loading"),
        (entry(true, true, true), "in_force_newer_loading"),
        (entry(true, true, false), "in_force_newer_refused"),
        (entry(false, false, true), "loading"),
        (entry(false, true, true), "loading"),
        (entry(false, true, false), "refused"),
        (entry(false, false, false), "absent"),
        (retired(false, false), "retired"),
        (retired(false, true), "loading"),
        (retired(true, false), "refused"),
        (quarantined(false, false), "quarantined"),
        (quarantined(true, true), "quarantined_newer_loading"),
        (quarantined(true, false), "quarantined_newer_refused"),
    ];
    for (status, expected) in cases {
        *world.engine.statuses.lock().unwrap() = vec![status];
        let answer = get(&world.api(), "/v1/policies").await.json();
        assert_eq!(answer["policies"][0]["state"], expected);
    }
}

#[tokio::test]
async fn a_retired_policy_is_shown_with_the_document_that_says_so() {
    let world = World::new();
    *world.engine.statuses.lock().unwrap() = vec![PolicyStatus {
        name: "velocity-limit".into(),
        in_force: None,
        refused: None,
        loading: false,
        quarantine: None,
        candidate: None,
        retired: Some(RetirementInForce {
            sequence: 9,
            reason: Some("replaced by another".into()),
            since: NOW,
        }),
        highest_sequence: 9,
    }];
    let answer = get(&world.api(), "/v1/policies").await.json();
    assert_eq!(answer["policies"][0]["state"], "retired");
    assert_eq!(
        answer["policies"][0]["retired"],
        json!({"sequence": 9, "reason": "replaced by another", "since": "2026-03-01T08:30:00.250Z"})
    );
}

#[tokio::test]
async fn a_node_without_a_set_has_no_revision() {
    let world = World::new();
    world.engine.unload();
    let answer = get(&world.api(), "/v1/policies").await;
    assert_eq!(answer.json(), json!({"policy_revision": null, "policies": []}));
}

#[tokio::test]
async fn one_policy_is_shown_by_its_name_and_one_that_there_is_not_is_not_found() {
    let world = World::new();
    *world.engine.statuses.lock().unwrap() = vec![PolicyStatus {
        name: "alpha".into(),
        loading: true,
        ..PolicyStatus::default()
    }];
    let shown = get(&world.api(), "/v1/policies/alpha").await;
    assert_eq!(
        (shown.status.as_u16(), &shown.json()["state"]),
        (200, &json!("loading"))
    );
    let missing = get(&world.api(), "/v1/policies/beta").await;
    assert_eq!(missing.status, 404);
    assert_eq!(missing.problem().0, "policy_not_found");
}

#[tokio::test]
async fn a_node_tells_of_itself() {
    let nodes = get(&World::new().api(), "/v1/nodes").await.json();
    assert_eq!(nodes["data"][0]["id"], "node-1");
    assert_eq!(nodes["data"][0]["policy_revision"], 41);
}
