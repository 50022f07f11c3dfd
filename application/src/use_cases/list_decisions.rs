//! Going through bare decisions, page by page.

use std::sync::Arc;

use crate::ports::{DecisionCursor, DecisionLog, DecisionLogError, DecisionQuery, Page, RecordedDecision};

/// Why there is no page.
pub type ListDecisionsError = DecisionLogError;

/// Lists decisions.
#[derive(Clone)]
pub struct ListDecisions {
    /// Where they are kept.
    pub log: Arc<dyn DecisionLog>,
}

impl ListDecisions {
    /// A page of decisions, the newest first.
    ///
    /// # Errors
    /// When the log does not answer, or one of them is stored damaged.
    pub async fn execute(
        &self,
        query: &DecisionQuery,
        after: Option<&DecisionCursor>,
        limit: usize,
    ) -> Result<Page<RecordedDecision>, ListDecisionsError> {
        self.log.list(query, after, limit).await
    }
}
