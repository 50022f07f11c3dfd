//! Ending a key.

use std::sync::Arc;

use domain::ApiKeyId;
use domain::access::ApiKey;
use thiserror::Error;

use super::create_api_key::take_over;
use crate::api_keys::ApiKeyRing;
use crate::ports::{ApiKeyStore, ApiKeyStoreError, Clock};

/// How often a key is read anew that somebody else changes meanwhile: to revoke has to win against whoever rotates.
const MAX_READS: usize = 5;

/// Why the key still works.
#[derive(Debug, Error)]
pub enum RevokeApiKeyError {
    /// There is no such key.
    #[error("there is no key `{id}`")]
    NotFound {
        /// The name.
        id: ApiKeyId,
    },
    /// It could not be stored.
    #[error(transparent)]
    Store(#[from] ApiKeyStoreError),
}

/// Revokes keys.
#[derive(Clone)]
pub struct RevokeApiKey {
    /// Where they are kept.
    pub store: Arc<dyn ApiKeyStore>,
    /// Tells when.
    pub clock: Arc<dyn Clock>,
    /// Where the key stops working at once.
    pub ring: Arc<ApiKeyRing>,
}

impl RevokeApiKey {
    /// Ends a key for good, both secrets of it. One that is revoked stays as it is.
    ///
    /// # Errors
    /// When there is no such key, or the change cannot be stored.
    pub async fn execute(&self, id: &ApiKeyId) -> Result<ApiKey, RevokeApiKeyError> {
        let mut reads = 1;
        let key = loop {
            let found = self.store.find(id).await?;
            let mut key = found.ok_or_else(|| RevokeApiKeyError::NotFound { id: id.clone() })?;
            if key.revoked_at.is_some() {
                break key;
            }
            key.revoke(self.clock.now());
            match self.store.save(&mut key).await {
                Ok(()) => break key,
                Err(ApiKeyStoreError::Conflict { .. }) if reads < MAX_READS => reads += 1,
                Err(error) => return Err(error.into()),
            }
        };
        take_over(&self.ring).await;
        Ok(key)
    }
}
