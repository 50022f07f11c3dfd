//! No keys to the HTTP interface: what a database that does not keep them says.

use application::ports::{ApiKeyStore, ApiKeyStoreError, Page};
use async_trait::async_trait;
use domain::ApiKeyId;
use domain::access::ApiKey;

/// Says of everything that it cannot be done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoApiKeyStore;

impl NoApiKeyStore {
    fn refused() -> ApiKeyStoreError {
        ApiKeyStoreError::Unavailable {
            reason: "keys are kept in SQLite alone; with storage.kind = \"postgres\" set http.authentication = \"none\"".to_owned(),
        }
    }
}

#[async_trait]
impl ApiKeyStore for NoApiKeyStore {
    async fn save(&self, _: &mut ApiKey) -> Result<(), ApiKeyStoreError> {
        Err(Self::refused())
    }

    async fn find(&self, _: &ApiKeyId) -> Result<Option<ApiKey>, ApiKeyStoreError> {
        Err(Self::refused())
    }

    async fn list(&self, _: Option<&ApiKeyId>, _: usize) -> Result<Page<ApiKey>, ApiKeyStoreError> {
        Err(Self::refused())
    }

    async fn revision(&self) -> Result<u64, ApiKeyStoreError> {
        Err(Self::refused())
    }
}
