//! Whether a policy is quick enough to run on the payment's own thread.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How long a guest may hold the payment's own thread, in milliseconds. Two hundred times what a policy in Rust takes, and
/// short enough that nobody notices a worker that is held once.
pub(crate) const SLICE_MS: u32 = 2;

/// How much fuel it may use there: about what the slice has time for. It stops what time does not: one instruction over much
/// memory is not interrupted once it runs, and is charged by the byte before it begins.
pub(crate) const SLICE_FUEL: u64 = 4_000_000;

/// After so many quick runs in a row on the lane a policy is trusted with the payment's thread again.
pub(crate) const QUICK_RUNS: u32 = 64;

/// A run is quick when it ends well within the slice.
pub(crate) const QUICK: Duration = Duration::from_micros(SLICE_MS as u64 * 1000 / 2);

/// Evaluations of one release that may wait for the lane or be on it: a fraction of what the lane holds, so that one policy
/// that burns its deadline leaves room for the others.
pub(crate) const MAX_IN_LANE: u32 = 64;

/// Remembers how a release ran of late.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Zero: it is quick; otherwise how many quick runs it still owes.
    owed: AtomicU32,
    in_lane: AtomicU32,
}

/// One evaluation's place; given back when dropped.
#[derive(Debug)]
pub(crate) struct LanePlace<'a>(&'a AtomicU32);

impl Drop for LanePlace<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pace {
    /// Whether the policy belongs on the lane.
    pub(crate) fn is_slow(&self) -> bool {
        self.owed.load(Ordering::Relaxed) > 0
    }

    /// Takes a place on the lane, if this release has not its share of it.
    pub(crate) fn enter_lane(&self) -> Option<LanePlace<'_>> {
        let place = LanePlace(&self.in_lane);
        // Counted first and given back by the place itself, so that two that come at once cannot both take the last one.
        (self.in_lane.fetch_add(1, Ordering::Relaxed) < MAX_IN_LANE).then_some(place)
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
    fn a_release_takes_its_share_of_the_lane_and_no_more() {
        let pace = Pace::default();
        let places: Vec<_> = (0..MAX_IN_LANE).map(|_| pace.enter_lane().unwrap()).collect();
        assert!(pace.enter_lane().is_none());
        drop(places);
        assert!(pace.enter_lane().is_some());
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
