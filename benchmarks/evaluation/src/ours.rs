//! Our engine, as the gateway runs it: a policy store in a folder, a policy host that follows it, and a policy set that is
//! asked about a payment.

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use application::ports::RiskPolicyEngine;
use async_trait::async_trait;
use benchmark_rule::{Answer, Outcome, Reason};
use domain::risk::{self, EvaluationResult, PolicyEvaluation};
use plugin_host::artifact::Artifact;
use plugin_host::document::{PolicyDocument, Publisher};
use plugin_host::load_error::LoadError;
use plugin_host::manifest::Manifest;
use plugin_host::publish::{ComponentMetadata, Examiner, Proposal, Publication, Terms, publish};
use plugin_host::store::StoreLocation;
use plugin_host::{Config, ContractVersion, PolicyHost, WasmRiskPolicyEngine};
use prometheus_client::registry::Registry;
use tempfile::TempDir;
use testkit::builders::NOW;
use testkit::fakes::SettableClock;
use tokio::runtime::{EnterGuard, Runtime};
use tokio_util::sync::CancellationToken;

use crate::compiler;
use crate::contender::Contender;
use crate::sample::{Case, feature_specs};

/// How long a node may take until all policies are in force: a hundred are compiled, two at a time and after everything else that the
/// machine has to do.
const START: Duration = Duration::from_secs(300);

/// A running policy host with so many policies in force, all of them the same rule, and each an artifact of its own.
pub(crate) struct Ours {
    engine: Arc<WasmRiskPolicyEngine>,
    stop: CancellationToken,
    runtime: Option<Runtime>,
    _folder: TempDir,
}

impl Ours {
    /// Publishes the policies, and waits until the host has them in force.
    ///
    /// # Panics
    /// When it does not get there.
    pub(crate) fn start(component: &[u8], policies: usize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = Config {
            store: format!("dir:{}", folder.path().join("policies").display()),
            state_path: folder.path().join("state"),
            node_id: "benchmark".to_owned(),
            ..Config::default()
        };
        let runtime = Runtime::new().expect("a runtime");
        runtime.block_on(publish_all(&config, component, policies));
        let clock = Arc::new(SettableClock::default());
        let mut registry = Registry::default();
        let host = runtime
            .block_on(PolicyHost::start(
                &config,
                compiler::command(),
                clock,
                &mut registry,
            ))
            .expect("the policy host starts");
        let engine = host.engine();
        let stop = CancellationToken::new();
        runtime.spawn(host.run(stop.clone()));
        wait_until_in_force(&engine, policies);
        Self {
            engine,
            stop,
            runtime: Some(runtime),
            _folder: folder,
        }
    }

    /// What decides. Wherever it is asked, [`Ours::enter`] holds.
    pub(crate) fn decider(&self) -> Decider {
        Decider(Arc::clone(&self.engine))
    }

    /// Makes this thread one of those that payments are served on, until what is returned is dropped: an evaluation that is held
    /// up for longer than its slice, by whatever else runs on the machine, goes on in the lane, whose deadline the runtime keeps.
    pub(crate) fn enter(&self) -> EnterGuard<'_> {
        self.runtime.as_ref().expect("a runtime until the end").enter()
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }
}

/// Takes the policy set in force for each decision, as the gateway does.
#[derive(Clone)]
pub(crate) struct Decider(Arc<WasmRiskPolicyEngine>);

impl Contender for Decider {
    type Verdict = Vec<PolicyEvaluation>;

    fn evaluate(&mut self, case: &Case) -> Vec<PolicyEvaluation> {
        let set = self.0.snapshot().expect("a policy set");
        on_the_spot(set.evaluate(&case.request(), &case.features))
    }

    fn answer(&self, evaluations: Vec<PolicyEvaluation>) -> Answer {
        let mut answers = evaluations.into_iter().map(|evaluation| match evaluation.result {
            EvaluationResult::Verdict(verdict) => verdict,
            EvaluationResult::Fault { fault, .. } => panic!("a policy faulted: {fault:?}"),
        });
        let verdict = answers.next().expect("a policy in force");
        assert!(
            answers.all(|other| other == verdict),
            "the same policies give the same verdict"
        );
        Answer {
            outcome: match verdict.outcome {
                risk::Outcome::Approve => Outcome::Approve,
                risk::Outcome::Challenge => Outcome::Challenge,
                risk::Outcome::Review => Outcome::Review,
                risk::Outcome::Decline => Outcome::Decline,
            },
            score: verdict.score.value(),
            reasons: verdict
                .reasons
                .into_iter()
                .map(|reason| Reason {
                    code: String::from(reason.code).into(),
                    message: String::from(reason.message).into(),
                })
                .collect(),
        }
    }
}

/// Polls until it is ready: policies run on the caller's thread and are there at the first poll.
fn on_the_spot<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        thread::yield_now();
    }
}

/// Documents of one transaction: no more fit into one of etcd's, and a folder has the same bound.
const MAX_TOGETHER: usize = 40;

async fn publish_all(config: &Config, component: &[u8], policies: usize) {
    let location: StoreLocation = config.store.parse().expect("a store");
    let store = location.open_archive(&config.etcd).await.expect("a folder");
    let proposals: Vec<Proposal> = (0..policies)
        .map(|index| Proposal::Release(Box::new(publication(component, index))))
        .collect();
    let publisher = Publisher::parse("benchmark").expect("a publisher");
    let trusted = config.signatures.trusted_keys().expect("no keys");
    let terms = Terms {
        publisher: &publisher,
        now: NOW,
        signers: &[],
        trusted: &trusted,
        required: &[],
    };
    for together in proposals.chunks(MAX_TOGETHER) {
        publish(&*store, together, &terms, &mut Unexamined)
            .await
            .expect("the policies are published");
    }
}

/// Whoever publishes here does not look: the node does, and every policy would be compiled twice.
struct Unexamined;

#[async_trait]
impl Examiner for Unexamined {
    async fn examine(&mut self, _: &PolicyDocument, _: &[u8]) -> Result<(), LoadError> {
        Ok(())
    }
}

/// The component under a manifest that leaves its parameters at their defaults; bytes of its own set it apart from others.
fn publication(component: &[u8], index: usize) -> Publication {
    let manifest = format!(
        r#"
        name = "benchmark-{index}"
        version = "1.0.0"
        grants = ["card", "customer", "device", "metadata"]
        [limits]
        fuel = 2_000_000
        deadline_ms = 10
        memory_bytes = 4_194_304
        [failure_mode]
        default = "review"
        [scope]
        merchants = ["*"]
        "#
    );
    let manifest = Manifest::parse("policy.toml", &manifest).expect("a manifest");
    let mut component = component.to_vec();
    component.extend(custom_section("benchmark", &index.to_string()));
    Publication {
        manifest,
        artifact: Artifact::new(component).expect("an artifact"),
        component: ComponentMetadata {
            contract: ContractVersion::LATEST.into(),
        },
    }
}

/// A custom section of short texts: its id, its length and its name, each of them a byte before what it counts.
fn custom_section(name: &str, data: &str) -> Vec<u8> {
    let byte = |length: usize| u8::try_from(length).expect("a short section");
    let mut section = vec![0, byte(1 + name.len() + data.len()), byte(name.len())];
    section.extend_from_slice(name.as_bytes());
    section.extend_from_slice(data.as_bytes());
    section
}

fn wait_until_in_force(engine: &WasmRiskPolicyEngine, policies: usize) {
    let started = Instant::now();
    loop {
        let statuses = engine.statuses();
        if let Some(refused) = statuses.iter().find_map(|status| status.refused.as_ref()) {
            panic!("a policy was refused: {}", refused.message);
        }
        let in_force = statuses.iter().filter(|status| status.in_force.is_some()).count();
        let set = engine.snapshot().filter(|_| in_force == policies);
        if let Some(set) = set {
            assert_eq!(set.features(), feature_specs(), "the features of the policy");
            return;
        }
        assert!(
            started.elapsed() < START,
            "{in_force} of {policies} policies are in force"
        );
        thread::sleep(Duration::from_millis(20));
    }
}

/// Reads a guest.
pub(crate) fn guest(folder: &Path, name: &str) -> Vec<u8> {
    let path = folder.join(format!("{name}.wasm"));
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; benchmarks/guests/build.sh makes it", path.display()))
}
