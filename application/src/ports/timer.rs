//! Waiting.

use std::time::Duration;

use async_trait::async_trait;

/// Lets a use case wait before it tries again. Tests write the pauses down and go on at once.
#[async_trait]
pub trait Timer: Send + Sync {
    /// Comes back when that much time has passed. Must hold up no other task meanwhile.
    async fn pause(&self, duration: Duration);
}
