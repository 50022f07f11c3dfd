//! The feature store in memory: the contract, its bounds, and the same answers as a plain list of payments.

#![expect(
    clippy::unwrap_used,
    reason = "this is test code: what is not as it was built is a defect of the test"
)]

mod bounds;
mod contract;
mod counting;
mod fuzz_corpus;
mod model;

use domain::feature::{FeatureSpec, FeatureValue, PaymentFilter, Subject, VelocityMeasure};
use portcullis_features::{Config, MemoryFeatureStore};
use testkit::builders::OwnedRiskRequest;

fn store(config: &Config) -> MemoryFeatureStore {
    MemoryFeatureStore::new(config).unwrap()
}

fn attempts(subject: Subject, window_seconds: u32) -> FeatureSpec {
    FeatureSpec::Velocity {
        subject,
        measure: VelocityMeasure::Count,
        filter: PaymentFilter::Attempted,
        window_seconds,
    }
}

async fn value(store: &MemoryFeatureStore, request: &OwnedRiskRequest, feature: FeatureSpec) -> FeatureValue {
    use application::ports::FeatureStore as _;
    let values = store.observe(&request.borrow(), &[feature]).await.unwrap();
    values.into_iter().next().unwrap()
}
