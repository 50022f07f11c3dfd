//! What becomes of proposals, on every store.

use portcullis_plugin_host::document::{
    Gates, Moment, Percent, PolicyDocument, PolicyVersion, RetirementReason, Stage, Statement,
};
use portcullis_plugin_host::envelope::Envelope;
use portcullis_plugin_host::node_status::{NodeId, NodePolicy, NodePolicyState, NodeStatus};
use portcullis_plugin_host::publish::{
    Change, Proposal, Publication, PublishError, StageName, Terms, publish,
};
use portcullis_plugin_host::store::PolicyArchive;

use crate::archive::versions;
use crate::backend::Backend;
use crate::fixtures::*;

async fn statement(store: &dyn PolicyArchive) -> Statement {
    let stored = store.get(&name("a")).await.unwrap().unwrap();
    Envelope::parse(&stored.value).unwrap().statement().unwrap()
}

async fn release(store: &dyn PolicyArchive) -> PolicyDocument {
    match statement(store).await {
        Statement::Release(document) => *document,
        Statement::Retirement(retirement) => panic!("{retirement:?}"),
    }
}

fn candidate(publication: Publication) -> Proposal {
    Proposal::Candidate {
        publication: Box::new(publication),
        stage: Stage::Shadow(Percent::ALL),
        gates: Gates::default(),
    }
}

fn retirement(reason: &str) -> Proposal {
    Proposal::Retirement {
        name: name("a"),
        reason: Some(RetirementReason::parse(reason).unwrap()),
    }
}

fn rollback(to: Option<u64>) -> Proposal {
    Proposal::Rollback { name: name("a"), to }
}

fn stage(stage: Option<StageName>, percent: f64) -> Proposal {
    Proposal::Stage {
        name: name("a"),
        stage,
        percent: Percent::new(percent),
    }
}

fn reason_of(error: PublishError) -> String {
    match error {
        PublishError::NotPossible { reason, .. } => reason,
        error => panic!("{error}"),
    }
}

pub(crate) async fn a_candidate_is_put_beside_the_release_and_promoted_or_dropped(backend: &Backend) {
    let store = backend.store.as_ref();
    versions(store, "a", 1).await;
    let before = release(store).await;
    let next = publication("a", "2.0.0", b"next");
    propose(store, candidate(next.clone())).await.unwrap();
    let on_trial = release(store).await;
    assert_eq!(on_trial.sequence, 2);
    assert!(
        on_trial.without_candidate().says_the_same_as(&before),
        "the release stays"
    );
    let found = on_trial.candidate.clone().unwrap();
    assert_eq!(
        (found.version.as_str(), found.artifact),
        ("2.0.0", *next.artifact.reference())
    );
    // Where they do not differ, contract, limits, parameters and grants are left to the release.
    assert_eq!(
        (found.contract, found.limits, found.parameters, found.grants),
        (None, None, None, None)
    );

    let stages = [
        (
            stage(Some(StageName::Canary), 5.0),
            Stage::Canary(Percent::new(5.0).unwrap()),
        ),
        (stage(None, 20.0), Stage::Canary(Percent::new(20.0).unwrap())),
    ];
    for (proposal, expected) in stages {
        propose(store, proposal).await.unwrap();
        assert_eq!(release(store).await.candidate.unwrap().stage, expected);
    }
    propose(store, rollback(None)).await.unwrap();
    let dropped = release(store).await;
    assert!(
        dropped.says_the_same_as(&before) && dropped.sequence == 5,
        "{dropped:?}"
    );

    propose(store, candidate(next.clone())).await.unwrap();
    propose(store, Proposal::Promotion { name: name("a") })
        .await
        .unwrap();
    let promoted = release(store).await;
    assert_eq!(promoted.version.as_str(), "2.0.0");
    assert_eq!(promoted.artifact, *next.artifact.reference());
    assert_eq!((promoted.candidate, promoted.sequence), (None, 7));
}

pub(crate) async fn a_candidate_shares_with_its_release_what_it_cannot_have_of_its_own(backend: &Backend) {
    let store = backend.store.as_ref();
    let mut next = publication("a", "2.0.0", b"next");
    let error = propose(store, candidate(next.clone())).await.unwrap_err();
    assert!(matches!(error, PublishError::NotStored { .. }), "{error}");
    versions(store, "a", 1).await;
    next.manifest.priority = 7;
    let error = propose(store, candidate(next)).await.unwrap_err();
    assert!(reason_of(error).contains("priority"));
    assert_eq!(release(store).await.sequence, 1);
    for proposal in [Proposal::Promotion { name: name("a") }, stage(None, 5.0)] {
        let error = propose(store, proposal).await.unwrap_err();
        assert!(reason_of(error).contains("no candidate"));
    }
}

pub(crate) async fn a_rollback_brings_back_what_ran_before_under_a_new_sequence(backend: &Backend) {
    let store = backend.store.as_ref();
    versions(store, "a", 3).await;
    for (to, version, sequence) in [(None, "1.2.0", 4), (Some(1), "1.1.0", 5), (None, "1.2.0", 6)] {
        let outcome = propose(store, rollback(to)).await.unwrap();
        assert_eq!(outcome.policies[0].change, Change::Published);
        let found = release(store).await;
        assert_eq!(
            (found.version.as_str(), found.sequence),
            (version, sequence),
            "{to:?}"
        );
    }
    let error = propose(store, rollback(Some(99))).await.unwrap_err();
    assert!(reason_of(error).contains("no sequence 99"));
    // Back to what is in force is nothing new.
    let outcome = propose(store, rollback(Some(6))).await.unwrap();
    assert_eq!(
        (outcome.revision, outcome.policies[0].change),
        (None, Change::Nothing)
    );
    // An artifact that is gone is found before anything is written.
    let artifact = *release(store).await.artifact.digest();
    backend.delete_by_hand(&crate::backend::chunk_key(&artifact, 0));
    let error = propose(store, rollback(Some(2))).await.unwrap_err();
    assert!(
        matches!(
            error,
            PublishError::Refused {
                code: "chunk_missing",
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(release(store).await.sequence, 6);
}

pub(crate) async fn a_retirement_is_published_once_and_a_release_brings_the_policy_back(backend: &Backend) {
    let store = backend.store.as_ref();
    versions(store, "a", 2).await;
    for (reason, change, sequence) in [
        ("old", Change::Published, 3),
        ("old", Change::Nothing, 3),
        ("another", Change::Published, 4),
    ] {
        let outcome = propose(store, retirement(reason)).await.unwrap();
        assert_eq!(
            (outcome.policies[0].change, outcome.policies[0].sequence),
            (change, sequence)
        );
        assert!(matches!(statement(store).await, Statement::Retirement(_)));
    }
    for proposal in [
        candidate(publication("a", "9", b"x")),
        Proposal::Promotion { name: name("a") },
    ] {
        assert!(reason_of(propose(store, proposal).await.unwrap_err()).contains("retired"));
    }
    propose(store, rollback(None)).await.unwrap();
    let back = release(store).await;
    assert_eq!((back.version.as_str(), back.sequence), ("1.2.0", 5));
}

pub(crate) async fn what_is_not_there_is_not_gone_on_from(backend: &Backend) {
    let store = backend.store.as_ref();
    for proposal in [
        retirement("old"),
        Proposal::Promotion { name: name("a") },
        stage(None, 5.0),
    ] {
        let error = propose(store, proposal).await.unwrap_err();
        assert!(matches!(error, PublishError::NotStored { .. }), "{error}");
    }
    let error = propose(store, rollback(None)).await.unwrap_err();
    assert!(reason_of(error).contains("no older release"));
    // What cannot be read is got rid of by a release or a retirement.
    backend.put_by_hand("policies/a", b"garbage");
    let error = propose(store, Proposal::Promotion { name: name("a") })
        .await
        .unwrap_err();
    assert!(reason_of(error).contains("cannot be read"));
    propose(store, retirement("garbage")).await.unwrap();
    assert_eq!(statement(store).await.sequence(), 1);
}

/// A node that has taken this sequence.
async fn report(store: &dyn PolicyArchive, sequence: u64) {
    let status = NodeStatus {
        node: NodeId::parse("gateway-1").unwrap(),
        started_at: Moment(now()),
        revision: 1,
        policies: vec![NodePolicy {
            name: "a".to_owned(),
            state: NodePolicyState::InForce,
            sequence: Some(sequence),
            digest: None,
            version: Some(PolicyVersion::parse("1").unwrap()),
            error: None,
            quarantine: None,
            candidate: None,
            retired: None,
            highest_sequence: Some(sequence),
            since: Moment(now()),
        }],
        left_out: 0,
    };
    let json = status.to_json().unwrap();
    store.report(&status.node, &json).await.unwrap();
}

pub(crate) async fn what_a_node_has_seen_counts_also_after_the_store_was_put_back(backend: &Backend) {
    let store = backend.store.as_ref();
    versions(store, "a", 2).await;
    report(store, 40).await;
    // The same release: but under its old sequence every node would take it for a replay.
    let again = [publication("a", "1.2.0", b"a 1.2.0")];
    let outcome = push(store, &again, &terms()).await.unwrap();
    assert_eq!(
        (outcome.policies[0].change, outcome.policies[0].sequence),
        (Change::Published, 41)
    );
    // A node that says what no document can have stops nobody.
    report(store, u64::MAX).await;
    versions(store, "a", 1).await;
    assert_eq!(release(store).await.sequence, 42);
}

pub(crate) async fn a_document_whose_time_is_over_is_not_published(backend: &Backend) {
    let store = backend.store.as_ref();
    let manifest = |end: &str| {
        let text = format!(
            "name = \"a\"\nversion = \"1\"\n[failure_mode]\ndefault = \"review\"\n[validity]\n{end}\n"
        );
        portcullis_plugin_host::manifest::Manifest::parse("policy.toml", &text).unwrap()
    };
    for (end, code) in [
        ("not_after = 2025-01-01T00:00:00Z", Some("expired")),
        ("not_before = 2027-01-01T00:00:00Z", None),
    ] {
        let publication = Publication {
            manifest: manifest(end),
            ..publication("a", "1", b"one")
        };
        let pushed = push(store, &[publication], &terms()).await;
        let found = match pushed {
            Ok(_) => None,
            Err(PublishError::Refused { code, .. }) => Some(code),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(found, code, "{end}");
    }
}

pub(crate) async fn a_policy_that_nodes_may_not_be_without_is_not_retired(backend: &Backend) {
    let store = backend.store.as_ref();
    versions(store, "a", 1).await;
    let required = ["a".to_owned()];
    let terms = Terms {
        required: &required,
        ..terms()
    };
    let error = publish(store, &[retirement("old")], &terms, &mut AnyComponent)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            PublishError::Refused {
                code: "required_policy_retired",
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(release(store).await.sequence, 1);
}
