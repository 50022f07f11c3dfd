//! Telling the operator of requests that were not let in, without filling his disk.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// How long after a line the next one may come, in milliseconds. Whoever tries keys sends thousands a second.
const PAUSE_MS: u64 = 1_000;

/// At most one line a second; those that were left out are counted in the next.
pub(crate) struct RefusalLog {
    started: Instant,
    next_ms: AtomicU64,
    left_out: AtomicU64,
}

impl RefusalLog {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            next_ms: AtomicU64::new(0),
            left_out: AtomicU64::new(0),
        }
    }

    /// Never with what was sent.
    pub(crate) fn tell(&self, reason: &'static str, route: &'static str) {
        let now_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        if let Some(left_out) = self.turn(now_ms) {
            tracing::warn!(
                access.reason = reason,
                http.route = route,
                access.left_out = left_out,
                "a request was not let in"
            );
        }
    }

    /// How many lines were left out, where it is time for one.
    fn turn(&self, now_ms: u64) -> Option<u64> {
        let next_ms = self.next_ms.load(Ordering::Relaxed);
        let takes_it = now_ms >= next_ms
            && self
                .next_ms
                .compare_exchange(
                    next_ms,
                    now_ms.saturating_add(PAUSE_MS),
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                )
                .is_ok();
        if takes_it {
            Some(self.left_out.swap(0, Ordering::Relaxed))
        } else {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_line_a_second_and_it_counts_the_others() {
        let log = RefusalLog::new();
        assert_eq!(log.turn(0), Some(0));
        for now_ms in [1, 500, 999] {
            assert_eq!(log.turn(now_ms), None);
        }
        assert_eq!(log.turn(1_000), Some(3));
        assert_eq!(log.turn(5_000), Some(0));
    }
}
