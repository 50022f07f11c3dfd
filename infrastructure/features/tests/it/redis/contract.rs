//! What every feature store owes.

use std::sync::Arc;

use application::ports::FeatureStore;
use testkit::redis::Redis;

use super::{config, shared, store};

async fn open() -> Option<(Arc<dyn FeatureStore>, Arc<Redis>)> {
    let redis = shared().await?;
    Some((Arc::new(store(&config(&redis))), redis))
}

testkit::feature_store_contract!(open);
