//! What happens while an artifact is being loaded for long.

use super::*;
use crate::reconciler::MAX_LOADS;

#[tokio::test(start_paused = true)]
async fn an_artifact_that_loads_for_long_holds_up_no_other_policy() {
    let scene = Scene::empty().await;
    let slow = scoring(1);
    scene.store.hold(&slow);
    publish(&scene, "alpha", &slow, &json!({}));
    scene.loading("alpha", &slow).await;
    publish(&scene, "bravo", &scoring(2), &json!({}));
    scene.in_force("bravo", 1).await;
    assert_eq!(scene.scores().await, [scored("bravo", 2)]);
    assert!(scene.status_of("alpha").loading);
    scene.store.let_go();
    scene.in_force("alpha", 1).await;
    assert_eq!(scene.scores().await, [scored("alpha", 1), scored("bravo", 2)]);
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_decided_before_everything_that_was_stored_at_the_start_was_tried() {
    let store = InMemoryPolicyStore::new();
    let slow = scoring(1);
    store.put_artifact(&slow);
    store.hold(&slow);
    store.commit(vec![("alpha", Some(envelope("alpha", &slow, &json!({}))))]);
    let scene = Scene::start_over(store);
    scene.loading("alpha", &slow).await;
    // Neither a change nor another listing may put a set in force that lacks what is being loaded.
    publish(&scene, "bravo", &scoring(2), &json!({}));
    let holds = |policy: &NodePolicy| policy.state == NodePolicyState::InForce;
    scene.until(|status| of(status, "bravo").is_some_and(holds)).await;
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert!(scene.engine.snapshot().is_none());
    scene.store.let_go();
    scene.in_force("alpha", 1).await;
    assert_eq!(scene.scores().await, [scored("alpha", 1), scored("bravo", 2)]);
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_is_given_up_and_tried_again_further_and_further_apart() {
    /// Listings after the first try, each of them a minute after the one before.
    const LISTINGS: usize = 40;
    let config = Config {
        load_timeout_ms: 1_000,
        ..small_config(1)
    };
    let scene = Scene::start_with(&config, InMemoryPolicyStore::new());
    let slow = scoring(1);
    scene.store.hold(&slow);
    publish(&scene, "alpha", &slow, &json!({}));
    let refused = scene.refused("alpha", "load_timeout").await;
    let message = refused.error.unwrap().message;
    assert!(message.contains("took more than 1 s"), "{message}");
    let listings = scene.store.listed_at().len();
    let again = |store: &InMemoryPolicyStore| store.listed_at().len() >= listings + LISTINGS;
    tokio::time::timeout(GIVE_UP, scene.store.until(again))
        .await
        .unwrap();
    // After 1, 2, 4, 8 and 16 listings.
    let tries = scene.store.fetched().len();
    assert!((5..=7).contains(&tries), "{tries}");
    scene.refused("alpha", "load_timeout").await;
    // Another document is not made to wait for that.
    let listings = scene.store.listed_at().len();
    publish(&scene, "alpha", &slow, &json!({"sequence": 2}));
    let tried = |store: &InMemoryPolicyStore| store.fetched().len() > tries;
    tokio::time::timeout(GIVE_UP, scene.store.until(tried))
        .await
        .unwrap();
    assert!(scene.store.listed_at().len() <= listings + 1);
    scene.end().await;
}

/// Waits until artifacts were asked for so many times.
async fn fetched(scene: &Scene, times: usize) {
    let asked = |store: &InMemoryPolicyStore| store.fetched().len() >= times;
    tokio::time::timeout(GIVE_UP, scene.store.until(asked))
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_document_of_a_listing_waits_for_those_of_its_transaction_alone() {
    let scene = Scene::empty().await;
    // Three transactions that the node learns of by one listing.
    scene.store.lose(&away(), 3);
    let (slow, together) = (scoring(1), scoring(3));
    scene.store.hold(&slow);
    scene.store.hold(&together);
    publish(&scene, "alpha", &slow, &json!({}));
    publish(&scene, "bravo", &scoring(2), &json!({}));
    let component = scoring(4);
    for artifact in [&together, &component] {
        scene.store.put_artifact(artifact);
    }
    scene.store.commit(vec![
        ("charlie", Some(envelope("charlie", &together, &json!({})))),
        ("delta", Some(envelope("delta", &component, &json!({})))),
    ]);
    scene.in_force("bravo", 1).await;
    assert_eq!(scene.scores().await, [scored("bravo", 2)]);
    assert!(scene.status_of("delta").loading, "it waits for `charlie`");
    scene.store.let_go_of(&together);
    scene.in_force("charlie", 1).await;
    let three = [scored("bravo", 2), scored("charlie", 3), scored("delta", 4)];
    assert_eq!(scene.scores().await, three);
    assert!(scene.status_of("alpha").loading);
    scene.store.let_go();
    scene.in_force("alpha", 1).await;
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_tried_again_leaves_room_for_what_is_new() {
    /// As many as may be loaded at once.
    const REFUSED: usize = 4;
    let scene = Scene::empty().await;
    let components: Vec<Vec<u8>> = (1..=4).map(scoring).collect();
    let names = ["alpha", "bravo", "charlie", "delta"];
    for (name, component) in names.into_iter().zip(&components) {
        let envelope = envelope(name, component, &json!({}));
        scene.store.commit(vec![(name, Some(envelope))]);
        scene.refused(name, "chunk_missing").await;
    }
    for component in &components {
        scene.store.hold(component);
        scene.store.put_artifact(component);
    }
    let before = scene.store.fetched().len();
    fetched(&scene, before + 2).await;
    publish(&scene, "echo", &scoring(5), &json!({}));
    scene.in_force("echo", 1).await;
    let tried = scene.store.fetched().len() - before;
    assert!(tried < REFUSED, "{tried}");
    // One that can be loaded waits for none of the others.
    let loading = scene.store.fetched()[before];
    let place = components
        .iter()
        .position(|component| Digest::of(component) == loading);
    let place = place.unwrap();
    scene.store.let_go_of(&components[place]);
    scene.in_force(names[place], 1).await;
    scene.store.let_go();
    for name in names {
        scene.in_force(name, 1).await;
    }
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn no_more_artifacts_are_fetched_at_once_than_may_and_the_others_have_their_turn() {
    let scene = Scene::empty().await;
    let names = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot"];
    let artifacts: Vec<Vec<u8>> = (1..).take(names.len()).map(scoring).collect();
    for (name, artifact) in names.into_iter().zip(&artifacts) {
        scene.store.hold(artifact);
        publish(&scene, name, artifact, &json!({}));
    }
    let all_wait = |status: &NodeStatus| {
        let loading = |policy: &&NodePolicy| policy.state == NodePolicyState::Loading;
        status.policies.iter().filter(loading).count() == names.len()
    };
    scene.until(all_wait).await;
    // Whoever may fetch has long begun to.
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert!(MAX_LOADS < names.len());
    assert_eq!(scene.store.fetched().len(), MAX_LOADS);
    scene.store.let_go();
    for name in names {
        scene.in_force(name, 1).await;
    }
    assert_eq!(scene.store.fetched().len(), names.len());
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_load_that_panics_is_refused_and_tried_again() {
    let store = InMemoryPolicyStore::new();
    let component = scoring(1);
    store.put_artifact(&component);
    store.break_on(&component);
    let good = scoring(2);
    store.put_artifact(&good);
    store.commit(vec![
        ("alpha", Some(envelope("alpha", &component, &json!({})))),
        ("bravo", Some(envelope("bravo", &good, &json!({})))),
    ]);
    let scene = Scene::start_over(store);
    let refused = scene.refused("alpha", "load_panicked").await;
    assert_eq!(refused.error.unwrap().sequence, Some(1));
    // Everything of the first listing was tried, so what can decide does.
    assert_eq!(scene.scores().await, [scored("bravo", 2)]);
    assert!(!scene.status_of("alpha").loading);
    scene.store.mend();
    scene.in_force("alpha", 1).await;
    assert_eq!(scene.scores().await, [scored("alpha", 1), scored("bravo", 2)]);
    scene.end().await;
}
