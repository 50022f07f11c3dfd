//! What a node has kept when it starts again: what decides while the store is away, and what the store may not bring back.

mod keys;

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;

/// A node that is started several times, with its folder.
struct Node {
    folder: TempDir,
    store: Arc<InMemoryPolicyStore>,
    config: Config,
    now: Timestamp,
}

impl Node {
    fn new() -> Self {
        Self::with(small_config(1))
    }

    fn with(config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            config: Config {
                state_path: folder.path().join("state"),
                ..config
            },
            folder,
            store: InMemoryPolicyStore::new(),
            now: NOW,
        }
    }

    fn start(&self) -> Scene {
        self.store.forget_reports();
        let clock = Arc::new(SettableClock::default());
        clock.set(self.now);
        Scene::start_at(clock, &self.config, Arc::clone(&self.store))
    }

    /// Starts it, brings it into this state, and ends it.
    async fn having(&self, policies: &[(&str, u64, u16)]) {
        let scene = self.start();
        for (name, sequence, score) in policies {
            publish(&scene, name, &scoring(*score), &json!({"sequence": sequence}));
            scene.in_force(name, *sequence).await;
        }
        scene.end().await;
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }
}

fn is_retired(status: &NodeStatus, name: &str) -> bool {
    of(status, name).is_some_and(|policy| policy.state == NodePolicyState::Retired)
}

fn only_file(folder: &Path) -> PathBuf {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

#[tokio::test(start_paused = true)]
async fn decisions_begin_with_the_last_good_set_when_the_store_is_away() {
    let node = Node::new();
    node.having(&[("alpha", 3, 1), ("bravo", 1, 2)]).await;
    node.store.go_away();
    let scene = node.start();
    scene.in_force("alpha", 3).await;
    assert_eq!(scene.scores().await, [scored("alpha", 1), scored("bravo", 2)]);
    assert_eq!(scene.snapshot().revision(), 2);
    scene.assert_metric("portcullis_policies_in_force 2");
    scene.assert_metric("portcullis_policy_store_connected 0");
    scene.assert_metric("portcullis_policy_compile_cache_total{result=\"hit\"} 2");
    // The store comes back with the same, and with something new.
    let fetched = node.store.fetched().len();
    node.store.come_back();
    publish(&scene, "charlie", &scoring(4), &json!({}));
    scene.in_force("charlie", 1).await;
    assert_eq!(
        scene.scores().await,
        [scored("alpha", 1), scored("bravo", 2), scored("charlie", 4)]
    );
    assert_eq!(
        node.store.fetched().len(),
        fetched + 1,
        "what was in force is not loaded again"
    );
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_say_a_word_is_waited_for_for_two_seconds() {
    let node = Node::new();
    node.having(&[("alpha", 1, 1)]).await;
    node.store.freeze();
    let started = tokio::time::Instant::now();
    let scene = node.start();
    scene.until(|_| scene.engine.snapshot().is_some()).await;
    assert!(
        started.elapsed() >= Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(scene.scores().await, [scored("alpha", 1)]);
    node.store.come_back();
    publish(&scene, "alpha", &scoring(2), &json!({"sequence": 2}));
    scene.in_force("alpha", 2).await;
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_the_store_says_at_the_start_comes_before_what_was_kept() {
    let node = Node::new();
    node.having(&[("alpha", 1, 1), ("bravo", 1, 2)]).await;
    let next = scoring(7);
    node.store.put_artifact(&next);
    node.store.commit(vec![
        ("alpha", Some(envelope("alpha", &next, &json!({"sequence": 2})))),
        ("bravo", Some(retirement("bravo", 2))),
    ]);
    let scene = node.start();
    scene.in_force("alpha", 2).await;
    scene.until(|status| is_retired(status, "bravo")).await;
    assert_eq!(scene.scores().await, [scored("alpha", 7)]);
    scene.end().await;
    // And that is what is kept from then on.
    node.store.go_away();
    let scene = node.start();
    scene.in_force("alpha", 2).await;
    assert_eq!(scene.scores().await, [scored("alpha", 7)]);
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_bad_document_in_the_store_leaves_what_was_kept_in_force_after_a_restart() {
    let node = Node::new();
    node.having(&[("alpha", 1, 1)]).await;
    node.store.commit(vec![("alpha", Some(b"not JSON".to_vec()))]);
    let scene = node.start();
    let refused = scene.refused("alpha", "envelope_invalid").await;
    scene.until(|_| scene.engine.snapshot().is_some()).await;
    scene
        .until(|status| of(status, "alpha").is_some_and(|alpha| alpha.sequence == Some(1)))
        .await;
    assert_eq!(scene.scores().await, [scored("alpha", 1)]);
    assert!(refused.error.is_some());
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_older_document_is_refused_after_a_restart_too() {
    let node = Node::new();
    node.having(&[("alpha", 5, 1), ("gone", 7, 2)]).await;
    let scene = node.start();
    scene.in_force("gone", 7).await;
    node.store.commit(vec![("gone", Some(retirement("gone", 8)))]);
    scene.until(|status| is_retired(status, "gone")).await;
    scene.end().await;
    let old = scoring(9);
    node.store.put_artifact(&old);
    node.store.commit(vec![
        ("alpha", Some(envelope("alpha", &old, &json!({"sequence": 4})))),
        ("gone", Some(envelope("gone", &old, &json!({"sequence": 7})))),
    ]);
    let scene = node.start();
    scene.refused("alpha", "sequence_replayed").await;
    scene.refused("gone", "sequence_replayed").await;
    assert_eq!(scene.scores().await, [scored("alpha", 1)]);
    publish(&scene, "gone", &scoring(3), &json!({"sequence": 9}));
    scene.in_force("gone", 9).await;
    scene.end().await;
    // Without what it kept it cannot know.
    fs::remove_dir_all(node.state()).unwrap();
    let scene = node.start();
    scene.in_force("alpha", 4).await;
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_kept_nothing_decides_nothing_without_its_store() {
    let node = Node::new();
    node.store.go_away();
    let scene = node.start();
    let tried = |store: &InMemoryPolicyStore| store.listed_at().len() > 3;
    tokio::time::timeout(GIVE_UP, node.store.until(tried))
        .await
        .unwrap();
    assert!(scene.engine.snapshot().is_none());
    node.store.come_back();
    publish(&scene, "alpha", &scoring(1), &json!({}));
    scene.in_force("alpha", 1).await;
    scene.end().await;
    // An empty set would approve everything: it is no set to start from.
    node.store.commit(vec![("alpha", Some(retirement("alpha", 2)))]);
    let scene = node.start();
    // That it is retired is known before what was kept is loaded; it is kept once the node decides.
    scene
        .until(|status| is_retired(status, "alpha") && scene.engine.snapshot().is_some())
        .await;
    scene.end().await;
    node.store.go_away();
    let before = node.store.listed_at().len();
    let scene = node.start();
    let tried = |store: &InMemoryPolicyStore| store.listed_at().len() > before + 3;
    tokio::time::timeout(GIVE_UP, node.store.until(tried))
        .await
        .unwrap();
    assert!(scene.engine.snapshot().is_none());
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_set_that_is_not_whole_decides_nothing_and_the_store_mends_it() {
    for part in ["artifacts", "documents"] {
        let node = Node::new();
        node.having(&[("alpha", 2, 1)]).await;
        let file = only_file(&node.state().join(part));
        let mut bytes = fs::read(&file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&file, bytes).unwrap();
        node.store.go_away();
        let before = node.store.listed_at().len();
        let scene = node.start();
        let tried = |store: &InMemoryPolicyStore| store.listed_at().len() > before + 3;
        tokio::time::timeout(GIVE_UP, node.store.until(tried))
            .await
            .unwrap();
        assert!(scene.engine.snapshot().is_none(), "{part}");
        node.store.come_back();
        scene.in_force("alpha", 2).await;
        assert_eq!(scene.scores().await, [scored("alpha", 1)], "{part}");
        scene.end().await;
        node.store.go_away();
        let scene = node.start();
        scene.in_force("alpha", 2).await;
        assert_eq!(scene.scores().await, [scored("alpha", 1)], "{part}");
        scene.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_kept_stays_in_force_where_its_document_is_gone_meanwhile() {
    let node = Node::new();
    node.having(&[("alpha", 1, 1)]).await;
    node.store.commit(vec![("alpha", None)]);
    for _ in 0..2 {
        let scene = node.start();
        scene.refused("alpha", "document_gone").await;
        scene
            .until(|status| of(status, "alpha").is_some_and(|alpha| alpha.sequence == Some(1)))
            .await;
        assert_eq!(scene.scores().await, [scored("alpha", 1)]);
        scene.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn required_policies_are_there_with_what_was_kept() {
    let node = Node::with(Config {
        required: vec!["alpha".to_owned()],
        ..small_config(1)
    });
    node.having(&[("alpha", 1, 1)]).await;
    // Retired while the node was down: what is required stays.
    node.store.commit(vec![("alpha", Some(retirement("alpha", 2)))]);
    let scene = node.start();
    scene.refused("alpha", "required_policy_retired").await;
    scene
        .until(|status| of(status, "alpha").is_some_and(|alpha| alpha.sequence == Some(1)))
        .await;
    assert_eq!(scene.scores().await, [scored("alpha", 1)]);
    scene.end().await;
    node.store.go_away();
    let scene = node.start();
    scene.in_force("alpha", 1).await;
    assert_eq!(scene.scores().await, [scored("alpha", 1)]);
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_older_artifact_comes_from_the_cache() {
    let node = Node::new();
    node.having(&[("alpha", 1, 1), ("alpha", 2, 2)]).await;
    let scene = node.start();
    scene.in_force("alpha", 2).await;
    publish(&scene, "alpha", &scoring(1), &json!({"sequence": 3}));
    scene.in_force("alpha", 3).await;
    assert_eq!(scene.scores().await, [scored("alpha", 1)]);
    scene.assert_metric("portcullis_policy_compile_cache_total{result=\"hit\"} 2");
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_takes_nothing_holds_up_no_swap_and_what_it_missed_is_kept_later() {
    let node = Node::new();
    node.having(&[("alpha", 1, 1)]).await;
    let set = node.state().join("last-good-set");
    let scene = node.start();
    scene.in_force("alpha", 1).await;
    // A folder where a file has to be: it cannot be replaced, not even by root.
    fs::remove_file(&set).unwrap();
    fs::create_dir(&set).unwrap();
    publish(&scene, "alpha", &scoring(2), &json!({"sequence": 2}));
    scene.in_force("alpha", 2).await;
    assert_eq!(scene.scores().await, [scored("alpha", 2)]);
    fs::remove_dir(&set).unwrap();
    publish(&scene, "bravo", &scoring(3), &json!({}));
    scene.in_force("bravo", 1).await;
    scene.end().await;
    node.store.go_away();
    let scene = node.start();
    scene.in_force("alpha", 2).await;
    assert_eq!(scene.scores().await, [scored("alpha", 2), scored("bravo", 3)]);
    scene.end().await;
}
