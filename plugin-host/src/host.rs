//! The policy host as the gateway starts it: the engine that decides, and the task that keeps it at what the store says.

use std::sync::Arc;

use application::ports::Clock;
use prometheus_client::registry::Registry;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::compile_cache::CompileCache;
use crate::compiler::{Compiler, CompilerCommand};
use crate::config::Config;
use crate::document::TextError;
use crate::engine::{EngineError, SandboxEngine};
use crate::instance_reset::{self, InstanceReset};
use crate::lane::Lane;
use crate::loader::{Loader, LoaderError};
use crate::metrics::{HostMetrics, StateMetrics};
use crate::node_state::{NodeState, NodeStateError};
use crate::node_status::NodeId;
use crate::quarantine::QuarantineConfigError;
use crate::reconciler::{Node, Reconciler};
use crate::rollout::{KeptRecords, NoRecords, RolloutRecords};
use crate::signing::{SignaturesConfigError, TrustedKeys};
use crate::store::{LocationError, OpenError, PolicyStore, StoreLocation};
use crate::wasm_engine::WasmRiskPolicyEngine;

/// Why the policy host could not be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// `policies.store` names no store.
    #[error("policies.store")]
    Location(#[from] LocationError),
    /// `policies.node_id` is no node's name.
    #[error("policies.node_id")]
    NodeId(#[source] TextError),
    /// A setting of `policies.quarantine` is out of its range.
    #[error(transparent)]
    Quarantine(#[from] QuarantineConfigError),
    /// A key that is to be trusted cannot be read, or a setting of `policies.signatures` cannot be.
    #[error(transparent)]
    Signatures(#[from] SignaturesConfigError),
    /// The folder of this node's state cannot be used.
    #[error("policies.state_path")]
    State(#[from] NodeStateError),
    /// The store cannot be opened.
    #[error("the policy store cannot be opened")]
    Store(#[from] OpenError),
    /// The engine cannot be set up.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The threads for slow policies cannot be started.
    #[error("the threads of the policy lane could not be started")]
    Lane(#[from] std::io::Error),
    /// The loading threads cannot be started.
    #[error(transparent)]
    Loader(#[from] LoaderError),
}

/// Runs policies, and keeps them at what the store says.
pub struct PolicyHost {
    id: NodeId,
    engine: Arc<WasmRiskPolicyEngine>,
    reset: InstanceReset,
    reconciler: Reconciler,
}

impl PolicyHost {
    /// Sets everything up. `compiler` is the command whose processes compile. Nothing decides before [`PolicyHost::run`] has read the store.
    ///
    /// # Errors
    /// When the configuration or the machine does not allow it. A store that does not answer is no error: it may yet.
    pub async fn start(
        config: &Config,
        compiler: CompilerCommand,
        clock: Arc<dyn Clock>,
        registry: &mut Registry,
    ) -> Result<Self, StartError> {
        let location = config.store.parse::<StoreLocation>()?;
        let id = node_id(&config.node_id).map_err(StartError::NodeId)?;
        let trusted = config.signatures.trusted_keys()?;
        config.quarantine.check()?;
        tell_whom_it_trusts(&trusted);
        let store: Arc<dyn PolicyStore> = location.open(&config.etcd).await?;
        let metrics = HostMetrics::register(registry);
        let state = state(config, metrics.state.clone())?;
        let node = Node {
            id,
            trusted,
            records: records(state.as_ref()),
            state,
        };
        let sandbox = SandboxEngine::new(&Config {
            max_concurrent_evaluations: config.max_concurrent_evaluations.max(threads_of_policies(config)),
            ..config.clone()
        })?;
        let reset = sandbox.reset();
        let loader = Loader::start(
            sandbox.clone(),
            Compiler::apart(compiler, config),
            config.compile_threads,
        )?;
        let loader = match &node.state {
            Some(state) if config.compile_cache.enabled => {
                let metrics = metrics.compile_cache.clone();
                loader.with_cache(CompileCache::open(state, sandbox, &config.compile_cache, metrics))
            }
            _ => loader,
        };
        let engine = Arc::new(WasmRiskPolicyEngine::new(
            Lane::start(config.lane_threads)?,
            Lane::start_beside(config.shadow_threads)?,
        ));
        let id = node.id.clone();
        let reconciler = Reconciler::new(store, loader, Arc::clone(&engine), clock, metrics, node, config);
        Ok(Self {
            id,
            engine,
            reset,
            reconciler,
        })
    }

    /// The node's name among its like.
    #[must_use]
    pub fn node_id(&self) -> &str {
        self.id.as_str()
    }

    /// What decides.
    #[must_use]
    pub fn engine(&self) -> Arc<WasmRiskPolicyEngine> {
        Arc::clone(&self.engine)
    }

    /// Follows the store until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let watch = instance_reset::watch(self.reset, stop.clone());
        tokio::join!(self.reconciler.run(stop), watch);
    }
}

/// The folder that this node keeps its state in, unless it is to keep none.
fn state(config: &Config, metrics: StateMetrics) -> Result<Option<Arc<NodeState>>, NodeStateError> {
    if config.state_path.as_os_str().is_empty() {
        tracing::warn!(
            "nothing is kept (policies.state_path is empty): this node cannot start without its policy store, takes older documents after a restart, and compiles every policy at every start"
        );
        return Ok(None);
    }
    let state = NodeState::open(&config.state_path, metrics)?;
    tracing::info!(path = %state.path().display(), "this node keeps its state");
    Ok(Some(Arc::new(state)))
}

/// Where it is noted how candidates do.
fn records(state: Option<&Arc<NodeState>>) -> Arc<dyn RolloutRecords> {
    match state {
        Some(state) => Arc::new(KeptRecords(Arc::clone(state))),
        None => Arc::new(NoRecords),
    }
}

/// How many threads may run a policy at the same time: the payments' own, of which there is one for each core, the lane's, those
/// beside payments and the loader's. With fewer instances a sound policy would have none to run in.
fn threads_of_policies(config: &Config) -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(cores)
        .unwrap_or(u32::MAX)
        .saturating_add(config.lane_threads)
        .saturating_add(config.shadow_threads)
        .saturating_add(u32::from(config.compile_threads))
}

/// Said once, at the start: a node without keys takes orders from everybody who can write to its store.
fn tell_whom_it_trusts(trusted: &TrustedKeys) {
    if trusted.is_empty() {
        tracing::warn!(
            "no key is trusted (policies.signatures.keys): documents are taken without a signature, and whoever may write to the policy store decides about payments"
        );
    } else {
        tracing::info!(
            threshold = trusted.threshold(),
            keys = trusted.names().collect::<Vec<_>>().join(", "),
            "documents are taken with the signatures of trusted keys alone"
        );
    }
}

/// The configured name, or one of the host's name and the process.
fn node_id(configured: &str) -> Result<NodeId, TextError> {
    if !configured.is_empty() {
        return NodeId::parse(configured);
    }
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let plain: String = host
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'))
        .take(40)
        .collect();
    NodeId::parse(&format!("{plain}-{}", std::process::id())).or_else(|_| NodeId::parse("node"))
}

#[cfg(test)]
mod tests;
