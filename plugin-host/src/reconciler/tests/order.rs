//! Several documents of one policy that are loaded at the same time, and end in whatever order.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_release_that_is_loaded_after_its_successor_is_not_taken() {
    let scene = Scene::empty().await;
    let slow = scoring(1);
    scene.store.hold(&slow);
    publish(&scene, "alpha", &slow, &json!({}));
    scene.loading("alpha", &slow).await;
    publish(&scene, "alpha", &scoring(2), &json!({"sequence": 2}));
    scene.in_force("alpha", 2).await;
    scene.store.let_go();
    publish(&scene, "bravo", &scoring(3), &json!({}));
    scene.in_force("bravo", 1).await;
    assert_eq!(scene.scores().await, [scored("alpha", 2), scored("bravo", 3)]);
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_release_comes_into_force_also_when_its_successor_was_refused_meanwhile() {
    let scene = Scene::empty().await;
    let slow = scoring(1);
    scene.store.hold(&slow);
    publish(&scene, "alpha", &slow, &json!({}));
    scene.loading("alpha", &slow).await;
    let bad = envelope("bravo", &slow, &json!({"sequence": 2}));
    scene.store.commit(vec![("alpha", Some(bad))]);
    scene
        .until(|status| of(status, "alpha").is_some_and(|policy| policy.error.is_some()))
        .await;
    scene.store.let_go();
    let refused =
        |policy: &NodePolicy| policy.state == NodePolicyState::Refused && policy.sequence == Some(1);
    let status = scene
        .until(|status| of(status, "alpha").is_some_and(refused))
        .await;
    let error = of(&status, "alpha").unwrap().error.as_ref().unwrap();
    assert_eq!((&*error.code, error.sequence), ("name_mismatch", Some(2)));
    assert_eq!(scene.scores().await, [scored("alpha", 1)]);
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn of_two_documents_of_one_sequence_the_one_that_is_stored_decides() {
    let scene = Scene::empty().await;
    let slow = scoring(1);
    scene.store.hold(&slow);
    publish(&scene, "alpha", &slow, &json!({"sequence": 7}));
    scene.loading("alpha", &slow).await;
    publish(&scene, "alpha", &scoring(2), &json!({"sequence": 7}));
    scene.in_force("alpha", 7).await;
    scene.store.let_go();
    publish(&scene, "bravo", &scoring(3), &json!({}));
    scene.in_force("bravo", 1).await;
    assert_eq!(scene.scores().await, [scored("alpha", 2), scored("bravo", 3)]);
    scene.end().await;
}

/// A node with sequence 8 of `alpha` being loaded and then, put back in the store, sequence 7.
async fn put_back() -> (Scene, [Vec<u8>; 2]) {
    let scene = Scene::empty().await;
    let (newer, older) = (scoring(8), scoring(7));
    scene.store.hold(&newer);
    scene.store.hold(&older);
    publish(&scene, "alpha", &newer, &json!({"sequence": 8}));
    scene.loading("alpha", &newer).await;
    publish(&scene, "alpha", &older, &json!({"sequence": 7}));
    scene.loading("alpha", &older).await;
    (scene, [newer, older])
}

#[tokio::test(start_paused = true)]
async fn a_stored_document_that_a_newer_one_overtook_is_told_to_be_older() {
    let (scene, [newer, _]) = put_back().await;
    scene.store.let_go_of(&newer);
    let overtaken =
        |policy: &NodePolicy| policy.state == NodePolicyState::Loading && policy.sequence == Some(8);
    scene
        .until(|status| of(status, "alpha").is_some_and(overtaken))
        .await;
    scene.store.let_go();
    let refused = scene.refused("alpha", "sequence_replayed").await;
    assert_eq!(refused.sequence, Some(8));
    let error = refused.error.unwrap();
    assert_eq!(error.sequence, Some(7));
    assert!(error.message.contains("expected at least 8"), "{}", error.message);
    assert_eq!(scene.scores().await, [scored("alpha", 8)]);
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_document_that_the_store_has_no_more_does_not_replace_the_one_that_it_has() {
    let (scene, [_, older]) = put_back().await;
    scene.store.let_go_of(&older);
    scene.in_force("alpha", 7).await;
    scene.store.let_go();
    publish(&scene, "bravo", &scoring(3), &json!({}));
    scene.in_force("bravo", 1).await;
    scene.in_force("alpha", 7).await;
    assert_eq!(scene.scores().await, [scored("alpha", 7), scored("bravo", 3)]);
    scene.end().await;
}
