//! What webhooks are signed with.

use std::fmt;

use super::NoRandomness;

/// The length of a secret in bytes. Standard Webhooks allows 24 to 64; this is as much as HMAC-SHA256 makes use of.
pub const WEBHOOK_SECRET_BYTES: usize = 32;

/// The key of an endpoint. Never logged, and shown to its merchant once, when it is made.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret([u8; WEBHOOK_SECRET_BYTES]);

impl WebhookSecret {
    /// A secret of these bytes, which nobody can guess.
    #[must_use]
    pub const fn new(bytes: [u8; WEBHOOK_SECRET_BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes, to sign with, to store, and to show that one time.
    #[must_use]
    pub const fn expose(&self) -> &[u8; WEBHOOK_SECRET_BYTES] {
        &self.0
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// Makes secrets.
pub trait WebhookSecretGenerator: Send + Sync {
    /// A secret that nobody has and nobody can guess.
    ///
    /// # Errors
    /// MUST return `NoRandomness` where it could be guessed.
    fn webhook_secret(&self) -> Result<WebhookSecret, NoRandomness>;
}
