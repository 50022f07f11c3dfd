//! Waiting, on the runtime's timer.

use std::time::Duration;

use application::ports::Timer;
use async_trait::async_trait;

/// Waits on the timer of Tokio; to be called on its runtime.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioTimer;

#[async_trait]
impl Timer for TokioTimer {
    async fn pause(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pause_lasts_as_long_as_it_was_asked_to() {
        let started = tokio::time::Instant::now();
        TokioTimer.pause(Duration::from_secs(3)).await;
        assert_eq!(started.elapsed().as_secs(), 3);
    }
}
