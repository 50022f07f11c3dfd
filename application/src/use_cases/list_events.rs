//! Going through what happened to payments.

use std::sync::Arc;

use domain::MerchantId;

use crate::ports::{EventLog, Page, RepositoryError, StoredEvent};

/// Why there are no events to show.
pub type ListEventsError = RepositoryError;

/// Lists events.
#[derive(Clone)]
pub struct ListEvents {
    /// Where they are kept.
    pub log: Arc<dyn EventLog>,
}

impl ListEvents {
    /// Events behind a position, in order; those of one merchant, or all.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn execute(
        &self,
        position: u64,
        merchant: Option<&MerchantId>,
        limit: usize,
    ) -> Result<Page<StoredEvent>, ListEventsError> {
        self.log.events_after(position, merchant, limit).await
    }
}
