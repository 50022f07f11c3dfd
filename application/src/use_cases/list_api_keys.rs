//! Going through the keys.

use std::sync::Arc;

use domain::ApiKeyId;
use domain::access::ApiKey;

use crate::ports::{ApiKeyStore, ApiKeyStoreError, Page};

/// Why there is no page.
pub type ListApiKeysError = ApiKeyStoreError;

/// Lists keys, also those that do not work any more. Nothing of a secret is among it.
#[derive(Clone)]
pub struct ListApiKeys {
    /// Where they are kept.
    pub store: Arc<dyn ApiKeyStore>,
}

impl ListApiKeys {
    /// A page of keys, by name, which is the order in which they were made.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn execute(
        &self,
        after: Option<&ApiKeyId>,
        limit: usize,
    ) -> Result<Page<ApiKey>, ListApiKeysError> {
        self.store.list(after, limit).await
    }
}
