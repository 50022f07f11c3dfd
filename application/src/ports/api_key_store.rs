//! Where keys to the HTTP interface are kept.

use async_trait::async_trait;
use domain::ApiKeyId;
use domain::access::ApiKey;
use thiserror::Error;

use super::Page;

/// Why a key was not read or written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ApiKeyStoreError {
    /// A new key has the name of another.
    #[error("there is a key `{id}` already")]
    AlreadyExists {
        /// The name.
        id: ApiKeyId,
    },
    /// Somebody else changed the key since it was read.
    #[error("key `{id}` was changed by somebody else")]
    Conflict {
        /// The name.
        id: ApiKeyId,
    },
    /// The store does not answer, or what it holds is damaged.
    #[error("the keys cannot be reached: {reason}")]
    Unavailable {
        /// For the operator.
        reason: String,
    },
}

/// Keeps keys. None is ever deleted: who did what stays told.
#[async_trait]
pub trait ApiKeyStore: Send + Sync {
    /// Stores a key: a new one (`version` 0), or over the version that it was read in. Raises its version by one, in the store and
    /// in `key`, and [`revision`](Self::revision) with it in the same transaction.
    ///
    /// # Errors
    /// - MUST return `AlreadyExists` for a new key whose name is taken, and change nothing.
    /// - MUST return `Conflict` where the stored version is another, or there is none, and change nothing.
    /// - MUST return `Unavailable` when it cannot be told whether it is stored.
    async fn save(&self, key: &mut ApiKey) -> Result<(), ApiKeyStoreError>;

    /// The key of a name.
    ///
    /// # Errors
    /// MUST return `Unavailable` when it cannot be read.
    async fn find(&self, id: &ApiKeyId) -> Result<Option<ApiKey>, ApiKeyStoreError>;

    /// Keys in the order of their names, behind one; at most `limit`.
    ///
    /// # Errors
    /// MUST return `Unavailable` when they cannot be read.
    async fn list(&self, after: Option<&ApiKeyId>, limit: usize) -> Result<Page<ApiKey>, ApiKeyStoreError>;

    /// A number that is higher after every change of any key, by whichever gateway. Asked for every half second, so it has to be
    /// cheap.
    ///
    /// # Errors
    /// MUST return `Unavailable` when it cannot be read.
    async fn revision(&self) -> Result<u64, ApiKeyStoreError>;
}
