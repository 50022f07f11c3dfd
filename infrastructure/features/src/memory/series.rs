//! Payments of one subject and currency over time, in buckets that widen with age.
//!
//! The bound: a bucket of more than one second is at most 1/64 as wide as its newest second is old. A window is answered
//! with every bucket that reaches into it. So for a window of `w` seconds that ends at the series' newest second or later,
//! the answer holds every payment of the window, and no payment that is older than `w + w / 64` seconds. For a window that
//! ends earlier, which a payment that comes late asks for, the lateness is to be added to that `w`.

#[cfg(test)]
mod tests;

use domain::feature::{MAX_WINDOW_SECONDS, PaymentFilter};

use super::history::Window;

/// How many times as old as wide a bucket is at least.
const AGE_PER_WIDTH: u64 = 64;

/// Buckets are merged when there are twice as many as after the last time, and never below this: at 48 bytes each, 64 of
/// them cost less than looking.
const MIN_MERGED: usize = 64;

/// All payments from a first to a last second.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    first: u64,
    /// Seconds after `first`; 90 days at most, so they fit.
    span: u32,
    counts: [u32; 3],
    /// In minor units.
    amounts: [i64; 3],
}

impl Bucket {
    fn last(&self) -> u64 {
        self.first + u64::from(self.span)
    }

    fn add(&mut self, filter: PaymentFilter, count: u32, minor_units: i64) {
        if let Some(known) = self.counts.get_mut(filter as usize) {
            *known = known.saturating_add(count);
        }
        if let Some(known) = self.amounts.get_mut(filter as usize) {
            *known = known.saturating_add(minor_units);
        }
    }

    /// Both in one, where that keeps the bound.
    fn merged_with(&self, next: &Self, newest: u64) -> Option<Self> {
        let width = next.last() - self.first + 1;
        if width > (newest - next.last()) / AGE_PER_WIDTH {
            return None;
        }
        let mut merged = *self;
        merged.span = u32::try_from(width - 1).ok()?;
        for (filter, (count, amount)) in FILTERS.into_iter().zip(next.counts.iter().zip(next.amounts)) {
            merged.add(filter, *count, amount);
        }
        Some(merged)
    }
}

const FILTERS: [PaymentFilter; 3] = [
    PaymentFilter::Attempted,
    PaymentFilter::Approved,
    PaymentFilter::Declined,
];

/// Buckets that do not overlap, oldest first.
#[derive(Debug, Default)]
pub(super) struct Series {
    buckets: Vec<Bucket>,
    merge_at: usize,
}

impl Series {
    pub(super) fn record(&mut self, second: u64, filter: PaymentFilter, minor_units: i64) {
        if second + u64::from(MAX_WINDOW_SECONDS) <= self.newest_second() {
            return; // No window reaches so far back.
        }
        // Nearly always the last bucket or behind it.
        let index = match self.buckets.last() {
            Some(last) if last.first <= second => self.buckets.len() - usize::from(second <= last.last()),
            _ => self.buckets.partition_point(|bucket| bucket.last() < second),
        };
        match self.buckets.get_mut(index) {
            Some(bucket) if bucket.first <= second => bucket.add(filter, 1, minor_units),
            _ => {
                let mut bucket = Bucket {
                    first: second,
                    span: 0,
                    counts: [0; 3],
                    amounts: [0; 3],
                };
                bucket.add(filter, 1, minor_units);
                self.insert(index, bucket);
            }
        }
    }

    /// Forgets the payments after a second; a bucket that reaches over it keeps its own.
    pub(super) fn forget_after(&mut self, second: u64) {
        while self.buckets.last().is_some_and(|bucket| bucket.first > second) {
            self.buckets.pop();
        }
    }

    pub(super) fn count(&self, window: Window) -> u64 {
        let counts = self.within(window).map(|bucket| bucket.counts);
        counts
            .filter_map(|counts| counts.get(window.filter as usize).copied())
            .map(u64::from)
            .sum()
    }

    pub(super) fn amount(&self, window: Window) -> i64 {
        let amounts = self.within(window).map(|bucket| bucket.amounts);
        amounts
            .filter_map(|amounts| amounts.get(window.filter as usize).copied())
            .fold(0, i64::saturating_add)
    }

    pub(super) fn newest_second(&self) -> u64 {
        self.buckets.last().map_or(0, Bucket::last)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.buckets.capacity() * size_of::<Bucket>()
    }

    fn within(&self, window: Window) -> impl Iterator<Item = &Bucket> {
        // From the newest on: most windows are short, and most series long.
        let newest_first = self.buckets.iter().rev();
        newest_first.take_while(move |bucket| bucket.last() >= window.from_second)
    }

    fn insert(&mut self, index: usize, bucket: Bucket) {
        if self.buckets.len() >= self.merge_at.max(MIN_MERGED) {
            let newest = self.newest_second().max(bucket.first);
            self.merge(newest);
            let index = self.buckets.partition_point(|known| known.last() < bucket.first);
            // What was a gap may lie inside a merged bucket now.
            match self.buckets.get_mut(index) {
                Some(known) if known.first <= bucket.first => {
                    for (filter, (count, amount)) in
                        FILTERS.into_iter().zip(bucket.counts.iter().zip(bucket.amounts))
                    {
                        known.add(filter, *count, amount);
                    }
                }
                _ => self.buckets.insert(index, bucket),
            }
            self.merge_at = 2 * self.buckets.len();
            return;
        }
        if self.buckets.len() == self.buckets.capacity() {
            // One bucket for the many that pay once, half as many again for the others.
            self.buckets.reserve_exact((self.buckets.len() / 2).max(1));
        }
        self.buckets.insert(index, bucket);
    }

    /// Drops what no window reaches, and merges neighbours, oldest first, as far as the bound allows.
    fn merge(&mut self, newest: u64) {
        let mut merged: Vec<Bucket> = Vec::with_capacity(self.buckets.len() / 2);
        for bucket in &self.buckets {
            if bucket.last() + u64::from(MAX_WINDOW_SECONDS) <= newest {
                continue;
            }
            match merged.last_mut() {
                Some(before) => match before.merged_with(bucket, newest) {
                    Some(both) => *before = both,
                    None => merged.push(*bucket),
                },
                None => merged.push(*bucket),
            }
        }
        self.buckets = merged;
    }
}
