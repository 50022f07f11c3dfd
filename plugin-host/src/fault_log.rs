//! Faults in the log: enough to mend the policy by, and no flood where every payment meets one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use domain::risk::{Fault, Outcome, PolicyIdentity};

/// One line of a release within so long, in milliseconds; the rest is counted.
const INTERVAL_MS: u64 = 1_000;

/// Logs the faults of one release.
#[derive(Debug)]
pub(crate) struct FaultLog(LogPace);

/// Lets one line of a kind through within an interval.
#[derive(Debug)]
pub(crate) struct LogPace {
    origin: Instant,
    /// When the next line may be written, in milliseconds since the origin.
    next_ms: AtomicU64,
    unlogged: AtomicU64,
}

impl FaultLog {
    /// Nothing was logged yet.
    pub(crate) fn new() -> Self {
        Self(LogPace::new())
    }

    /// Logs a fault, or counts it where one was logged just now.
    pub(crate) fn log(&self, policy: &PolicyIdentity, fault: &Fault, outcome: Outcome) {
        if let Some(unlogged) = self.0.admit() {
            tracing::warn!(
                policy.name = &*policy.name,
                policy.sequence = policy.sequence,
                policy.digest = &*policy.digest,
                fault = fault.kind.as_str(),
                outcome = outcome.as_str(),
                detail = &*fault.detail,
                unlogged,
                "the policy gave no answer; its failure mode decides"
            );
        }
    }
}

impl LogPace {
    /// Nothing was logged yet.
    pub(crate) fn new() -> Self {
        Self {
            origin: Instant::now(),
            next_ms: AtomicU64::new(0),
            unlogged: AtomicU64::new(0),
        }
    }

    /// Whether a line may be written now: if so, how many were not since the last one; if not, it is counted.
    pub(crate) fn admit(&self) -> Option<u64> {
        let now_ms = u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX);
        let unlogged = self.admit_at(now_ms);
        if unlogged.is_none() {
            self.unlogged.fetch_add(1, Ordering::Relaxed);
        }
        unlogged
    }

    fn admit_at(&self, now_ms: u64) -> Option<u64> {
        let next = self.next_ms.load(Ordering::Relaxed);
        let free = now_ms >= next
            && self
                .next_ms
                .compare_exchange(
                    next,
                    now_ms.saturating_add(INTERVAL_MS),
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                )
                .is_ok();
        free.then(|| self.unlogged.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_admitted_within_an_interval_and_the_rest_is_counted() {
        let log = LogPace::new();
        assert_eq!(log.admit_at(0), Some(0));
        assert_eq!(log.admit_at(INTERVAL_MS - 1), None);
        log.unlogged.fetch_add(3, Ordering::Relaxed);
        assert_eq!(log.admit_at(INTERVAL_MS), Some(3));
        assert_eq!(log.admit_at(2 * INTERVAL_MS), Some(0));
    }
}
