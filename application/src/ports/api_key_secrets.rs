//! Names and secrets of keys.

use domain::ApiKeyId;
use domain::access::SecretDigest;
use thiserror::Error;

/// The system gives no random bytes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the system gives no random bytes: {reason}")]
pub struct NoRandomness {
    /// What the system said.
    pub reason: String,
}

/// Makes names and secrets, and what is kept of a secret.
pub trait ApiKeySecrets: Send + Sync {
    /// A new key's name: `key_` and 32 lower-case hexadecimal digits.
    fn api_key_id(&self) -> ApiKeyId;

    /// 256 bits that nobody can guess.
    ///
    /// # Errors
    /// MUST fail rather than make a secret of anything else than the system's randomness.
    fn secret(&self) -> Result<[u8; 32], NoRandomness>;

    /// The SHA-256 of a secret.
    fn digest(&self, secret: &[u8; 32]) -> SecretDigest;
}
