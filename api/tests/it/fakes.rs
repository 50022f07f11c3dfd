//! The world as a test wants it: a clock that stands still, an acquirer that says what it is told to, a repository in
//! memory, a policy engine with a script.

// By its path, because the fuzz targets take this file in by its own.
#[path = "fakes/acquirer.rs"]
mod acquirer;
#[path = "fakes/engine.rs"]
pub(crate) mod engine;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use application::api_keys::ApiKeyRing;
use application::operation_runner::OperationRunner;
use application::ports::{
    CardFingerprinter, Clock, FeatureStore, FeatureStoreUnavailable, IdGenerator, IdempotencyKey, KeyEntry,
    KeyWrite, PaymentRepository, RepositoryError, SettledAs, Telemetry, Timer, WebhookUrl, WebhookUrlPolicy,
    WebhookUrlRefused,
};
use application::risk_assessment::RiskAssessment;
use async_trait::async_trait;
use domain::feature::{FeatureSpec, FeatureValue};
use domain::payment::{OperationKind, OperationStatus, PaymentStatus};
use domain::risk::{Outcome, RiskDecision, RiskRequest};
use domain::{
    CardNumber, DecisionId, MerchantId, OperationId, Payment, PaymentId, Timestamp, WebhookDeliveryId,
    WebhookEndpointId,
};
use portcullis_api::{Api, ApiParts, ApiState, Config, HttpMetrics, ThisNode, WebhookParts};
use prometheus_client::registry::Registry;
use testkit::fakes::{
    CountingApiKeySecrets, CountingWebhookSecrets, InMemoryApiKeyStore, InMemoryDecisionLog,
    InMemoryListStore, InMemoryPaymentRepository, InMemoryWebhookStore, PlainCardFingerprinter,
};

pub(crate) use acquirer::ScriptedAcquirer;
pub(crate) use engine::{ScriptedEngine, verdict};

/// 2026-03-01T08:30:00.250Z.
pub(crate) const NOW: Timestamp = Timestamp::from_unix_millis(1_772_353_800_250);

pub(crate) struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        NOW
    }
}

#[derive(Default)]
pub(crate) struct CountingIds(AtomicU64);

impl CountingIds {
    fn next(&self, prefix: &str) -> String {
        format!("{prefix}_{}", self.0.fetch_add(1, Ordering::SeqCst) + 1)
    }
}

impl IdGenerator for CountingIds {
    fn payment_id(&self) -> PaymentId {
        PaymentId::parse(&self.next("pay")).unwrap()
    }

    fn decision_id(&self) -> DecisionId {
        DecisionId::parse(&self.next("dec")).unwrap()
    }

    fn operation_id(&self) -> OperationId {
        OperationId::parse(&self.next("op")).unwrap()
    }

    fn webhook_endpoint_id(&self) -> WebhookEndpointId {
        WebhookEndpointId::parse(&self.next("we")).unwrap()
    }

    fn webhook_delivery_id(&self) -> WebhookDeliveryId {
        WebhookDeliveryId::parse(&self.next("whd")).unwrap()
    }
}

/// Allows URLs that begin with `https://`.
struct HttpsAlone;

impl WebhookUrlPolicy for HttpsAlone {
    fn check(&self, text: &str) -> Result<WebhookUrl, WebhookUrlRefused> {
        let allowed = text.starts_with("https://").then(|| WebhookUrl::allowed(text));
        allowed.ok_or_else(|| WebhookUrlRefused {
            expected: "expected a URL that begins with `https://`".to_owned(),
        })
    }
}

pub(crate) struct LastFour;

impl CardFingerprinter for LastFour {
    fn fingerprint(&self, number: &CardNumber) -> Box<str> {
        format!("fp-of-{}", number.last4()).into()
    }
}

/// Waits for nothing.
pub(crate) struct Impatient;

#[async_trait]
impl Timer for Impatient {
    async fn pause(&self, _duration: std::time::Duration) {}
}

pub(crate) struct NoFeatures;

#[async_trait]
impl FeatureStore for NoFeatures {
    async fn observe(
        &self,
        _request: &RiskRequest<'_>,
        features: &[FeatureSpec],
    ) -> Result<Vec<FeatureValue>, FeatureStoreUnavailable> {
        Ok(vec![FeatureValue::Unavailable; features.len()])
    }

    async fn settle(
        &self,
        _request: &RiskRequest<'_>,
        _settled: SettledAs,
    ) -> Result<(), FeatureStoreUnavailable> {
        Ok(())
    }
}

pub(crate) struct Silent;

impl Telemetry for Silent {
    fn decision_made(&self, _decision: &RiskDecision, _elapsed_ns: u64) {}
    fn decision_not_recorded(&self) {}
    fn features_unavailable(&self) {}
    fn operation_finished(&self, _kind: OperationKind, _status: OperationStatus, _elapsed_ns: u64) {}
    fn answer_not_stored(&self) {}
    fn payment_finished(&self, _status: PaymentStatus) {}
}

/// Keeps payments in memory; told to, fails the saves that follow.
#[derive(Default)]
pub(crate) struct MemoryRepository {
    payments: Arc<InMemoryPaymentRepository>,
    failures: Mutex<VecDeque<Option<RepositoryError>>>,
}

impl MemoryRepository {
    /// What the next saves and reads meet: an error, or nothing special.
    pub(crate) fn then(&self, failure: Option<RepositoryError>) {
        self.failures.lock().unwrap().push_back(failure);
    }

    pub(crate) fn statuses(&self) -> Vec<&'static str> {
        let records = self.payments.records();
        records.iter().map(|record| record.status.as_str()).collect()
    }

    fn meet(&self) -> Result<(), RepositoryError> {
        self.failures
            .lock()
            .unwrap()
            .pop_front()
            .flatten()
            .map_or(Ok(()), Err)
    }
}

pub(crate) fn unavailable() -> RepositoryError {
    RepositoryError::Unavailable {
        reason: "disk /var/lib/secret-path is full".to_owned(),
    }
}

#[async_trait]
impl PaymentRepository for MemoryRepository {
    async fn save_with_key(
        &self,
        payment: &mut Payment,
        key: Option<KeyWrite<'_>>,
    ) -> Result<(), RepositoryError> {
        self.meet()?;
        self.payments.save_with_key(payment, key).await
    }

    async fn find(&self, id: &PaymentId) -> Result<Option<Payment>, RepositoryError> {
        self.meet()?;
        self.payments.find(id).await
    }

    async fn find_key(
        &self,
        tenant: &MerchantId,
        key: &IdempotencyKey,
    ) -> Result<Option<KeyEntry>, RepositoryError> {
        self.meet()?;
        self.payments.find_key(tenant, key).await
    }

    async fn check(&self) -> Result<(), RepositoryError> {
        self.meet()
    }
}

/// Every fake, and the interface over them.
pub(crate) struct World {
    pub(crate) acquirer: Arc<ScriptedAcquirer>,
    pub(crate) repository: Arc<MemoryRepository>,
    pub(crate) engine: Arc<ScriptedEngine>,
    pub(crate) lists: Arc<InMemoryListStore>,
    pub(crate) decisions: Arc<InMemoryDecisionLog>,
    pub(crate) key_store: Arc<InMemoryApiKeyStore>,
    pub(crate) key_secrets: Arc<CountingApiKeySecrets>,
    pub(crate) ring: Arc<ApiKeyRing>,
    pub(crate) webhooks: Arc<InMemoryWebhookStore>,
    registry: Arc<Mutex<Registry>>,
    metrics: HttpMetrics,
}

impl World {
    /// One policy that approves, an acquirer that approves, nothing stored.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::default();
        let metrics = HttpMetrics::register(&mut registry);
        let engine = Arc::new(ScriptedEngine::default());
        engine.put(vec![verdict("velocity-limit", Outcome::Approve, 120)]);
        let key_store = Arc::new(InMemoryApiKeyStore::default());
        let key_secrets = Arc::new(CountingApiKeySecrets::default());
        let ring = ApiKeyRing::new(key_store.clone(), key_secrets.clone(), Arc::new(FixedClock));
        let repository = Arc::new(MemoryRepository::default());
        Self {
            ring: Arc::new(ring),
            key_store,
            key_secrets,
            acquirer: Arc::new(ScriptedAcquirer::new()),
            webhooks: Arc::new(InMemoryWebhookStore::beside(Arc::clone(&repository.payments))),
            repository,
            engine,
            lists: Arc::default(),
            decisions: Arc::default(),
            registry: Arc::new(Mutex::new(registry)),
            metrics,
        }
    }

    pub(crate) fn api(&self) -> Api {
        self.api_with(&Config::for_tests())
    }

    pub(crate) fn api_with(&self, config: &Config) -> Api {
        Api::new(config, self.state())
    }

    pub(crate) fn state(&self) -> ApiState {
        let risk = RiskAssessment {
            engine: self.engine.clone(),
            features: Arc::new(NoFeatures),
            ids: Arc::new(CountingIds::default()),
            clock: Arc::new(FixedClock),
            telemetry: Arc::new(Silent),
        };
        let runner = OperationRunner {
            payments: self.repository.clone(),
            acquirer: self.acquirer.clone(),
            features: risk.features.clone(),
            clock: risk.clock.clone(),
            timer: Arc::new(Impatient),
            telemetry: risk.telemetry.clone(),
            times: Arc::default(),
        };
        let registry = Arc::clone(&self.registry);
        let parts = ApiParts {
            api_keys: self.ring.clone(),
            risk,
            runner,
            fingerprinter: Arc::new(LastFour),
            digester: Arc::new(PlainCardFingerprinter),
            engine: self.engine.clone(),
            catalog: self.repository.payments.clone(),
            events: self.repository.payments.clone(),
            lists: self.lists.clone(),
            decisions: self.decisions.clone(),
            node: ThisNode {
                id: "node-1".into(),
                version: "1.2.3",
                started_at: NOW,
            },
            webhooks: WebhookParts {
                endpoints: self.webhooks.clone(),
                deliveries: self.webhooks.clone(),
                urls: Arc::new(HttpsAlone),
                secrets: Arc::new(CountingWebhookSecrets::default()),
            },
        };
        ApiState::new(
            parts,
            self.metrics.clone(),
            Arc::new(move || {
                let mut text = String::new();
                prometheus_client::encoding::text::encode(&mut text, &registry.lock().unwrap()).unwrap();
                text
            }),
        )
    }
}
