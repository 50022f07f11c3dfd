//! Reading one bare decision.

use std::sync::Arc;

use domain::DecisionId;
use thiserror::Error;

use crate::ports::{DecisionLog, DecisionLogError, RecordedDecision};

/// Why there is no decision to show.
#[derive(Debug, Error)]
pub enum GetDecisionError {
    /// No decision of this name is kept.
    #[error("there is no decision `{id}`")]
    NotFound {
        /// The name.
        id: DecisionId,
    },
    /// The log did not answer.
    #[error(transparent)]
    Log(#[from] DecisionLogError),
}

/// Reads decisions.
#[derive(Clone)]
pub struct GetDecision {
    /// Where they are kept.
    pub log: Arc<dyn DecisionLog>,
}

impl GetDecision {
    /// The decision of a name.
    ///
    /// # Errors
    /// When none is kept, or the log does not answer.
    pub async fn execute(&self, id: &DecisionId) -> Result<RecordedDecision, GetDecisionError> {
        self.log
            .find(id)
            .await?
            .ok_or_else(|| GetDecisionError::NotFound { id: id.clone() })
    }
}
