//! What the use cases need of the world, one trait a file. The obligations under `# Errors` are what the contract
//! suites in `testkit` ask of every adapter.

mod acquirer;
mod card_fingerprinter;
mod clock;
mod feature_store;
mod id_generator;
mod payment_repository;
mod risk_policy_engine;
mod telemetry;
mod timer;

pub use acquirer::{Acquirer, AcquirerAnswer, AcquirerError, AuthorizationRequest};
pub use card_fingerprinter::CardFingerprinter;
pub use clock::Clock;
pub use feature_store::{FeatureStore, FeatureStoreUnavailable, SettledAs};
pub use id_generator::IdGenerator;
pub use payment_repository::{PaymentRepository, RepositoryError};
pub use risk_policy_engine::{
    PolicySnapshot, PolicyStatus, QuarantineInForce, RefusedRelease, ReleaseInForce, RetirementInForce,
    RiskPolicyEngine,
};
pub use telemetry::Telemetry;
pub use timer::Timer;
