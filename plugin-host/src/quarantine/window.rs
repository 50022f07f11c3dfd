//! Evaluations and faults of the recent past, in two atomics.
//!
//! Time is cut into spans of half a window; each bucket holds the counts of one span, and the span before last makes room for
//! the next. What is counted together is therefore between half a window and a whole one old at the most.

use std::sync::atomic::{AtomicU64, Ordering};

/// From so many evaluations in a bucket on both its counts are halved, so that neither leaves its 16 bits, whatever comes at
/// once. The share of faults stays what it is, and newer evaluations weigh more.
const HALVED_AT: u64 = 1 << 15;

/// Where the evaluations of a word begin, above the faults.
const EVALUATIONS: u32 = 16;

/// Where the number of the span begins, above the evaluations.
const SPAN: u32 = 32;

const COUNT_MASK: u64 = 0xffff;

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) evaluations: u32,
    pub(super) faults: u32,
}

/// Two buckets, each a word of its span, its evaluations and its faults, so that all three change at once.
#[derive(Debug)]
pub(super) struct Window {
    span_ms: u64,
    even: AtomicU64,
    odd: AtomicU64,
}

impl Window {
    /// Counts over so many milliseconds.
    pub(super) fn new(window_ms: u64) -> Self {
        Self {
            span_ms: window_ms.div_ceil(2).max(1),
            even: AtomicU64::new(0),
            odd: AtomicU64::new(0),
        }
    }

    /// Counts one evaluation.
    pub(super) fn count(&self, now_ms: u64, fault: bool) {
        let span = self.span(now_ms);
        let bucket = if span.is_multiple_of(2) {
            &self.even
        } else {
            &self.odd
        };
        let one = (1 << EVALUATIONS) | u64::from(fault);
        let word = bucket.load(Ordering::Relaxed);
        if span_of(word) == span && evaluations_of(word) < HALVED_AT {
            // Others may count at the same time: far fewer than there is room above the mark.
            bucket.fetch_add(one, Ordering::Relaxed);
            return;
        }
        // Where a newer span has begun meanwhile, this evaluation is too old to be counted.
        let _counted = bucket.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
            match span.wrapping_sub(span_of(word)) {
                0 if evaluations_of(word) < HALVED_AT => Some(word + one),
                0 => Some(halved(word) + one),
                newer if newer < u32::MAX / 2 => Some((u64::from(span) << SPAN) | one),
                _ => None,
            }
        });
    }

    /// What was counted in this span and the one before.
    pub(super) fn totals(&self, now_ms: u64) -> Totals {
        let span = self.span(now_ms);
        [&self.even, &self.odd]
            .map(|bucket| bucket.load(Ordering::Relaxed))
            .into_iter()
            .filter(|word| span.wrapping_sub(span_of(*word)) <= 1)
            .fold(Totals::default(), |totals, word| Totals {
                evaluations: totals.evaluations + count(word >> EVALUATIONS),
                faults: totals.faults + count(word),
            })
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        self.even.store(0, Ordering::Relaxed);
        self.odd.store(0, Ordering::Relaxed);
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "spans are told apart modulo 2^32: years, also for the shortest window"
    )]
    fn span(&self, now_ms: u64) -> u32 {
        (now_ms / self.span_ms) as u32
    }
}

const fn span_of(word: u64) -> u32 {
    (word >> SPAN) as u32
}

const fn evaluations_of(word: u64) -> u64 {
    (word >> EVALUATIONS) & COUNT_MASK
}

const fn count(word: u64) -> u32 {
    (word & COUNT_MASK) as u32
}

/// The same with half the evaluations and half the faults. Of an odd number of faults one more is forgotten.
const fn halved(word: u64) -> u64 {
    let span = word >> SPAN << SPAN;
    let evaluations = evaluations_of(word).div_ceil(2);
    let faults = (word & COUNT_MASK) / 2;
    span | (evaluations << EVALUATIONS) | faults
}

#[cfg(test)]
mod tests;
