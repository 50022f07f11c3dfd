//! Whether a policy is quick enough to run on the payment's own thread.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How long a guest may hold the payment's own thread, in milliseconds. Two hundred times what a policy in Rust takes, and
/// short enough that nobody notices a worker that is held once.
pub(crate) const SLICE_MS: u32 = 2;

/// The same.
pub(crate) const SLICE: Duration = Duration::from_millis(SLICE_MS as u64);

/// How much fuel it may use there: about what the slice has time for. It stops what time does not: one instruction over much
/// memory is not interrupted once it runs, and is charged by the byte before it begins.
pub(crate) const SLICE_FUEL: u64 = 4_000_000;

/// After so many quick runs in a row on the lane a policy is trusted with the payment's thread again.
pub(crate) const QUICK_RUNS: u32 = 64;

/// A run is quick when it ends well within the slice.
pub(crate) const QUICK: Duration = SLICE.checked_div(2).unwrap();

/// How much of the usual time on the lane the last run is: a fourth.
const WEIGHT: u32 = 4;

/// How long a release takes there, as long as none of its runs has ended: more than the slice that it did not end in.
const UNKNOWN: Duration = Duration::from_millis(10);

/// Remembers how a release ran of late.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Zero: it is quick; otherwise how many quick runs it still owes.
    owed: AtomicU32,
    in_lane: AtomicU32,
    /// How long it takes on the lane, in microseconds: of the last ones most. Zero before the first.
    usual_us: AtomicU32,
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

    /// How long it takes on the lane, as far as that is known.
    pub(crate) fn usual(&self) -> Duration {
        match self.usual_us.load(Ordering::Relaxed) {
            0 => UNKNOWN,
            micros => Duration::from_micros(u64::from(micros)),
        }
    }

    /// Takes one of so many places on the lane, if this release has not taken all of them.
    pub(crate) fn enter_lane(&self, places: u32) -> Option<LanePlace<'_>> {
        let place = LanePlace(&self.in_lane);
        // Counted first and given back by the place itself, so that two that come at once cannot both take the last one.
        (self.in_lane.fetch_add(1, Ordering::Relaxed) < places).then_some(place)
    }

    /// It was interrupted on a payment's thread.
    pub(crate) fn was_interrupted(&self) {
        self.owed.store(QUICK_RUNS, Ordering::Relaxed);
    }

    /// It ended on the lane after so long.
    pub(crate) fn took(&self, elapsed: Duration) {
        let micros = u32::try_from(elapsed.as_micros()).unwrap_or(u32::MAX).max(1);
        let usual = self.usual_us.load(Ordering::Relaxed);
        let usual = if usual == 0 {
            micros
        } else {
            usual - usual / WEIGHT + micros / WEIGHT
        };
        // Of two that end at once one may be lost: it is an average.
        self.usual_us.store(usual.max(1), Ordering::Relaxed);
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
        let places: Vec<_> = (0..7).map(|_| pace.enter_lane(7).unwrap()).collect();
        assert!(pace.enter_lane(7).is_none());
        drop(places);
        assert!(pace.enter_lane(7).is_some());
    }

    #[test]
    fn what_a_release_usually_takes_follows_its_last_runs() {
        let pace = Pace::default();
        assert_eq!(pace.usual(), UNKNOWN);
        pace.took(Duration::from_millis(1));
        assert_eq!(pace.usual(), Duration::from_millis(1));
        for _ in 0..20 {
            pace.took(Duration::from_secs(1));
        }
        assert!(pace.usual() > Duration::from_millis(990), "{:?}", pace.usual());
        for _ in 0..40 {
            pace.took(Duration::from_millis(2));
        }
        assert!(pace.usual() < Duration::from_millis(3), "{:?}", pace.usual());
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
