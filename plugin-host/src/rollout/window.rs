//! The share of bad ones among the latest, in two atomics, held against the most that it may be.
//!
//! The latest are counted in blocks, and a new block begins where one is full: what is judged is the block that is being
//! filled and the one before it. So a bad minute on the third day is seen among some thousands and does not drown in
//! millions; and a block is large enough that a candidate within its gate does not trip by chance.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::document::Ratio;

/// So many bad ones has a block with exactly the share that is allowed. With fifty, a candidate with half of that share is above
/// it in one block of 300,000; with five it would be in one of 24.
const BAD_IN_A_BLOCK: u64 = 50;

/// The largest block. As many as a document may let pass before anything is concluded.
const MAX_BLOCK: u64 = crate::document::MAX_MINIMUM_EVALUATIONS as u64;

/// Where the number of all begins in a word, above that of the bad ones.
const ALL: u32 = 32;

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Share {
    pub(crate) bad: u64,
    pub(crate) of: u64,
}

/// Counts of the newest block and of the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counted {
    pub(crate) newest: Share,
    pub(crate) before: Share,
}

/// Counts, and says when it is too much.
#[derive(Debug)]
pub(crate) struct Window {
    most: Ratio,
    minimum: u64,
    block: u64,
    newest: AtomicU64,
    before: AtomicU64,
}

impl Window {
    /// One in which at most this share may be bad, with what was counted before. Fewer than `minimum` are taken for that many, of
    /// which the rest are good: what is too much even so will be too much however the rest turns out.
    pub(crate) fn counting_on(most: Ratio, minimum: u32, counted: Counted) -> Self {
        let minimum = u64::from(minimum.max(1));
        let block = (BAD_IN_A_BLOCK * u64::from(Ratio::WHOLE))
            .checked_div(u64::from(most.millionths()))
            .unwrap_or(minimum)
            .clamp(minimum, MAX_BLOCK.max(minimum));
        // A block that is full already has to be the one before.
        let Counted { newest, before } = counted;
        let (newest, before) = if newest.of < block {
            (newest, before)
        } else {
            (Share::default(), newest)
        };
        Self {
            most,
            minimum,
            block,
            newest: AtomicU64::new(word(newest)),
            before: AtomicU64::new(word(before)),
        }
    }

    /// Counts one. Gives the share of the latest where it is a bad one, and they are too many with it.
    pub(crate) fn count(&self, is_bad: bool) -> Option<Share> {
        let one = (1 << ALL) | u64::from(is_bad);
        let newest = self.newest.fetch_add(one, Ordering::Relaxed).wrapping_add(one);
        let before = self.before.load(Ordering::Relaxed);
        if newest >> ALL == self.block {
            // Of those that count at the same time one fills the block. Until it is taken away here, others see it twice, which leaves
            // its share what it is.
            self.before.store(newest, Ordering::Relaxed);
            self.newest.fetch_sub(newest, Ordering::Relaxed);
        }
        let (newest, before) = (share(newest), share(before));
        let latest = Share {
            bad: newest.bad + before.bad,
            of: newest.of + before.of,
        };
        let is_too_much = is_bad && self.most.is_exceeded_by(latest.bad, latest.of.max(self.minimum));
        is_too_much.then_some(latest)
    }

    /// What was counted.
    pub(crate) fn counted(&self) -> Counted {
        Counted {
            newest: share(self.newest.load(Ordering::Relaxed)),
            before: share(self.before.load(Ordering::Relaxed)),
        }
    }

    /// How many there have to be before anything is concluded that may still turn out otherwise.
    pub(crate) const fn minimum(&self) -> u64 {
        self.minimum
    }

    /// The most that may be bad.
    pub(crate) const fn most(&self) -> Ratio {
        self.most
    }
}

const fn share(word: u64) -> Share {
    Share {
        bad: word & ((1 << ALL) - 1),
        of: word >> ALL,
    }
}

/// Of a share within a block. One from elsewhere is cut to what a word holds.
fn word(share: Share) -> u64 {
    let of = share.of.min(2 * MAX_BLOCK);
    (of << ALL) | share.bad.min(of)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn empty(most: Ratio, minimum: u32) -> Window {
        Window::counting_on(most, minimum, Counted::default())
    }

    /// The same by a list of all that was counted.
    struct Naive {
        most: Ratio,
        minimum: usize,
        block: usize,
        all: Vec<bool>,
    }

    impl Naive {
        fn count(&mut self, is_bad: bool) -> Option<Share> {
            self.all.push(is_bad);
            // The full blocks before the one that this falls into, of which the last counts too.
            let full = (self.all.len() - 1) / self.block;
            let from = full.saturating_sub(1) * self.block;
            let latest = &self.all[from..];
            let bad = latest.iter().filter(|bad| **bad).count();
            let too_much = bad as f64 / latest.len().max(self.minimum) as f64
                > f64::from(self.most.millionths()) / 1e6 + 1e-12;
            (is_bad && too_much).then_some(Share {
                bad: bad as u64,
                of: latest.len() as u64,
            })
        }
    }

    proptest! {
        #[test]
        fn it_says_what_a_list_of_all_would_say(
            most in prop_oneof![Just(0), Just(20_000), Just(100_000), Just(500_000), Just(1_000_000)],
            minimum in 1_u32..200,
            runs in prop::collection::vec((0_u32..100, 1_usize..400), 1..12),
            seed in any::<u64>(),
        ) {
            let most = Ratio::from_millionths(most);
            let window = empty(most, minimum);
            let block = usize::try_from(window.block).unwrap();
            let mut naive = Naive { most, minimum: minimum as usize, block, all: Vec::new() };
            let mut state = seed;
            for (percent, length) in runs {
                for _ in 0..length {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let is_bad = (state >> 33) % 100 < u64::from(percent);
                    prop_assert_eq!(window.count(is_bad), naive.count(is_bad));
                }
            }
        }
    }

    #[test]
    fn what_cannot_come_back_under_the_gate_is_too_much_at_once() {
        let window = empty(Ratio::new(0.01).unwrap(), 100);
        assert_eq!(window.count(true), None, "one in a hundred is allowed");
        assert_eq!(window.count(false), None);
        assert_eq!(window.count(true), Some(Share { bad: 2, of: 3 }));
        let none = empty(Ratio::new(0.0).unwrap(), 1_000);
        assert_eq!(none.count(true), Some(Share { bad: 1, of: 1 }));
    }

    #[test]
    fn a_bad_minute_after_days_is_seen() {
        let window = empty(Ratio::new(0.01).unwrap(), 100);
        for _ in 0..1_000_000 {
            assert_eq!(window.count(false), None);
        }
        let bad = (0..1_000).find(|_| window.count(true).is_some());
        assert!(bad.is_some_and(|bad| bad <= 100), "{bad:?}");
    }

    #[test]
    fn a_candidate_within_its_gate_does_not_trip() {
        // One in two hundred, evenly, where one in a hundred is allowed.
        let window = empty(Ratio::new(0.01).unwrap(), 100);
        for index in 0..1_000_000 {
            assert_eq!(window.count(index % 200 == 199), None, "{index}");
        }
    }

    #[test]
    fn counting_goes_on_where_it_was_left() {
        let most = Ratio::new(0.5).unwrap();
        let (whole, first) = (empty(most, 10), empty(most, 10));
        let bad = |index: u32| index.is_multiple_of(3);
        for index in 0..130 {
            assert_eq!(whole.count(bad(index)), first.count(bad(index)));
        }
        let second = Window::counting_on(most, 10, first.counted());
        for index in 130..400 {
            assert_eq!(whole.count(bad(index)), second.count(bad(index)));
        }
        assert_eq!(whole.counted(), second.counted());
        // Another block size, or a file from elsewhere: nothing leaves its bits.
        let absurd = Share {
            bad: u64::MAX,
            of: u64::MAX,
        };
        let window = Window::counting_on(
            most,
            10,
            Counted {
                newest: absurd,
                before: absurd,
            },
        );
        assert!(window.count(true).is_some());
    }

    #[test]
    fn threads_that_count_at_once_lose_nothing() {
        let window = empty(Ratio::new(1.0).unwrap(), 50);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for index in 0..10_007 {
                        assert_eq!(window.count(index % 2 == 0), None);
                    }
                });
            }
        });
        // 40,028 in blocks of 50: one is full, and 28 are in the newest.
        let Counted { newest, before } = window.counted();
        assert_eq!((newest.of, before.of), (28, 50));
    }
}
