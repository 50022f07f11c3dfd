//! Where webhooks may be sent to.

use std::fmt;

use thiserror::Error;

/// A URL that was found allowed when it was set, in the spelling of the URL standard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookUrl(Box<str>);

impl WebhookUrl {
    /// The longest URL taken, in bytes.
    pub const MAX_BYTES: usize = 2_048;

    /// A URL that a policy has allowed, or one that was and comes back from the store.
    #[must_use]
    pub fn allowed(text: &str) -> Self {
        Self(text.into())
    }

    /// The URL as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a URL is not sent to. The text is for whoever set it, and repeats nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{expected}")]
pub struct WebhookUrlRefused {
    /// What would be right.
    pub expected: String,
}

/// Says of a URL, by its text alone, whether webhooks may be sent there. What its name leads to is looked at when it is
/// connected to.
pub trait WebhookUrlPolicy: Send + Sync {
    /// The URL, if it is allowed.
    ///
    /// # Errors
    /// MUST say what would be right where it is not.
    fn check(&self, text: &str) -> Result<WebhookUrl, WebhookUrlRefused>;
}
