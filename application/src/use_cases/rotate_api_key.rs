//! Giving a key a new secret.

use std::sync::Arc;

use domain::ApiKeyId;
use thiserror::Error;

use super::create_api_key::{IssuedApiKey, new_secret, take_over};
use crate::api_keys::ApiKeyRing;
use crate::payment_times::later;
use crate::ports::{ApiKeySecrets, ApiKeyStore, ApiKeyStoreError, Clock, NoRandomness};

/// For how long the old secret may work on at most, in seconds: 30 days. Whoever needs longer wants two keys.
pub const MAX_GRACE_SECONDS: u64 = 30 * 24 * 3_600;

/// Why the key has no new secret.
#[derive(Debug, Error)]
pub enum RotateApiKeyError {
    /// There is no such key.
    #[error("there is no key `{id}`")]
    NotFound {
        /// The name.
        id: ApiKeyId,
    },
    /// It is revoked, or has expired.
    #[error("key `{id}` does not work any more; make a new one")]
    Ended {
        /// The name.
        id: ApiKeyId,
    },
    /// The old secret would work for too long.
    #[error("the old secret can work for {MAX_GRACE_SECONDS} more seconds at most")]
    GraceTooLong,
    /// No secret can be made.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// It could not be stored.
    #[error(transparent)]
    Store(#[from] ApiKeyStoreError),
}

/// Rotates keys.
#[derive(Clone)]
pub struct RotateApiKey {
    /// Where they are kept.
    pub store: Arc<dyn ApiKeyStore>,
    /// Makes secrets.
    pub secrets: Arc<dyn ApiKeySecrets>,
    /// Tells when.
    pub clock: Arc<dyn Clock>,
    /// Where the new secret works at once.
    pub ring: Arc<ApiKeyRing>,
}

impl RotateApiKey {
    /// Gives a key a new secret. The old one works for `grace_seconds` more; the one before that, where there still is one, ends now.
    ///
    /// # Errors
    /// When there is no such key, it does not work any more, or the change cannot be stored.
    pub async fn execute(
        &self,
        id: &ApiKeyId,
        grace_seconds: u64,
    ) -> Result<IssuedApiKey, RotateApiKeyError> {
        if grace_seconds > MAX_GRACE_SECONDS {
            return Err(RotateApiKeyError::GraceTooLong);
        }
        let found = self.store.find(id).await?;
        let mut key = found.ok_or_else(|| RotateApiKeyError::NotFound { id: id.clone() })?;
        let now = self.clock.now();
        if !key.is_valid_at(now) {
            return Err(RotateApiKeyError::Ended { id: id.clone() });
        }
        let (secret, token, last4) = new_secret(&*self.secrets, id)?;
        let digest = self.secrets.digest(&secret);
        key.rotate(digest, last4, now, later(now, grace_seconds * 1_000));
        self.store.save(&mut key).await?;
        take_over(&self.ring).await;
        Ok(IssuedApiKey { key, token })
    }
}
