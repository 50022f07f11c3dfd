//! The running gateway: what is wired to what, and how it ends.

use std::net::SocketAddr;
use std::sync::{Arc, RwLock};

use api::{
    ApiParts, ApiState, Authentication, Drained, HttpMetrics, JsonEventRenderer, Server, ThisNode,
    WebhookParts,
};
use application::api_keys::ApiKeyRing;
use application::operation_runner::OperationRunner;
use application::ports::{Clock, IdGenerator, ListStoreError, RiskPolicyEngine, Telemetry};
use application::risk_assessment::RiskAssessment;
use application::use_cases::FanOutEvents;
use features::{FollowedLists, SubjectKey, SubjectLists};
use platform::{
    HmacCardFingerprinter, RandomWebhookSecretGenerator, SystemApiKeySecrets, SystemClock, TokioTimer,
    UuidIdGenerator,
};
use plugin_host::PolicyHost;
use plugin_host::compiler::CompilerCommand;
use prometheus_client::registry::Registry;
use storage::Storage;
use telemetry::PrometheusTelemetry;
use thiserror::Error;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use webhooks::{Deliverer, SystemResolver, UrlRules};

use crate::background::Background;
use crate::config::Config;
use crate::past_payments::PastPayments;
use crate::upkeep::Upkeep;

/// Why the gateway could not be built. Each says which part of the configuration or the machine is at fault.
#[derive(Debug, Error)]
pub enum BuildError {
    /// The storage cannot be opened.
    #[error("the storage cannot be opened")]
    Storage(#[from] storage::OpenError),
    /// The API keys cannot be read.
    #[error("the API keys cannot be read")]
    ApiKeys(#[from] application::ports::ApiKeyStoreError),
    /// The fingerprint key cannot be read or made.
    #[error("the card fingerprint key cannot be used")]
    FingerprintKey(#[from] platform::FingerprintKeyError),
    /// The acquirer cannot be spoken to as the configuration has it.
    #[error("the acquirer cannot be used")]
    Acquirer(#[from] acquirers::OpenError),
    /// The feature store cannot be used as the configuration has it.
    #[error("the feature store cannot be used")]
    Features(#[from] features::ConfigError),
    /// The items of lists cannot be read.
    #[error("the items of lists cannot be read")]
    ListStore(#[source] ListStoreError),
    /// Webhooks cannot be sent as the configuration has it.
    #[error("webhooks cannot be sent")]
    Webhooks(#[from] webhooks::TlsError),
    /// The policy host cannot be started.
    #[error("the policies cannot be started")]
    Policies(#[from] plugin_host::host::StartError),
    /// The address cannot be listened on.
    #[error("the HTTP interface cannot be started")]
    Bind(#[from] api::BindError),
}

/// How the gateway ended.
#[derive(Clone, Copy, Debug)]
pub struct Stopped {
    /// What was left of requests and payments when the time was up.
    pub drained: Drained,
    /// Whether the policy store was followed to the end. Where it was not, the gateway has ended because of that: a node that
    /// takes no changes any more is better started anew.
    pub policies_followed: bool,
    /// Whether the storage was closed in order; everything acknowledged is safe either way.
    pub storage_closed: bool,
}

/// A gateway that is ready to run: everything is open, nothing is served yet.
pub struct Gateway {
    server: Server,
    storage: Storage,
    policies: JoinHandle<()>,
    stop_policies: CancellationToken,
    background: Background,
}

impl Gateway {
    /// Opens and wires everything. `compiler` is the command whose processes compile policies. `register` enters what the caller counts in the registry that `/metrics` renders.
    ///
    /// # Errors
    /// When the configuration or the machine does not allow it.
    pub async fn build(
        config: Config,
        compiler: CompilerCommand,
        register: impl FnOnce(&mut Registry),
    ) -> Result<Self, BuildError> {
        let mut registry = Registry::default();
        register(&mut registry);
        let telemetry: Arc<dyn Telemetry> = Arc::new(PrometheusTelemetry::register(&mut registry));
        let http_metrics = HttpMetrics::register(registry.sub_registry_with_prefix("portcullis"));

        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids: Arc<dyn IdGenerator> = Arc::new(UuidIdGenerator::new());
        let keyed = Arc::new(HmacCardFingerprinter::open(&config.platform)?);
        let features = features::open(&config.features, SubjectKey::new(&keyed.derived_key("features")))?;
        let storage = storage::open(&config.storage).await?;

        let takes_keys = config.http.authentication == Authentication::Keys;
        let api_keys = api_keys(&storage, &clock, takes_keys).await?;
        let host = PolicyHost::start(&config.policies, compiler, Arc::clone(&clock), &mut registry).await?;
        let engine: Arc<dyn RiskPolicyEngine> = host.engine();
        let node = ThisNode {
            id: host.node_id().into(),
            version: env!("CARGO_PKG_VERSION"),
            started_at: clock.now(),
        };

        let risk = RiskAssessment {
            engine: Arc::clone(&engine),
            features: features.store,
            ids,
            clock,
            telemetry,
        };
        let runner = runner(&config, &storage, &risk)?;
        let lists = follow_lists(&storage, features.lists, &risk.clock).await?;
        let decisions = storage.decision_log(&config.storage.decisions, &risk.clock, &risk.telemetry);
        let catalog = || Arc::clone(&storage.catalog);
        let background = Background {
            upkeep: Upkeep::new(&config.payments, &runner, &risk.ids, catalog(), &mut registry),
            api_keys: takes_keys.then(|| Arc::clone(&api_keys)),
            past: features
                .to_be_told
                .map(|store| PastPayments::new(catalog(), store, risk.clock.now())),
            lists,
            webhooks: deliverer(&config.webhooks, &storage, &risk, &mut registry)?,
        };
        let registry = Arc::new(RwLock::new(registry));
        let parts = ApiParts {
            api_keys: Arc::clone(&api_keys),
            risk,
            runner,
            fingerprinter: Arc::clone(&keyed) as _,
            digester: keyed,
            engine,
            catalog: catalog(),
            events: Arc::clone(&storage.events),
            lists: Arc::clone(&background.lists) as _,
            decisions,
            node,
            webhooks: webhook_parts(&config.webhooks, &storage),
        };
        let state = ApiState::new(parts, http_metrics, Arc::new(move || render(&registry)));
        let server = Server::bind(config.http, state).await?;
        let stop_policies = CancellationToken::new();
        let policies = tokio::spawn(host.run(stop_policies.clone()));
        Ok(Self {
            server,
            storage,
            policies,
            stop_policies,
            background,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// Serves until `shutdown`, then ends in order: requests first, then the policies, then the storage.
    pub async fn run_until(self, shutdown: impl Future<Output = ()> + Send) -> Stopped {
        let Self {
            server,
            storage,
            mut policies,
            stop_policies,
            background,
        } = self;
        let stop_background = CancellationToken::new();
        let background = background.start(stop_background.clone());
        let mut lost = false;
        let drained = server
            .run(async {
                tokio::select! {
                    () = shutdown => {}
                    _ = &mut policies => {
                        lost = true;
                        tracing::error!("the task that follows the policy store has ended; shutting down");
                    }
                }
            })
            .await;
        stop_policies.cancel();
        stop_background.cancel();
        if let Err(error) = background.await {
            tracing::error!(%error, "what runs in the background broke off");
        }
        let policies_followed = !lost && policies.await.is_ok();
        let storage_closed = match storage.close().await {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "the storage was not closed in order");
                false
            }
        };
        Stopped {
            drained,
            policies_followed,
            storage_closed,
        }
    }
}

/// The keys to the HTTP interface, read once where they are needed.
async fn api_keys(
    storage: &Storage,
    clock: &Arc<dyn Clock>,
    takes_keys: bool,
) -> Result<Arc<ApiKeyRing>, BuildError> {
    let secrets = Arc::new(SystemApiKeySecrets);
    let ring = ApiKeyRing::new(Arc::clone(&storage.api_keys), secrets, Arc::clone(clock));
    if takes_keys {
        ring.refresh().await?;
    }
    Ok(Arc::new(ring))
}

/// What speaks to the acquirer.
fn runner(config: &Config, storage: &Storage, risk: &RiskAssessment) -> Result<OperationRunner, BuildError> {
    Ok(OperationRunner {
        payments: Arc::clone(&storage.payments),
        acquirer: acquirers::open(&config.acquirer)?,
        features: Arc::clone(&risk.features),
        clock: Arc::clone(&risk.clock),
        timer: Arc::new(TokioTimer),
        telemetry: Arc::clone(&risk.telemetry),
        times: Arc::new(config.payments.times()),
    })
}

fn webhook_parts(config: &webhooks::Config, storage: &Storage) -> WebhookParts {
    WebhookParts {
        endpoints: Arc::clone(&storage.webhook_endpoints),
        deliveries: Arc::clone(&storage.webhook_deliveries),
        urls: Arc::new(UrlRules::new(config)),
        secrets: Arc::new(RandomWebhookSecretGenerator),
    }
}

/// What sends webhooks, unless that is left to other gateways.
fn deliverer(
    config: &webhooks::Config,
    storage: &Storage,
    risk: &RiskAssessment,
    registry: &mut Registry,
) -> Result<Option<Deliverer>, webhooks::TlsError> {
    if !config.enabled {
        return Ok(None);
    }
    let fan_out = FanOutEvents {
        log: Arc::clone(&storage.events),
        endpoints: Arc::clone(&storage.webhook_endpoints),
        deliveries: Arc::clone(&storage.webhook_deliveries),
        renderer: Arc::new(JsonEventRenderer),
        ids: Arc::clone(&risk.ids),
        clock: Arc::clone(&risk.clock),
    };
    Deliverer::new(config, fan_out, Arc::new(SystemResolver::default()), registry).map(Some)
}

/// The lists of the storage, read once: to policies a list that is not known yet is `unavailable`.
async fn follow_lists(
    storage: &Storage,
    lists: Arc<SubjectLists>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<FollowedLists>, BuildError> {
    let followed = FollowedLists::new(Arc::clone(&storage.lists), lists, Arc::clone(clock));
    followed.refresh().await.map_err(BuildError::ListStore)?;
    Ok(Arc::new(followed))
}

fn render(registry: &RwLock<Registry>) -> String {
    let mut text = String::new();
    let registry = registry.read().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Err(error) = prometheus_client::encoding::text::encode(&mut text, &registry) {
        tracing::error!(%error, "the metrics cannot be rendered");
    }
    text
}
