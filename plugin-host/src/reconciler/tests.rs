//! From a store to what is in force. Time is paused and runs ahead whenever nothing else can happen, so that a pause of a
//! minute takes none.

mod in_memory_store;
mod kept;
mod loads;
mod model;
mod order;
mod quarantine;
mod retirement;
mod rollouts;
mod signatures;

use application::ports::{PolicySnapshot, PolicyStatus, RiskPolicyEngine};
use domain::risk::EvaluationResult;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use testkit::builders::{NOW, after, risk_request};
use testkit::fakes::SettableClock;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::compile_cache::CompileCache;
use crate::compiler::Compiler;
use crate::digest::Digest;
use crate::document::{PolicyName, Publisher, Retirement, RetirementReason};
use crate::envelope::Envelope;
use crate::lane::Lane;
use crate::node_status::{NodePolicy, NodePolicyState, NodeStatus};
use crate::rollout::{KeptRecords, NoRecords};
use crate::store::StoreError;
use crate::testing::{Answer, Guest, document, engine, small_config};
use in_memory_store::{InMemoryPolicyStore, away};

/// After so long, as the paused clock has it, a test has failed. Long, since that clock runs ahead while a policy compiles.
const GIVE_UP: Duration = Duration::from_secs(100 * 24 * 3600);

/// A node over a store in memory.
struct Scene {
    store: Arc<InMemoryPolicyStore>,
    engine: Arc<WasmRiskPolicyEngine>,
    clock: Arc<SettableClock>,
    registry: Registry,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Scene {
    /// Starts the node.
    fn start() -> Self {
        Self::start_over(InMemoryPolicyStore::new())
    }

    /// Starts a node, and waits until it has seen that there is nothing.
    async fn empty() -> Self {
        let scene = Self::start();
        scene.until(|status| status.policies.is_empty()).await;
        scene
    }

    fn start_over(store: Arc<InMemoryPolicyStore>) -> Self {
        Self::start_requiring(&[], store)
    }

    /// Starts a node that may not be without these policies.
    fn start_requiring(required: &[&str], store: Arc<InMemoryPolicyStore>) -> Self {
        let config = Config {
            required: required.iter().map(|name| (*name).to_owned()).collect(),
            ..small_config(1)
        };
        Self::start_with(&config, store)
    }

    fn start_with(config: &Config, store: Arc<InMemoryPolicyStore>) -> Self {
        Self::start_noting(config, store, None)
    }

    fn start_noting(
        config: &Config,
        store: Arc<InMemoryPolicyStore>,
        records: Option<Arc<dyn RolloutRecords>>,
    ) -> Self {
        Self::start_as(Arc::new(SettableClock::default()), config, store, records)
    }

    /// Starts a node at this time by its clock.
    fn start_at(clock: Arc<SettableClock>, config: &Config, store: Arc<InMemoryPolicyStore>) -> Self {
        Self::start_as(clock, config, store, None)
    }

    fn start_as(
        clock: Arc<SettableClock>,
        config: &Config,
        store: Arc<InMemoryPolicyStore>,
        records: Option<Arc<dyn RolloutRecords>>,
    ) -> Self {
        let mut registry = Registry::default();
        let engine = Arc::new(WasmRiskPolicyEngine::new(
            Lane::start(1).unwrap(),
            Lane::start_beside(1).unwrap(),
        ));
        let metrics = HostMetrics::register(&mut registry);
        let loader =
            Loader::start(self::engine().clone(), Compiler::Here(self::engine().clone()), 1).unwrap();
        let (state, loader) = if config.state_path.as_os_str().is_empty() {
            (None, loader)
        } else {
            let state = NodeState::open(&config.state_path, metrics.state.clone()).unwrap();
            let cache = CompileCache::open(
                &state,
                self::engine().clone(),
                &config.compile_cache,
                metrics.compile_cache.clone(),
            );
            (Some(Arc::new(state)), loader.with_cache(cache))
        };
        let records = records.unwrap_or_else(|| match &state {
            Some(state) => Arc::new(KeptRecords(Arc::clone(state))),
            None => Arc::new(NoRecords),
        });
        let reconciler = Reconciler::new(
            Arc::clone(&store) as Arc<dyn PolicyStore>,
            loader,
            Arc::clone(&engine),
            Arc::clone(&clock) as Arc<dyn Clock>,
            metrics,
            Node {
                id: NodeId::parse("node-1").unwrap(),
                trusted: config.signatures.trusted_keys().unwrap(),
                records,
                state,
            },
            config,
        );
        let stop = CancellationToken::new();
        let running = tokio::spawn(reconciler.run(stop.clone()));
        Self {
            store,
            engine,
            clock,
            registry,
            stop,
            running,
        }
    }

    /// Waits until the node reports that it stands so.
    async fn until(&self, holds: impl Fn(&NodeStatus) -> bool) -> NodeStatus {
        let reported = tokio::time::timeout(GIVE_UP, self.store.reported(holds)).await;
        reported.expect("the node never reported what the test waits for")
    }

    /// Waits until this sequence of a policy is in force, and nothing else of it.
    async fn in_force(&self, name: &str, sequence: u64) -> NodePolicy {
        let holds = |policy: &NodePolicy| {
            policy.state == NodePolicyState::InForce && policy.sequence == Some(sequence)
        };
        let status = self.until(|status| of(status, name).is_some_and(holds)).await;
        of(&status, name).unwrap().clone()
    }

    /// Waits until a policy's newest document is refused with this code.
    async fn refused(&self, name: &str, code: &str) -> NodePolicy {
        let holds = |policy: &NodePolicy| {
            policy.state == NodePolicyState::Refused
                && policy.error.as_ref().is_some_and(|error| error.code == code)
        };
        let status = self.until(|status| of(status, name).is_some_and(holds)).await;
        of(&status, name).unwrap().clone()
    }

    /// Waits until a policy's newest document is being loaded and its artifact was asked for.
    async fn loading(&self, name: &str, component: &[u8]) {
        let digest = Digest::of(component);
        let asked = self.store.until(|store| store.fetched().contains(&digest));
        tokio::time::timeout(GIVE_UP, asked).await.unwrap();
        let holds = |policy: &NodePolicy| policy.state == NodePolicyState::Loading;
        self.until(|status| of(status, name).is_some_and(holds)).await;
    }

    fn snapshot(&self) -> Arc<dyn PolicySnapshot> {
        self.engine.snapshot().unwrap()
    }

    /// What decides now: names and scores, in the order they ran.
    async fn scores(&self) -> Vec<(String, u16)> {
        let request = risk_request("pay_1").build();
        // A busy machine may send a policy to the lane, whose threads know nothing of the paused clock.
        tokio::time::resume();
        let evaluations = self.snapshot().evaluate(&request.borrow(), &[]).await;
        tokio::time::pause();
        evaluations
            .iter()
            .map(|evaluation| match &evaluation.result {
                EvaluationResult::Verdict(verdict) => {
                    (evaluation.policy.name.to_string(), verdict.score.value())
                }
                EvaluationResult::Fault { fault, .. } => panic!("{}: {}", fault.kind, fault.detail),
            })
            .collect()
    }

    fn status_of(&self, name: &str) -> PolicyStatus {
        let statuses = self.engine.statuses();
        statuses.into_iter().find(|status| &*status.name == name).unwrap()
    }

    fn metrics(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).unwrap();
        text
    }

    #[track_caller]
    fn assert_metric(&self, line: &str) {
        let text = self.metrics();
        assert!(
            text.lines().any(|found| found == line),
            "`{line}` is not in\n{text}"
        );
    }

    /// Ends the node; it must not have panicked.
    async fn end(self) {
        self.stop.cancel();
        self.running.await.unwrap();
    }
}

fn of<'a>(status: &'a NodeStatus, name: &str) -> Option<&'a NodePolicy> {
    status.policies.iter().find(|policy| policy.name == name)
}

/// A component that approves with a score, by which it is told from others.
fn scoring(score: u16) -> Vec<u8> {
    Guest::answering(&Answer::of(domain::risk::Outcome::Approve, score)).component()
}

/// The envelope of a component's document.
fn envelope(name: &str, component: &[u8], otherwise: &Value) -> Vec<u8> {
    Envelope::unsigned(&document(name, component, otherwise)).to_json()
}

/// The envelope of a document that retires a policy.
fn retirement(name: &str, sequence: u64) -> Vec<u8> {
    let retirement = Retirement {
        name: PolicyName::parse(name).unwrap(),
        sequence,
        reason: Some(RetirementReason::parse("replaced by another").unwrap()),
        published_at: NOW,
        publisher: Publisher::parse("risk-team").unwrap(),
    };
    Envelope::unsigned_retirement(&retirement).to_json()
}

/// Stores a component and its document.
fn publish(scene: &Scene, name: &str, component: &[u8], otherwise: &Value) -> u64 {
    scene.store.put_artifact(component);
    scene
        .store
        .commit(vec![(name, Some(envelope(name, component, otherwise)))])
}

fn scored(name: &str, score: u16) -> (String, u16) {
    (name.to_owned(), score)
}

#[tokio::test(start_paused = true)]
async fn what_is_stored_when_the_node_starts_comes_into_force() {
    let store = InMemoryPolicyStore::new();
    for (name, score) in [("alpha", 1), ("bravo", 2)] {
        let component = scoring(score);
        store.put_artifact(&component);
        store.commit(vec![(name, Some(envelope(name, &component, &json!({}))))]);
    }
    let scene = Scene::start_over(store);
    let status = scene
        .until(|status| status.policies.len() == 2 && status.revision == 2)
        .await;
    assert_eq!(status.node.as_str(), "node-1");
    assert_eq!(status.started_at.0, NOW);
    assert_eq!(scene.snapshot().revision(), 2);
    assert_eq!(scene.scores().await, [scored("alpha", 1), scored("bravo", 2)]);
    scene.assert_metric("portcullis_policies_in_force 2");
    scene.assert_metric("portcullis_policy_set_revision 2");
    scene.assert_metric("portcullis_policy_store_connected 1");
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_empty_store_gives_an_empty_set() {
    let scene = Scene::start();
    scene.until(|status| status.policies.is_empty()).await;
    assert!(scene.scores().await.is_empty());
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn documents_of_one_transaction_come_into_force_at_once() {
    let scene = Scene::start();
    publish(&scene, "alpha", &scoring(1), &json!({}));
    publish(&scene, "bravo", &scoring(2), &json!({}));
    scene.in_force("bravo", 1).await;
    let (alpha, bravo) = (scoring(11), scoring(12));
    scene.store.put_artifact(&alpha);
    scene.store.put_artifact(&bravo);
    scene.store.hold(&bravo);
    let next = json!({"sequence": 2});
    let revision = scene.store.commit(vec![
        ("alpha", Some(envelope("alpha", &alpha, &next))),
        ("bravo", Some(envelope("bravo", &bravo, &next))),
    ]);
    let waiting = |store: &InMemoryPolicyStore| {
        let fetched = store.fetched();
        fetched.contains(&Digest::of(&alpha)) && fetched.contains(&Digest::of(&bravo))
    };
    tokio::time::timeout(GIVE_UP, scene.store.until(waiting))
        .await
        .unwrap();
    assert!(scene.status_of("alpha").loading && scene.status_of("bravo").loading);
    let before = scene.snapshot();
    assert_eq!(scene.scores().await, [scored("alpha", 1), scored("bravo", 2)]);
    scene.store.let_go();
    let status = scene.until(|status| status.revision == revision).await;
    assert!(status.policies.iter().all(|policy| policy.sequence == Some(2)));
    assert_eq!(scene.scores().await, [scored("alpha", 11), scored("bravo", 12)]);
    // Whoever decides on the set before ends on it.
    let request = risk_request("pay_1").build();
    tokio::time::resume();
    let evaluations = before.evaluate(&request.borrow(), &[]).await;
    tokio::time::pause();
    let sequences: Vec<u64> = evaluations.iter().map(|e| e.policy.sequence).collect();
    assert_eq!(sequences, [1, 1]);
    scene.end().await;
}

/// Documents that are bad, each for its own reason: the code, and the envelope under the name `alpha`.
fn bad_documents(scene: &Scene) -> Vec<(&'static str, Vec<u8>)> {
    let good = scoring(1);
    let next = |otherwise: Value| {
        let mut fields = json!({"sequence": 2});
        fields
            .as_object_mut()
            .unwrap()
            .extend(otherwise.as_object().unwrap().clone());
        envelope("alpha", &good, &fields)
    };
    let golden = r#"{"contract": "portcullis:policy@0.1.0", "cases": [{"name": "c", "decision": {"outcome": "review", "score": 1, "reasons": []},
        "payment": {"id": "p", "merchant_id": "m", "amount": {"minor_units": 1, "currency": "CNY"}, "created_at": 1}}]}"#;
    let mut bad = vec![
        ("envelope_invalid", b"not JSON".to_vec()),
        ("name_mismatch", envelope("bravo", &good, &json!({"sequence": 2}))),
        (
            "not_yet_valid",
            next(json!({"not_before": "2030-01-01T00:00:00Z"})),
        ),
        ("expired", next(json!({"not_after": "2026-01-02T00:00:00Z"}))),
        (
            "other_contract",
            next(json!({"contract": "portcullis:policy@9.0.0"})),
        ),
        ("unknown_parameter", next(json!({"parameters": {"max": 1}}))),
        (
            "chunk_missing",
            envelope("alpha", b"nowhere", &json!({"sequence": 2})),
        ),
    ];
    for (code, component) in [
        ("not_a_component", b"#!/bin/sh".to_vec()),
        ("contract_mismatch", wat::parse_str("(component)").unwrap()),
        ("not_compilable", Guest::new().with("(memory i64 1)").component()),
        (
            "describe_failed",
            Guest::new().describing("(unreachable)").component(),
        ),
        (
            "golden_case_failed",
            Guest::new().with_golden_cases(golden).component(),
        ),
        (
            "golden_cases_unreadable",
            Guest::new().with_golden_cases("[]").component(),
        ),
    ] {
        scene.store.put_artifact(&component);
        bad.push((code, envelope("alpha", &component, &json!({"sequence": 2}))));
    }
    for (code, bytes) in [
        ("digest_mismatch", &b"other"[..]),
        ("chunk_size", b"longer than that"),
    ] {
        let named = if code == "chunk_size" { b"short" } else { b"names" };
        scene.store.put_chunk(Digest::of(named), bytes);
        bad.push((code, envelope("alpha", named, &json!({"sequence": 2}))));
    }
    bad
}

#[tokio::test(start_paused = true)]
async fn a_bad_document_keeps_what_is_in_force_and_leaves_the_others_alone() {
    let scene = Scene::start();
    publish(&scene, "alpha", &scoring(1), &json!({}));
    scene.in_force("alpha", 1).await;
    let bravo = scoring(2);
    scene.store.put_artifact(&bravo);
    for (index, (code, bad)) in bad_documents(&scene).into_iter().enumerate() {
        let sequence = index as u64 + 1;
        // The good one is changed together with the bad one.
        scene.store.commit(vec![
            ("alpha", Some(bad)),
            (
                "bravo",
                Some(envelope("bravo", &bravo, &json!({"sequence": sequence}))),
            ),
        ]);
        let refused = scene.refused("alpha", code).await;
        assert_eq!(refused.sequence, Some(1), "{code}: the release in force is told");
        scene.in_force("bravo", sequence).await;
        assert_eq!(
            scene.scores().await,
            [scored("alpha", 1), scored("bravo", 2)],
            "{code}"
        );
        let status = scene.status_of("alpha");
        assert_eq!(status.in_force.unwrap().identity.sequence, 1);
        assert_eq!(status.refused.unwrap().code, code);
        scene.assert_metric(&format!("portcullis_policy_loads_total{{result=\"{code}\"}} 1"));
        scene.assert_metric("portcullis_policies_refused 1");
    }
    publish(&scene, "alpha", &scoring(3), &json!({"sequence": 3}));
    assert_eq!(scene.in_force("alpha", 3).await.error, None);
    scene.assert_metric("portcullis_policies_refused 0");
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_first_document_that_is_bad_leaves_nothing_in_force() {
    let scene = Scene::start();
    scene.store.commit(vec![
        ("alpha", Some(b"{}".to_vec())),
        ("Not A Name", Some(envelope("alpha", &scoring(1), &json!({})))),
    ]);
    let alpha = scene.refused("alpha", "envelope_invalid").await;
    assert_eq!((alpha.sequence, alpha.digest, alpha.version), (None, None, None));
    let stranger = scene.refused("Not A Name", "name_invalid").await;
    assert!(stranger.error.unwrap().message.contains("Not A Name"));
    assert!(scene.scores().await.is_empty());
    scene.assert_metric("portcullis_policies_refused 2");
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_document_alone_compiles_nothing() {
    let scene = Scene::start();
    let component = scoring(1);
    publish(&scene, "alpha", &component, &json!({}));
    scene.in_force("alpha", 1).await;
    assert_eq!(scene.store.fetched().len(), 1);
    publish(
        &scene,
        "alpha",
        &component,
        &json!({"sequence": 2, "version": "2.0.0"}),
    );
    let alpha = scene.in_force("alpha", 2).await;
    assert_eq!(alpha.version.unwrap().as_str(), "2.0.0");
    // Under another name it is the same policy too.
    publish(&scene, "bravo", &component, &json!({"priority": 1}));
    scene.in_force("bravo", 1).await;
    assert_eq!(scene.scores().await, [scored("bravo", 1), scored("alpha", 1)]);
    assert_eq!(scene.store.fetched().len(), 1, "the artifact was fetched once");
    // And a document that does not fit it is refused all the same.
    publish(
        &scene,
        "alpha",
        &component,
        &json!({"sequence": 3, "parameters": {"max": 1}}),
    );
    scene.refused("alpha", "unknown_parameter").await;
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_older_document_is_not_taken_again() {
    let scene = Scene::start();
    publish(&scene, "alpha", &scoring(1), &json!({"sequence": 2}));
    scene.in_force("alpha", 2).await;
    publish(&scene, "alpha", &scoring(3), &json!({"sequence": 3}));
    scene.in_force("alpha", 3).await;
    publish(&scene, "alpha", &scoring(1), &json!({"sequence": 2}));
    let refused = scene.refused("alpha", "sequence_replayed").await;
    assert_eq!(refused.sequence, Some(3));
    let error = refused.error.unwrap();
    assert_eq!(error.sequence, Some(2));
    assert!(error.message.contains("expected at least 3"), "{}", error.message);
    // The older artifact under a new sequence is how one goes back.
    publish(&scene, "alpha", &scoring(1), &json!({"sequence": 4}));
    scene.in_force("alpha", 4).await;
    assert_eq!(scene.scores().await, [scored("alpha", 1)]);
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_artifact_that_arrives_late_is_taken_at_the_next_listing() {
    let scene = Scene::start();
    let component = scoring(1);
    scene
        .store
        .commit(vec![("alpha", Some(envelope("alpha", &component, &json!({}))))]);
    scene.refused("alpha", "chunk_missing").await;
    let listings = scene.store.listed_at().len();
    let again = |store: &InMemoryPolicyStore| store.listed_at().len() >= listings + 3;
    tokio::time::timeout(GIVE_UP, scene.store.until(again))
        .await
        .unwrap();
    scene.refused("alpha", "chunk_missing").await;
    scene.store.put_artifact(&component);
    scene.in_force("alpha", 1).await;
    // It was refused several times, and that was told once.
    scene.assert_metric(r#"portcullis_policy_loads_total{result="chunk_missing"} 1"#);
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_document_comes_into_force_when_its_time_has_come() {
    let scene = Scene::start();
    let soon = json!({"not_before": "2026-02-02T02:50:00Z"});
    publish(&scene, "alpha", &scoring(1), &soon);
    let refused = scene.refused("alpha", "not_yet_valid").await;
    assert_eq!(refused.since.0, NOW);
    scene.clock.set(after(600));
    let alpha = scene.in_force("alpha", 1).await;
    assert_eq!(alpha.since.0, after(600));
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_document_whose_time_is_over_is_told_and_decides_on() {
    let scene = Scene::start();
    publish(
        &scene,
        "alpha",
        &scoring(1),
        &json!({"not_after": "2026-02-02T02:50:00Z"}),
    );
    scene.in_force("alpha", 1).await;
    scene.clock.set(after(601));
    let alpha = scene.refused("alpha", "expired").await;
    assert_eq!(alpha.sequence, Some(1));
    assert_eq!(scene.scores().await, [scored("alpha", 1)]);
    publish(&scene, "alpha", &scoring(2), &json!({"sequence": 2}));
    scene.in_force("alpha", 2).await;
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_decided_before_every_required_policy_is_in_force() {
    let scene = Scene::start_requiring(&["alpha", "bravo"], InMemoryPolicyStore::new());
    publish(&scene, "alpha", &scoring(1), &json!({}));
    publish(&scene, "charlie", &scoring(3), &json!({}));
    scene.store.commit(vec![("bravo", Some(b"{}".to_vec()))]);
    scene.in_force("charlie", 1).await;
    scene.refused("bravo", "envelope_invalid").await;
    assert!(scene.engine.snapshot().is_none());
    publish(&scene, "bravo", &scoring(2), &json!({}));
    scene.in_force("bravo", 1).await;
    let all = [scored("alpha", 1), scored("bravo", 2), scored("charlie", 3)];
    assert_eq!(scene.scores().await, all);
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn listing_again_changes_nothing_that_is_settled() {
    let scene = Scene::start();
    publish(&scene, "alpha", &scoring(1), &json!({}));
    publish(&scene, "bravo", b"#!/bin/sh", &json!({}));
    scene.in_force("alpha", 1).await;
    scene.refused("bravo", "not_a_component").await;
    scene.clock.set(after(60));
    let listings = scene.store.listed_at().len();
    let again = |store: &InMemoryPolicyStore| store.listed_at().len() >= listings + 5;
    tokio::time::timeout(GIVE_UP, scene.store.until(again))
        .await
        .unwrap();
    assert_eq!(scene.status_of("alpha").in_force.unwrap().since, NOW);
    assert_eq!(scene.store.fetched().len(), 2);
    scene.assert_metric(r#"portcullis_policy_loads_total{result="in_force"} 1"#);
    scene.assert_metric(r#"portcullis_policy_loads_total{result="not_a_component"} 1"#);
    // One minute lies between two listings.
    let listed_at = scene.store.listed_at();
    for pair in listed_at[listings..].windows(2) {
        assert!(pair[1] - pair[0] >= Duration::from_secs(59), "{pair:?}");
    }
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_asked_again_after_pauses_that_double() {
    let store = InMemoryPolicyStore::new();
    store.lose(&away(), 9);
    let scene = Scene::start_over(store);
    let component = scoring(1);
    publish(&scene, "alpha", &component, &json!({}));
    scene.in_force("alpha", 1).await;
    let mut longest = Duration::from_millis(100);
    for pair in scene.store.listed_at()[..10].windows(2) {
        let pause = pair[1] - pair[0];
        // The clock of tokio's timers counts whole milliseconds.
        let slack = Duration::from_millis(2);
        assert!(
            pause + slack >= longest / 2 && pause <= longest + slack,
            "{pause:?} of {longest:?}"
        );
        longest = (longest * 2).min(Duration::from_secs(3));
    }
    scene.assert_metric("portcullis_policy_store_connected 1");
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_in_force_stays_while_the_store_is_away_and_changes_are_caught_up_with() {
    let scene = Scene::start();
    publish(&scene, "alpha", &scoring(1), &json!({}));
    publish(&scene, "bravo", &scoring(2), &json!({}));
    scene.in_force("bravo", 1).await;
    let listings = scene.store.listed_at().len();
    scene.store.lose(&away(), 100);
    let asked = |store: &InMemoryPolicyStore| store.listed_at().len() >= listings + 5;
    tokio::time::timeout(GIVE_UP, scene.store.until(asked))
        .await
        .unwrap();
    assert_eq!(scene.scores().await, [scored("alpha", 1), scored("bravo", 2)]);
    scene.assert_metric("portcullis_policy_store_connected 0");
    // Meanwhile one is changed, one is retired and one is new.
    scene.store.commit(vec![("bravo", Some(retirement("bravo", 2)))]);
    publish(&scene, "alpha", &scoring(11), &json!({"sequence": 2}));
    publish(&scene, "charlie", &scoring(13), &json!({}));
    scene.in_force("charlie", 1).await;
    assert_eq!(scene.scores().await, [scored("alpha", 11), scored("charlie", 13)]);
    scene.assert_metric("portcullis_policy_store_connected 1");
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_has_forgotten_or_was_replaced_is_listed_again() {
    let scene = Scene::start();
    publish(&scene, "alpha", &scoring(1), &json!({}));
    scene.in_force("alpha", 1).await;
    for (sequence, error) in [
        (2, StoreError::Compacted { after: 1, oldest: 9 }),
        (3, StoreError::Rewound { after: 9, current: 1 }),
    ] {
        scene.store.lose(&error, 0);
        publish(&scene, "alpha", &scoring(1), &json!({"sequence": sequence}));
        scene.in_force("alpha", sequence).await;
    }
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn progress_without_a_change_is_reported_as_a_revision() {
    let scene = Scene::start();
    publish(&scene, "alpha", &scoring(1), &json!({}));
    scene.in_force("alpha", 1).await;
    let revision = scene.store.progress();
    // It is told with the next change or listing.
    let status = scene.until(|status| status.revision >= revision).await;
    assert_eq!(of(&status, "alpha").unwrap().state, NodePolicyState::InForce);
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_node_ends_when_it_is_told_whatever_it_is_at() {
    // While the store is away, and while an artifact does not come.
    let store = InMemoryPolicyStore::new();
    store.lose(&away(), usize::from(u16::MAX));
    let scene = Scene::start_over(store);
    let asked = |store: &InMemoryPolicyStore| store.listed_at().len() > 3;
    tokio::time::timeout(GIVE_UP, scene.store.until(asked))
        .await
        .unwrap();
    scene.end().await;

    let scene = Scene::start();
    let component = scoring(1);
    scene.store.hold(&component);
    publish(&scene, "alpha", &component, &json!({}));
    let asked = |store: &InMemoryPolicyStore| !store.fetched().is_empty();
    tokio::time::timeout(GIVE_UP, scene.store.until(asked))
        .await
        .unwrap();
    scene.end().await;
}
