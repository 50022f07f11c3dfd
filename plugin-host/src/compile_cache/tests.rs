//! What is kept is what is loaded, and nothing that this node did not compile.

use std::fs;

use domain::risk::Outcome;
use tempfile::TempDir;

use super::*;
use crate::compiler::compile_here;
use crate::metrics::StateMetrics;
use crate::testing::{Answer, Guest, captured, engine};

struct Scene {
    state: NodeState,
    cache: CompileCache,
    metrics: CacheMetrics,
    registry: prometheus_client::registry::Registry,
    folder: TempDir,
}

impl Scene {
    fn new() -> Self {
        Self::with(tempfile::tempdir().unwrap(), &CompileCacheConfig::default())
    }

    fn with(folder: TempDir, config: &CompileCacheConfig) -> Self {
        let state = NodeState::open(&folder.path().join("state"), StateMetrics::default()).unwrap();
        let mut registry = prometheus_client::registry::Registry::default();
        let metrics = crate::metrics::HostMetrics::register(&mut registry).compile_cache;
        Self {
            cache: CompileCache::open(&state, engine().clone(), config, metrics.clone()),
            state,
            metrics,
            registry,
            folder,
        }
    }

    /// The same after a restart.
    fn again(self) -> Self {
        let Self { state, folder, .. } = self;
        drop(state);
        Self::with(folder, &CompileCacheConfig::default())
    }

    /// Compiles a component and keeps the code.
    async fn keep(&self, component: &[u8]) -> Digest {
        let digest = Digest::of(component);
        self.cache
            .keep(&digest, &compile_here(engine(), component).unwrap());
        self.state.settled().await;
        digest
    }

    fn file(&self, digest: &Digest) -> PathBuf {
        self.state.machine_code().join(self.cache.0.name(digest))
    }

    fn count(&self, result: &str) -> u64 {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        let name = format!("portcullis_policy_compile_cache_total{{result=\"{result}\"}} ");
        let found = text.lines().find_map(|line| line.strip_prefix(&name));
        found.map_or(0, |count| count.parse().unwrap())
    }
}

fn component(score: u16) -> Vec<u8> {
    Guest::answering(&Answer::of(Outcome::Approve, score)).component()
}

#[tokio::test]
async fn what_was_compiled_is_there_after_a_restart() {
    let scene = Scene::new();
    let component = component(1);
    assert!(scene.cache.take(&Digest::of(&component)).is_none());
    assert_eq!(scene.count("miss"), 1);
    let digest = scene.keep(&component).await;
    assert!(scene.cache.take(&digest).is_some());
    assert_eq!(
        scene.metrics.bytes.get(),
        fs::metadata(scene.file(&digest)).unwrap().len()
    );
    let scene = scene.again();
    let cached = scene.cache.take(&digest).unwrap();
    assert_eq!(
        cached.contract,
        compile_here(engine(), &component).unwrap().contract
    );
    assert_eq!((scene.count("hit"), scene.count("miss")), (1, 0));
    assert!(scene.metrics.bytes.get() > 0);
}

#[tokio::test]
async fn machine_code_that_is_not_this_node_s_is_named_deleted_and_never_loaded() {
    let scene = Scene::new();
    let digest = scene.keep(&component(1)).await;
    let other = scene.keep(&component(2)).await;
    let file = scene.file(&digest);
    let good = fs::read(&file).unwrap();
    let mut bad: Vec<Vec<u8>> = Vec::new();
    for length in [
        0,
        1,
        30,
        SEAL_BYTES,
        SEAL_BYTES + 1,
        good.len() / 2,
        good.len() - 1,
    ] {
        bad.push(good[..length].to_vec());
    }
    for index in (0..good.len()).step_by(good.len() / 97) {
        let mut flipped = good.clone();
        flipped[index] ^= 1;
        bad.push(flipped);
    }
    // Of another artifact, and the code itself without a seal.
    bad.push(fs::read(scene.file(&other)).unwrap());
    bad.push(
        compile_here(engine(), &component(1))
            .unwrap()
            .code
            .bytes()
            .to_vec(),
    );
    let count = bad.len() as u64;
    for bytes in bad {
        fs::write(&file, bytes).unwrap();
        let (taken, log) = captured(|| scene.cache.take(&digest));
        assert!(taken.is_none());
        let [line] = log.as_slice() else { panic!("{log:?}") };
        assert!(line.fields.contains(&file.display().to_string()), "{line:?}");
        assert!(!file.exists());
    }
    assert_eq!(scene.count("refused"), count);
    fs::write(&file, &good).unwrap();
    assert!(scene.cache.take(&digest).is_some());
    // With another key it is another node's.
    let path = scene.state.path().join("node.key");
    fs::remove_file(path).unwrap();
    let scene = scene.again();
    assert!(scene.cache.take(&digest).is_none());
    assert_eq!(scene.count("refused"), 1);
}

#[tokio::test]
async fn files_may_be_deleted_at_any_time() {
    let scene = Scene::new();
    let digest = scene.keep(&component(1)).await;
    fs::remove_dir_all(scene.state.machine_code()).unwrap();
    assert!(scene.cache.take(&digest).is_none());
    assert_eq!(scene.metrics.bytes.get(), 0);
    scene.keep(&component(1)).await;
    assert!(scene.cache.take(&digest).is_some());
}

#[tokio::test]
async fn what_was_not_used_for_longest_makes_room_and_what_is_in_force_does_not() {
    let scene = Scene::new();
    let first = scene.keep(&component(1)).await;
    let bytes = scene.metrics.bytes.get();
    let config = CompileCacheConfig {
        enabled: true,
        // Two of them, which differ by a few bytes.
        max_bytes: bytes * 5 / 2,
    };
    drop(scene.cache);
    drop(scene.state);
    let scene = Scene::with(scene.folder, &config);
    let second = scene.keep(&component(2)).await;
    scene.cache.in_use(&BTreeSet::from([first]));
    let third = scene.keep(&component(3)).await;
    assert!(scene.cache.take(&second).is_none());
    assert!(scene.cache.take(&first).is_some() && scene.cache.take(&third).is_some());
    assert!(scene.metrics.bytes.get() <= config.max_bytes);
    scene.cache.in_use(&BTreeSet::from([first, third]));
    let fourth = scene.keep(&component(4)).await;
    assert!(scene.cache.take(&fourth).is_none());
    assert!(scene.cache.take(&first).is_some() && scene.cache.take(&third).is_some());
}

#[tokio::test]
async fn what_cannot_be_written_is_not_there_and_nobody_minds() {
    let scene = Scene::new();
    fs::remove_dir(scene.state.machine_code()).unwrap();
    fs::write(scene.state.machine_code(), "in the way").unwrap();
    let digest = scene.keep(&component(1)).await;
    assert_eq!(scene.count("write_failed"), 1);
    fs::remove_file(scene.state.machine_code()).unwrap();
    assert!(scene.cache.take(&digest).is_none());
    scene.keep(&component(1)).await;
    assert!(scene.cache.take(&digest).is_some());
}
