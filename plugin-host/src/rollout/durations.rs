//! How long evaluations took: a histogram of fixed size, from which quantiles are read to within a sixteenth.
//!
//! Log-linear: each doubling of the time is cut into sixteen buckets of equal width, so a bucket is at most a sixteenth of
//! its least time wide. A quantile is told as the greatest time of its bucket, in whole microseconds: never too low, and at the most
//! a sixteenth (and the rest of a microsecond) too high. Counting is one addition to an atomic.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Buckets to a doubling, as a power of two.
const FINENESS: u32 = 4;

/// The same.
const PER_DOUBLING: usize = 1 << FINENESS;

/// The longest that is told apart, in microseconds: twice the longest deadline. What takes longer counts as this.
const LONGEST_US: u64 = (1 << 21) - 1;

/// Buckets in all: 0 to 15 µs one each, then seventeen doublings.
pub(crate) const BUCKETS: usize = PER_DOUBLING * 18;

/// Counts durations.
#[derive(Debug)]
pub(crate) struct Durations {
    counts: Box<[AtomicU64; BUCKETS]>,
}

impl Default for Durations {
    fn default() -> Self {
        Self {
            counts: Box::new([const { AtomicU64::new(0) }; BUCKETS]),
        }
    }
}

impl Durations {
    /// With what was counted before, by bucket; what belongs to no bucket is left out.
    pub(crate) fn counting_on(counted: &[(u32, u64)]) -> Self {
        let durations = Self::default();
        for (index, count) in counted {
            if let Some(bucket) = usize::try_from(*index).ok().and_then(|i| durations.counts.get(i)) {
                bucket.store(*count, Ordering::Relaxed);
            }
        }
        durations
    }

    /// Counts one.
    pub(crate) fn count(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(LONGEST_US);
        if let Some(bucket) = self.counts.get(index(micros)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The time within which 99 of 100 ended, in microseconds; none where nothing was counted.
    pub(crate) fn p99_us(&self) -> Option<u64> {
        let counts: Vec<u64> = self
            .counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .collect();
        let all = counts.iter().fold(0_u64, |all, count| all.saturating_add(*count));
        let mut left = all - all / 100;
        if left == 0 {
            return None;
        }
        for (index, count) in counts.iter().enumerate() {
            left = left.saturating_sub(*count);
            if left == 0 {
                return Some(greatest(index));
            }
        }
        None
    }

    /// What was counted, by bucket, where it is any.
    pub(crate) fn counted(&self) -> Vec<(u32, u64)> {
        (0_u32..)
            .zip(self.counts.iter())
            .map(|(index, count)| (index, count.load(Ordering::Relaxed)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}

/// The bucket of a time.
fn index(micros: u64) -> usize {
    let micros = micros.min(LONGEST_US);
    let doubling = micros.checked_ilog2().unwrap_or(0).saturating_sub(FINENESS);
    // Within a doubling: 16 to 31. Below the first one: 0 to 15, as they are.
    let within = usize::try_from(micros >> doubling).unwrap_or(0);
    within + doubling as usize * PER_DOUBLING
}

/// The greatest time of a bucket, in microseconds.
fn greatest(index: usize) -> u64 {
    let doubling = (index / PER_DOUBLING).saturating_sub(1);
    let within = index - doubling * PER_DOUBLING;
    ((within as u64 + 1) << doubling) - 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_buckets_follow_one_another_and_are_narrow() {
        let mut expected = 0;
        for micros in 0..=LONGEST_US {
            let index = index(micros);
            assert!(index == expected || index == expected + 1, "{micros} µs");
            expected = index;
            let greatest = greatest(index);
            assert!(
                micros <= greatest && greatest - micros <= micros / 16,
                "{micros} µs in a bucket up to {greatest}"
            );
        }
        assert_eq!(expected, BUCKETS - 1);
        assert_eq!(index(u64::MAX), BUCKETS - 1);
    }

    proptest! {
        #[test]
        fn the_99th_percentile_is_never_too_low_and_little_too_high(
            mut times in prop::collection::vec(0_u64..2_000_000, 1..500),
        ) {
            let durations = Durations::default();
            for micros in &times {
                durations.count(Duration::from_micros(*micros));
            }
            times.sort_unstable();
            let exact = times[times.len() - times.len() / 100 - 1];
            let found = durations.p99_us().unwrap();
            prop_assert!(found >= exact && found - exact <= exact / 16, "{found} for {exact}");
            let again = Durations::counting_on(&durations.counted());
            prop_assert_eq!(again.p99_us(), Some(found));
        }
    }

    #[test]
    fn of_nothing_there_is_no_percentile_and_a_stray_bucket_is_none() {
        assert_eq!(Durations::default().p99_us(), None);
        assert_eq!(Durations::counting_on(&[(u32::MAX, 7), (288, 7)]).counted(), []);
    }
}
