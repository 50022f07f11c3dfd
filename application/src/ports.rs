//! What the use cases need of the world, one trait a file. The obligations under `# Errors` are what the contract
//! suites in `testkit` ask of every adapter.

mod acquirer;
mod api_key_secrets;
mod api_key_store;
mod card_fingerprinter;
mod clock;
mod event_log;
mod event_renderer;
mod feature_store;
mod id_generator;
mod idempotency;
mod list_store;
mod payment_catalog;
mod payment_repository;
mod request_digester;
mod risk_policy_engine;
mod telemetry;
mod timer;
mod webhook_delivery_store;
mod webhook_endpoint_store;
mod webhook_secret;
mod webhook_url_policy;

pub use acquirer::{
    Acquirer, AcquirerAnswer, AcquirerError, AuthorizationRequest, CardKept, CardSource, FollowUpRequest,
    InquiryAnswer, KeepCardRequest, PayerAuthentication,
};
pub use api_key_secrets::{ApiKeySecrets, NoRandomness};
pub use api_key_store::{ApiKeyStore, ApiKeyStoreError};
pub use card_fingerprinter::CardFingerprinter;
pub use clock::Clock;
pub use event_log::{EventLog, StoredEvent};
pub use event_renderer::EventRenderer;
pub use feature_store::{FeatureStore, FeatureStoreUnavailable, SettledAs};
pub use id_generator::IdGenerator;
pub use idempotency::{IdempotencyKey, KeyEntry, KeyWrite, RequestDigest, StoredAnswer};
pub use list_store::{
    ListChange, ListChanges, ListCursor, ListStore, ListStoreError, MAX_LIST_ITEMS, MAX_LISTS, Removed,
};
pub use payment_catalog::{Page, PageCursor, PaymentCatalog, PaymentQuery};
pub use payment_repository::{PaymentRepository, RepositoryError};
pub use request_digester::RequestDigester;
pub use risk_policy_engine::{
    CandidateAnswer, CandidateDifference, CandidateOnTrial, PolicySnapshot, PolicyStatus, QuarantineInForce,
    RefusedRelease, ReleaseInForce, RetirementInForce, RiskPolicyEngine, SentBackCandidate,
};
pub use telemetry::Telemetry;
pub use timer::Timer;
pub use webhook_delivery_store::{
    AttemptEnd, AttemptNext, ClaimedDeliveries, ClaimedDelivery, DeliveryAttempt, DeliveryCursor,
    DeliveryQuery, DeliveryState, Enqueued, NewDelivery, Replayed, StoredDelivery, WebhookDeliveryStore,
};
pub use webhook_endpoint_store::{
    DisabledReason, EndpointChange, EndpointStatus, EventFilter, NewEndpoint, PreviousSecret,
    WebhookEndpoint, WebhookEndpointStore, WebhookStoreUnavailable,
};
pub use webhook_secret::{WEBHOOK_SECRET_BYTES, WebhookSecret, WebhookSecretGenerator};
pub use webhook_url_policy::{WebhookUrl, WebhookUrlPolicy, WebhookUrlRefused};
