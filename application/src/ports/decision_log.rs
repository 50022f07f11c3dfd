//! Where bare decisions are written down, so that somebody can see why.

use std::sync::Arc;

use async_trait::async_trait;
use domain::risk::{Outcome, RiskDecision};
use domain::{CardSummary, DecisionId, MerchantId, Money, PaymentId, Timestamp};
use thiserror::Error;

use super::Page;

/// A decision that nothing was charged by, and what it was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedDecision {
    /// The payment that it is about; none of the gateway's.
    pub payment_id: PaymentId,
    /// Who asked.
    pub merchant_id: MerchantId,
    /// What was to be paid.
    pub amount: Money,
    /// What was to pay it, without its number.
    pub card: Option<CardSummary>,
    /// What was decided, and all that led to it.
    pub decision: RiskDecision,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// Which decisions are wanted; everything that is not said is any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionQuery {
    /// Whose.
    pub merchant: Option<MerchantId>,
    /// About which payment.
    pub payment: Option<PaymentId>,
    /// With which outcome.
    pub outcome: Option<Outcome>,
    /// Asked for at this time or later.
    pub created_from: Option<Timestamp>,
    /// Asked for before this time.
    pub created_before: Option<Timestamp>,
}

/// Behind which decision a page begins, in the order of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionCursor {
    /// When that decision was asked for.
    pub created_at: Timestamp,
    /// Its name.
    pub id: DecisionId,
}

/// Why decisions cannot be read.
#[derive(Debug, Error)]
pub enum DecisionLogError {
    /// The store did not answer.
    #[error("the decision log is unavailable: {reason}")]
    Unavailable {
        /// For the operator.
        reason: String,
    },
    /// What is stored is no decision that a gateway wrote.
    #[error("a stored decision is damaged: {reason}")]
    Corrupt {
        /// For the operator.
        reason: String,
    },
}

/// Keeps bare decisions for a while. They are of use to people, and no money depends on them: one may be lost, and whoever decides
/// never waits for them.
#[async_trait]
pub trait DecisionLog: Send + Sync {
    /// Takes a decision in. Called on the path of every bare decision: MUST return at once, without waiting for anybody and
    /// without work that grows with the decision. One that cannot be kept MUST be counted
    /// (`Telemetry::decision_not_recorded`). A second one of the same name changes nothing.
    fn record(&self, decided: Arc<RecordedDecision>);

    /// The decision of a name. What this process took in before is found, unless the store is so slow that it was not waited for.
    ///
    /// # Errors
    /// MUST return `Unavailable` when it cannot be told, and `Corrupt` for one that is not as it was written.
    async fn find(&self, id: &DecisionId) -> Result<Option<RecordedDecision>, DecisionLogError>;

    /// Decisions, the newest first: by when they were asked for, then by name. As for [`DecisionLog::find`], what was taken in
    /// before is among them. One that is taken in while somebody pages through may be on a page or not; no other one is ever left
    /// out or shown twice.
    ///
    /// # Errors
    /// As for [`DecisionLog::find`].
    async fn list(
        &self,
        query: &DecisionQuery,
        after: Option<&DecisionCursor>,
        limit: usize,
    ) -> Result<Page<RecordedDecision>, DecisionLogError>;
}
