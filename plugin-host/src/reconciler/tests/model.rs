//! Anything may happen to a store and a node, in any order; what is in force is what a simple model says.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// The policies that are published, and beside them one by which it is seen that a node has taken everything in.
const NAMES: [&str; 3] = ["alpha", "bravo", "charlie"];
const MARKER: &str = "marker";

/// Scores by which artifacts are told apart.
const SCORES: u16 = 4;

/// What may happen.
#[derive(Clone, Debug)]
enum Step {
    /// These policies are published together, each with this score.
    Publish(Vec<(usize, u16)>),
    /// Somebody stores what no node takes.
    Break(usize),
    /// Somebody stores a document of before.
    Replay(usize),
    /// A policy is retired by a document.
    Retire(usize),
    /// Somebody deletes a document, which retires nothing.
    Delete(usize),
    /// The connection is lost, and so are some tries to list.
    Lose(usize),
    /// What changed is forgotten before it was read.
    Compact,
    /// The store does not answer from here on.
    GoAway,
    /// It says nothing from here on, which is noticed where a node starts.
    Freeze,
    /// It answers again.
    ComeBack,
    /// It is put back to what it was some steps ago.
    Rewind(usize),
    /// It is empty.
    Wipe,
    /// The node is started again.
    Restart,
    /// The node is started again, and what it kept is gone.
    RestartWithoutState,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let policy = || 0..NAMES.len();
    let publish = vec((policy(), 1..=SCORES), 1..=3).prop_map(Step::Publish);
    let step = prop_oneof![
        6 => publish,
        2 => policy().prop_map(Step::Break),
        2 => policy().prop_map(Step::Replay),
        2 => policy().prop_map(Step::Retire),
        2 => policy().prop_map(Step::Delete),
        1 => (0_usize..3).prop_map(Step::Lose),
        1 => Just(Step::Compact),
        2 => Just(Step::GoAway),
        1 => Just(Step::Freeze),
        3 => Just(Step::ComeBack),
        1 => (1_usize..6).prop_map(Step::Rewind),
        1 => Just(Step::Wipe),
        4 => Just(Step::Restart),
        1 => Just(Step::RestartWithoutState),
    ];
    vec(step, 1..14)
}

/// A document as the model sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Document {
    /// Of a release: its sequence, and the score of its artifact.
    Release(u64, u16),
    /// That retires its policy, and its sequence.
    Retirement(u64),
    /// What no node takes.
    Broken,
}

/// What must be in force, by the shortest rules there are.
#[derive(Clone, Default)]
struct Model {
    stored: BTreeMap<&'static str, Document>,
    /// What was stored after each step, for going back.
    history: Vec<BTreeMap<&'static str, Document>>,
    /// Every good document of a policy that there ever was.
    published: BTreeMap<&'static str, Vec<Document>>,
    in_force: BTreeMap<&'static str, (u64, u16)>,
    highest: BTreeMap<&'static str, u64>,
    answers: bool,
    /// Whether the node decides at all.
    decides: bool,
    /// Whether it has something to start from beside the policies.
    has_kept_marker: bool,
}

impl Model {
    /// The node has taken in what is stored.
    fn settle(&mut self) {
        if !self.answers {
            return;
        }
        self.decides = true;
        for name in NAMES {
            let highest = self.highest.entry(name).or_default();
            match self.stored.get(name).copied() {
                Some(Document::Release(sequence, score)) if sequence >= *highest => {
                    self.in_force.insert(name, (sequence, score));
                    *highest = sequence;
                }
                Some(Document::Retirement(sequence)) if sequence >= *highest => {
                    self.in_force.remove(name);
                    *highest = sequence;
                }
                // Broken, older or gone: what is in force stays.
                _ => {}
            }
        }
    }

    /// The node was started again.
    fn restart(&mut self, keeps_state: bool) {
        if !keeps_state {
            self.in_force.clear();
            self.highest.clear();
            self.has_kept_marker = false;
        }
        self.decides = self.has_kept_marker || !self.in_force.is_empty();
        self.settle();
    }
}

/// A node, its store and the model of both.
struct World {
    folder: TempDir,
    store: Arc<InMemoryPolicyStore>,
    scene: Scene,
    model: Model,
    backups: Vec<BTreeMap<String, (u64, Bytes)>>,
    sequence: u64,
    markers: u64,
}

fn config(folder: &TempDir) -> Config {
    Config {
        state_path: folder.path().join("state"),
        ..small_config(1)
    }
}

/// The artifact of a score, made once.
fn artifact_of(score: u16) -> &'static [u8] {
    static ARTIFACTS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    &ARTIFACTS.get_or_init(|| (0..=SCORES).map(scoring).collect())[usize::from(score)]
}

fn document_of(name: &str, sequence: u64, score: u16) -> Vec<u8> {
    envelope(name, artifact_of(score), &json!({"sequence": sequence}))
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = InMemoryPolicyStore::new();
        for score in 0..=SCORES {
            store.put_artifact(artifact_of(score));
        }
        let scene = Scene::start_with(&config(&folder), Arc::clone(&store));
        Self {
            folder,
            store,
            scene,
            model: Model {
                answers: true,
                decides: true,
                ..Model::default()
            },
            backups: Vec::new(),
            sequence: 0,
            markers: 0,
        }
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Publish(policies) => self.publish(policies),
            Step::Break(policy) => {
                let name = NAMES[*policy];
                self.store_document(name, Document::Broken);
            }
            Step::Replay(policy) => {
                let name = NAMES[*policy];
                let published = self
                    .model
                    .published
                    .get(name)
                    .and_then(|documents| documents.first());
                if let Some(document) = published.copied() {
                    self.store_document(name, document);
                }
            }
            Step::Retire(policy) => {
                self.sequence += 1;
                let document = Document::Retirement(self.sequence);
                self.store_document(NAMES[*policy], document);
                self.model
                    .published
                    .entry(NAMES[*policy])
                    .or_default()
                    .push(document);
            }
            Step::Delete(policy) => {
                self.store.commit(vec![(NAMES[*policy], None)]);
                self.model.stored.remove(NAMES[*policy]);
            }
            Step::Lose(listings) => self.store.lose(&away(), *listings),
            Step::Compact => self.store.lose(&StoreError::Compacted { after: 1, oldest: 2 }, 0),
            Step::GoAway => {
                self.store.come_back();
                self.store.go_away();
                self.model.answers = false;
            }
            Step::Freeze => {
                // A watch that is open goes on: what stands still is seen by a node that starts.
                self.store.come_back();
                self.store.freeze();
                self.model.answers = false;
                self.restart(true).await;
            }
            Step::ComeBack => {
                self.store.come_back();
                self.model.answers = true;
            }
            Step::Rewind(steps) => {
                let back = self.backups.len().saturating_sub(*steps);
                if let Some(documents) = self.backups.get(back).cloned() {
                    self.store.restore(documents);
                    self.model.stored = self.model.history[back].clone();
                }
            }
            Step::Wipe => {
                self.store.restore(BTreeMap::new());
                self.model.stored.clear();
            }
            Step::Restart => self.restart(true).await,
            Step::RestartWithoutState => self.restart(false).await,
        }
        self.backups.push(self.store.backup());
        self.model.history.push(self.model.stored.clone());
        self.model.settle();
    }

    fn store_document(&mut self, name: &'static str, document: Document) {
        let bytes = match document {
            Document::Release(sequence, score) => document_of(name, sequence, score),
            Document::Retirement(sequence) => retirement(name, sequence),
            Document::Broken => b"broken".to_vec(),
        };
        self.store.commit(vec![(name, Some(bytes))]);
        self.model.stored.insert(name, document);
    }

    fn publish(&mut self, policies: &[(usize, u16)]) {
        self.sequence += 1;
        let policies: BTreeMap<&'static str, u16> = policies
            .iter()
            .map(|(policy, score)| (NAMES[*policy], *score))
            .collect();
        let document =
            |(name, score): (&&'static str, &u16)| (*name, Some(document_of(name, self.sequence, *score)));
        self.store.commit(policies.iter().map(document).collect());
        for (name, score) in policies {
            let document = Document::Release(self.sequence, score);
            self.model.stored.insert(name, document);
            self.model.published.entry(name).or_default().push(document);
        }
    }

    async fn restart(&mut self, keeps_state: bool) {
        // What was said before has to be taken in before, or it was never in force.
        self.settled().await;
        self.scene.stop.cancel();
        let running = std::mem::replace(&mut self.scene.running, tokio::spawn(std::future::ready(())));
        running.await.unwrap();
        if !keeps_state {
            std::fs::remove_dir_all(self.folder.path().join("state")).unwrap();
        }
        self.store.forget_reports();
        self.scene = Scene::start_with(&config(&self.folder), Arc::clone(&self.store));
        self.model.restart(keeps_state);
    }

    /// Waits until the node has taken in what there is, and compares.
    async fn settled(&mut self) {
        if self.model.answers {
            self.markers += 1;
            let sequence = self.markers;
            self.store
                .commit(vec![(MARKER, Some(document_of(MARKER, sequence, 0)))]);
            let is_in = |status: &NodeStatus| {
                of(status, MARKER).is_some_and(|marker| marker.sequence == Some(sequence))
                    && status
                        .policies
                        .iter()
                        .all(|policy| policy.state != NodePolicyState::Loading)
            };
            self.scene.until(is_in).await;
            // What was kept of a policy may still be loading beside what the store says of it.
            self.begins().await;
            self.model.has_kept_marker = true;
        } else if self.model.decides {
            self.scene.until(|_| self.scene.engine.snapshot().is_some()).await;
        }
        self.compare().await;
    }

    /// Waits until decisions have begun. Loading takes threads and no time of the paused clock.
    async fn begins(&self) {
        let started = Instant::now();
        while self.scene.engine.snapshot().is_none() {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "decisions never began"
            );
            tokio::task::yield_now().await;
        }
    }

    async fn compare(&self) {
        assert_eq!(self.scene.engine.snapshot().is_some(), self.model.decides);
        if !self.model.decides {
            return;
        }
        let mut found = self.scene.scores().await;
        found.retain(|(name, _)| name != MARKER);
        let expected: Vec<(String, u16)> = self
            .model
            .in_force
            .iter()
            .map(|(name, (_, score))| scored(name, *score))
            .collect();
        assert_eq!(found, expected);
        for (name, (sequence, _)) in &self.model.in_force {
            let status = self.scene.status_of(name);
            assert_eq!(status.in_force.unwrap().identity.sequence, *sequence, "{name}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_what_is_in_force_is_what_the_model_says(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            world.settled().await;
            for step in &steps {
                world.take(step).await;
                world.settled().await;
            }
            world.store.come_back();
            world.model.answers = true;
            world.model.settle();
            world.settled().await;
            world.scene.end().await;
        });
    }
}
