//! The feature stores in memory and in Redis: the contract, their bounds, and the same answers as a plain list of payments; and
//! lists that are followed.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "this is test code: what is not as it was built is a defect of the test"
)]

mod bounds;
mod contract;
mod counting;
mod followed_lists;
mod fuzz_corpus;
mod model;
mod past;
mod redis;

use std::collections::BTreeMap;

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

/// The list `blocked`, with an entry for each of some subjects.
fn lists_of(entries: &[(&str, &str)]) -> BTreeMap<String, BTreeMap<String, Vec<String>>> {
    let entries = entries
        .iter()
        .map(|(subject, entry)| ((*subject).to_owned(), vec![(*entry).to_owned()]));
    BTreeMap::from([("blocked".to_owned(), entries.collect())])
}
