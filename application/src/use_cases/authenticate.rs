//! Telling whom a request is from.

use std::sync::Arc;

use thiserror::Error;

use crate::api_keys::{ApiKeyRing, ApiKeyToken, Caller, Recognized, TokenError};

/// Why it cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AuthenticateError {
    /// What was sent is no key.
    #[error(transparent)]
    NotAKey(#[from] TokenError),
    /// No key that works is the same.
    #[error("no key that works is the same")]
    Unknown,
    /// The keys could not be compared with the store for too long.
    #[error("the keys could not be compared with the store for too long")]
    OutOfDate,
}

/// Recognizes callers.
#[derive(Clone)]
pub struct Authenticate {
    /// The keys that work.
    pub ring: Arc<ApiKeyRing>,
}

impl Authenticate {
    /// Whom the key belongs to that was sent.
    ///
    /// # Errors
    /// When it is none, is not known, or nobody can tell now.
    pub fn execute(&self, sent: &str) -> Result<Arc<Caller>, AuthenticateError> {
        match self.ring.recognize(&ApiKeyToken::parse(sent)?) {
            Recognized::Caller(caller) => Ok(caller),
            Recognized::Unknown => Err(AuthenticateError::Unknown),
            Recognized::OutOfDate => Err(AuthenticateError::OutOfDate),
        }
    }
}
