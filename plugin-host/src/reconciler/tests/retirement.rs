//! Taking a policy out of force: what does, and what does not.

use super::*;

/// Waits until a policy is retired by this sequence.
async fn retired(scene: &Scene, name: &str, sequence: u64) -> NodePolicy {
    let holds = |policy: &NodePolicy| {
        policy.state == NodePolicyState::Retired
            && policy
                .retired
                .as_ref()
                .is_some_and(|retired| retired.sequence == sequence)
    };
    let status = scene.until(|status| of(status, name).is_some_and(holds)).await;
    of(&status, name).unwrap().clone()
}

/// Waits until the store was listed so often more.
async fn listed(scene: &Scene, times: usize) {
    let listings = scene.store.listed_at().len();
    let again = |store: &InMemoryPolicyStore| store.listed_at().len() >= listings + times;
    tokio::time::timeout(GIVE_UP, scene.store.until(again))
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_document_that_says_so_takes_a_policy_out_of_force() {
    let scene = Scene::start();
    publish(&scene, "alpha", &scoring(1), &json!({"sequence": 5}));
    publish(&scene, "bravo", &scoring(2), &json!({}));
    scene.in_force("bravo", 1).await;
    scene.store.commit(vec![("alpha", Some(retirement("alpha", 6)))]);
    let alpha = retired(&scene, "alpha", 6).await;
    assert_eq!((alpha.sequence, alpha.digest, alpha.error), (None, None, None));
    assert_eq!(alpha.highest_sequence, Some(6));
    assert_eq!(alpha.retired.unwrap().reason.unwrap(), "replaced by another");
    assert_eq!(scene.scores().await, [scored("bravo", 2)]);
    scene.assert_metric("portcullis_policies_in_force 1");
    scene.assert_metric("portcullis_policies_retired 1");
    scene.assert_metric(r#"portcullis_policy_loads_total{result="retired"} 1"#);
    let status = scene.status_of("alpha");
    assert_eq!(status.retired.unwrap().sequence, 6);
    // Its sequence counts against replays, and a later one brings the policy back.
    publish(&scene, "alpha", &scoring(3), &json!({"sequence": 5}));
    let refused = scene.refused("alpha", "sequence_replayed").await;
    assert_eq!(refused.sequence, None);
    assert_eq!(scene.scores().await, [scored("bravo", 2)]);
    publish(&scene, "alpha", &scoring(3), &json!({"sequence": 7}));
    let alpha = scene.in_force("alpha", 7).await;
    assert_eq!(alpha.retired, None);
    scene.assert_metric("portcullis_policies_retired 0");
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_retirement_that_is_older_than_the_release_or_of_another_name_is_refused() {
    let scene = Scene::start();
    publish(&scene, "alpha", &scoring(1), &json!({"sequence": 5}));
    scene.in_force("alpha", 5).await;
    for (document, code) in [
        (retirement("alpha", 4), "sequence_replayed"),
        (retirement("bravo", 6), "name_mismatch"),
    ] {
        scene.store.commit(vec![("alpha", Some(document))]);
        assert_eq!(scene.refused("alpha", code).await.sequence, Some(5));
        assert_eq!(scene.scores().await, [scored("alpha", 1)]);
    }
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_policy_is_retired_by_the_swap_that_brings_its_successor() {
    let scene = Scene::start();
    publish(&scene, "alpha", &scoring(1), &json!({}));
    scene.in_force("alpha", 1).await;
    let successor = scoring(2);
    scene.store.put_artifact(&successor);
    scene.store.hold(&successor);
    scene.store.commit(vec![
        ("alpha", Some(retirement("alpha", 2))),
        ("bravo", Some(envelope("bravo", &successor, &json!({})))),
    ]);
    scene.loading("bravo", &successor).await;
    assert_eq!(
        scene.scores().await,
        [scored("alpha", 1)],
        "not before the other is loaded"
    );
    let swaps = scene.snapshot().revision();
    scene.store.let_go();
    retired(&scene, "alpha", 2).await;
    assert_eq!(scene.scores().await, [scored("bravo", 2)]);
    assert_eq!(scene.snapshot().revision(), swaps + 1);
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_required_policy_is_not_retired() {
    let scene = Scene::start_requiring(&["alpha"], InMemoryPolicyStore::new());
    publish(&scene, "alpha", &scoring(1), &json!({}));
    scene.in_force("alpha", 1).await;
    scene.store.commit(vec![("alpha", Some(retirement("alpha", 2)))]);
    let refused = scene.refused("alpha", "required_policy_retired").await;
    assert_eq!(refused.sequence, Some(1));
    let error = refused.error.unwrap();
    assert_eq!(error.sequence, Some(2));
    assert!(error.message.contains("policies.required"), "{}", error.message);
    assert_eq!(scene.scores().await, [scored("alpha", 1)]);
    // What was not taken raises nothing.
    publish(&scene, "alpha", &scoring(2), &json!({"sequence": 2}));
    scene.in_force("alpha", 2).await;
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_is_retired_while_it_loads_does_not_come_into_force() {
    let scene = Scene::empty().await;
    let slow = scoring(1);
    scene.store.hold(&slow);
    publish(&scene, "alpha", &slow, &json!({}));
    scene.loading("alpha", &slow).await;
    scene.store.commit(vec![("alpha", Some(retirement("alpha", 2)))]);
    retired(&scene, "alpha", 2).await;
    scene.store.let_go();
    publish(&scene, "bravo", &scoring(2), &json!({}));
    scene.in_force("bravo", 1).await;
    retired(&scene, "alpha", 2).await;
    assert_eq!(scene.scores().await, [scored("bravo", 2)]);
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_document_that_vanishes_takes_nothing_out_of_force() {
    let scene = Scene::start();
    let component = scoring(1);
    publish(&scene, "alpha", &component, &json!({"sequence": 5}));
    publish(&scene, "bravo", &scoring(2), &json!({}));
    scene.store.commit(vec![("charlie", Some(b"{}".to_vec()))]);
    scene.in_force("bravo", 1).await;
    scene.refused("charlie", "envelope_invalid").await;
    scene
        .store
        .commit(vec![("alpha", None), ("bravo", None), ("charlie", None)]);
    let alpha = scene.refused("alpha", "document_gone").await;
    assert_eq!(alpha.sequence, Some(5));
    let status = scene.until(|status| of(status, "charlie").is_none()).await;
    assert_eq!(
        of(&status, "bravo").unwrap().error.as_ref().unwrap().code,
        "document_gone"
    );
    listed(&scene, 3).await;
    assert_eq!(scene.scores().await, [scored("alpha", 1), scored("bravo", 2)]);
    scene.assert_metric("portcullis_policies_in_force 2");
    scene.assert_metric("portcullis_policies_gone 2");
    // What comes back must not be older; the same document may.
    publish(&scene, "alpha", &scoring(3), &json!({"sequence": 4}));
    scene.refused("alpha", "sequence_replayed").await;
    publish(&scene, "alpha", &component, &json!({"sequence": 5}));
    assert_eq!(scene.in_force("alpha", 5).await.error, None);
    scene.assert_metric("portcullis_policies_gone 1");
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_document_that_vanishes_while_it_loads_comes_into_force_and_is_told_to_be_gone() {
    let scene = Scene::empty().await;
    let slow = scoring(1);
    scene.store.hold(&slow);
    publish(&scene, "alpha", &slow, &json!({}));
    scene.loading("alpha", &slow).await;
    let revision = scene.store.commit(vec![("alpha", None)]);
    scene.store.let_go();
    let alpha = scene.refused("alpha", "document_gone").await;
    assert_eq!(alpha.sequence, Some(1));
    scene.until(|status| status.revision >= revision).await;
    assert_eq!(scene.scores().await, [scored("alpha", 1)]);
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_retired_policy_stays_retired_when_its_document_vanishes() {
    let scene = Scene::start();
    publish(&scene, "alpha", &scoring(1), &json!({}));
    scene.in_force("alpha", 1).await;
    scene.store.commit(vec![("alpha", Some(retirement("alpha", 2)))]);
    retired(&scene, "alpha", 2).await;
    let revision = scene.store.commit(vec![("alpha", None)]);
    let status = scene.until(|status| status.revision >= revision).await;
    assert_eq!(of(&status, "alpha").unwrap().state, NodePolicyState::Retired);
    publish(&scene, "alpha", &scoring(1), &json!({}));
    scene.refused("alpha", "sequence_replayed").await;
    assert!(scene.scores().await.is_empty());
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_starts_on_a_retirement_shows_it() {
    let store = InMemoryPolicyStore::new();
    store.commit(vec![("alpha", Some(retirement("alpha", 3)))]);
    let scene = Scene::start_over(store);
    retired(&scene, "alpha", 3).await;
    assert!(scene.scores().await.is_empty());
    scene.end().await;
}
