//! Whether a policy is quick enough to run on the payment's own thread.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How long a guest may hold the payment's own thread, in milliseconds. Two hundred times what a policy in Rust takes, and
/// short enough that nobody notices a worker that is held once.
pub(crate) const SLICE_MS: u32 = 2;

/// After so many quick runs in a row on the lane a policy is trusted with the payment's thread again.
const QUICK_RUNS: u32 = 64;

/// A run is quick when it ends well within the slice.
const QUICK: Duration = Duration::from_micros(SLICE_MS as u64 * 1000 / 2);

/// Remembers how a release ran of late. Zero: it is quick; otherwise how many quick runs it still owes.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    owed: AtomicU32,
}

impl Pace {
    /// Whether the policy belongs on the lane.
    pub(crate) fn is_slow(&self) -> bool {
        self.owed.load(Ordering::Relaxed) > 0
    }

    /// It was interrupted on a payment's thread.
    pub(crate) fn was_interrupted(&self) {
        self.owed.store(QUICK_RUNS, Ordering::Relaxed);
    }

    /// It ended on the lane after so long.
    pub(crate) fn took(&self, elapsed: Duration) {
        if elapsed > QUICK {
            self.was_interrupted();
        } else {
            let pay = |owed: u32| owed.checked_sub(1);
            // Nothing is owed any more: nothing to be paid.
            let _paid = self.owed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_policy_earns_its_way_back_by_quick_runs() {
        let pace = Pace::default();
        assert!(!pace.is_slow());
        pace.was_interrupted();
        for _ in 0..QUICK_RUNS {
            assert!(pace.is_slow());
            pace.took(Duration::from_micros(20));
        }
        assert!(!pace.is_slow());
        pace.took(Duration::ZERO);
        assert!(!pace.is_slow());
    }

    #[test]
    fn one_slow_run_starts_the_count_anew() {
        let pace = Pace::default();
        pace.was_interrupted();
        for _ in 1..QUICK_RUNS {
            pace.took(Duration::from_micros(20));
        }
        pace.took(Duration::from_millis(5));
        pace.took(Duration::from_micros(20));
        assert!(pace.is_slow());
    }
}
