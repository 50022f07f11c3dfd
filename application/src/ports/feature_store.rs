//! Facts about the past of a payment's subjects.

use async_trait::async_trait;
use domain::feature::{FeatureSpec, FeatureValue};
use domain::risk::RiskRequest;
use thiserror::Error;

/// How a payment that was observed ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettledAs {
    /// It was authorized.
    Approved,
    /// A policy, the acquirer or the issuer declined it. Not said of a payment that only did not reach the acquirer:
    /// that tells nothing about who pays.
    Declined,
}

/// The lookup failed or came too late; every feature of it is then `unavailable`, but for those that are
/// [at hand](FeatureStore::at_hand).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("features are unavailable: {reason}")]
pub struct FeatureStoreUnavailable {
    /// For the operator.
    pub reason: String,
}

/// Counts payments per subject, and knows lists.
#[async_trait]
pub trait FeatureStore: Send + Sync {
    /// Counts the payment as attempted and looks up the features, all in one step, so that two payments at the same
    /// time see each other. A payment counts once, however often it is observed. The values are in the order of the
    /// specs; a feature whose subject the payment does not have is `Unavailable`.
    ///
    /// # Errors
    /// When the store cannot be asked. MUST come within a bound of the store's own.
    async fn observe(
        &self,
        request: &RiskRequest<'_>,
        features: &[FeatureSpec],
    ) -> Result<Vec<FeatureValue>, FeatureStoreUnavailable>;

    /// What can be told of the features without asking anybody: what is left of them when they could not be observed. In the
    /// order of the specs; `Unavailable` where it cannot be told.
    fn at_hand(&self, _request: &RiskRequest<'_>, features: &[FeatureSpec]) -> Vec<FeatureValue> {
        vec![FeatureValue::Unavailable; features.len()]
    }

    /// Counts an observed payment as approved or declined too. A payment settles once; later calls change nothing.
    ///
    /// # Errors
    /// When the store cannot be asked.
    async fn settle(
        &self,
        request: &RiskRequest<'_>,
        settled: SettledAs,
    ) -> Result<(), FeatureStoreUnavailable>;
}
