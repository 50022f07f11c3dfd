//! Making a key.

use std::sync::Arc;

use domain::access::{ApiKey, ApiKeyName, Grant};
use domain::text::BoundedText;
use domain::{ApiKeyId, Timestamp};
use thiserror::Error;

use crate::api_keys::{ApiKeyRing, ApiKeyToken};
use crate::ports::{ApiKeySecrets, ApiKeyStore, ApiKeyStoreError, Clock, NoRandomness};

/// What the key is to be.
#[derive(Clone, Debug)]
pub struct CreateApiKeyCommand {
    /// What its owner calls it.
    pub name: ApiKeyName,
    /// What it is good for.
    pub grant: Grant,
    /// From when on it does not work any more.
    pub expires_at: Option<Timestamp>,
}

/// Why there is no key.
#[derive(Debug, Error)]
pub enum CreateApiKeyError {
    /// It would not work at any time.
    #[error("the key would have expired before it is made")]
    ExpiresInThePast,
    /// No secret can be made.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// It could not be stored.
    #[error(transparent)]
    Store(#[from] ApiKeyStoreError),
}

/// A key with the text that opens the door. It is shown once: nobody can make it out of what is stored.
pub struct IssuedApiKey {
    /// The key as it is stored.
    pub key: ApiKey,
    /// What goes behind `Authorization: Bearer`.
    pub token: String,
}

/// Makes keys.
#[derive(Clone)]
pub struct CreateApiKey {
    /// Where they are kept.
    pub store: Arc<dyn ApiKeyStore>,
    /// Makes secrets.
    pub secrets: Arc<dyn ApiKeySecrets>,
    /// Tells when.
    pub clock: Arc<dyn Clock>,
    /// Where the key works at once.
    pub ring: Arc<ApiKeyRing>,
}

impl CreateApiKey {
    /// Makes a key.
    ///
    /// # Errors
    /// When it cannot be, no secret can be made, or it cannot be stored.
    pub async fn execute(&self, command: CreateApiKeyCommand) -> Result<IssuedApiKey, CreateApiKeyError> {
        let now = self.clock.now();
        if command.expires_at.is_some_and(|end| end <= now) {
            return Err(CreateApiKeyError::ExpiresInThePast);
        }
        let id = self.secrets.api_key_id();
        let (secret, token, last4) = new_secret(&*self.secrets, &id)?;
        let mut key = ApiKey {
            id,
            name: command.name,
            grant: command.grant,
            digest: self.secrets.digest(&secret),
            last4,
            previous: None,
            created_at: now,
            rotated_at: now,
            expires_at: command.expires_at,
            revoked_at: None,
            version: 0,
        };
        self.store.save(&mut key).await?;
        take_over(&self.ring).await;
        Ok(IssuedApiKey { key, token })
    }
}

/// A secret, the key's text with it, and how that ends.
pub(super) fn new_secret(
    secrets: &dyn ApiKeySecrets,
    id: &ApiKeyId,
) -> Result<([u8; 32], String, BoundedText<4>), NoRandomness> {
    let secret = secrets.secret()?;
    let no_token = || NoRandomness {
        reason: format!("`{id}` is no name that a key can be made of"),
    };
    let token = ApiKeyToken::write(id, &secret).ok_or_else(no_token)?;
    let last4 = token.get(token.len().saturating_sub(4)..).unwrap_or_default();
    let last4 = BoundedText::parse(last4).map_err(|_| no_token())?;
    Ok((secret, token, last4))
}

/// Has this gateway know at once; the others ask within a second, and so does this one where it fails.
pub(super) async fn take_over(ring: &ApiKeyRing) {
    if let Err(error) = ring.refresh().await {
        tracing::warn!(%error, "the change of an API key counts with the next refresh");
    }
}
