//! What happens while an artifact is being loaded for long.

use super::*;
use crate::reconciler::MAX_LOADS;

impl Scene {
    /// Starts a node, and waits until it has seen that there is nothing.
    async fn empty() -> Self {
        let scene = Self::start();
        scene.until(|status| status.policies.is_empty()).await;
        scene
    }

    /// Waits until a policy's newest document is being loaded and its artifact was asked for.
    async fn loading(&self, name: &str, component: &[u8]) {
        let digest = Digest::of(component);
        let asked = self.store.until(|store| store.fetched().contains(&digest));
        tokio::time::timeout(GIVE_UP, asked).await.unwrap();
        let holds = |policy: &NodePolicy| policy.state == NodePolicyState::Loading;
        self.until(|status| of(status, name).is_some_and(holds)).await;
    }
}

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
async fn a_policy_that_is_retired_while_it_loads_does_not_come_into_force() {
    let scene = Scene::empty().await;
    let slow = scoring(1);
    scene.store.hold(&slow);
    publish(&scene, "alpha", &slow, &json!({}));
    scene.loading("alpha", &slow).await;
    scene.store.commit(vec![("alpha", None)]);
    scene.until(|status| of(status, "alpha").is_none()).await;
    // What comes back under the name is another, and refused.
    let bad = envelope("bravo", &slow, &json!({}));
    scene.store.commit(vec![("alpha", Some(bad))]);
    scene.refused("alpha", "name_mismatch").await;
    scene.store.let_go();
    publish(&scene, "bravo", &scoring(2), &json!({}));
    scene.in_force("bravo", 1).await;
    scene.refused("alpha", "name_mismatch").await;
    assert_eq!(scene.scores().await, [scored("bravo", 2)]);
    scene.end().await;
}

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
