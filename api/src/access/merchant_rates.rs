//! How many requests a merchant may send: the generic cell rate algorithm of ITU-T I.371, one number a merchant. Some fifty lines, for
//! which a crate would bring more code than it saves.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use domain::MerchantId;

/// Among how many locks merchants are shared out, so that they hardly ever wait for one another.
const SHARDS: usize = 16;

/// How many merchants a shard remembers: 131,072 in all, some 100 bytes each. There are never more than keys
/// (`ApiKeyRing` takes 100,000).
const SHARD_MERCHANTS: usize = 8_192;

const SECOND_NS: u64 = 1_000_000_000;

/// What a merchant has left, for the headers of his answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Whether this request is within it.
    pub(crate) is_within: bool,
    /// How many requests he could send at once.
    pub(crate) burst: u64,
    /// Within how many seconds he may send as many again, rounded up.
    pub(crate) window_seconds: u64,
    /// How many he may send right now.
    pub(crate) remaining: u64,
    /// After how many seconds he may send `burst` at once again, rounded up.
    pub(crate) reset_seconds: u64,
}

/// One bucket a merchant.
pub(crate) struct MerchantRates {
    interval_ns: u64,
    burst: u64,
    started: Instant,
    hasher: RandomState,
    /// When each merchant's bucket will be full again, in nanoseconds since the start.
    shards: [Mutex<HashMap<MerchantId, u64>>; SHARDS],
}

impl MerchantRates {
    /// So many requests a second, and so many at once. None where the first is 0.
    pub(crate) fn new(per_second: u32, burst: u32) -> Option<Self> {
        let interval_ns = SECOND_NS.checked_div(u64::from(per_second))?.max(1);
        let burst = if burst == 0 { per_second } else { burst };
        Some(Self {
            interval_ns,
            burst: u64::from(burst),
            started: Instant::now(),
            hasher: RandomState::new(),
            shards: Default::default(),
        })
    }

    /// Takes one request off a merchant's allowance, if there is one left.
    pub(crate) fn take(&self, merchant: &MerchantId) -> Allowance {
        let now_ns = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.take_at(merchant, now_ns)
    }

    fn take_at(&self, merchant: &MerchantId, now_ns: u64) -> Allowance {
        let shard = usize::try_from(self.hasher.hash_one(merchant) % 16).unwrap_or(0);
        let Some(shard) = self.shards.get(shard) else {
            return self.allowance(true, 0);
        };
        let mut full_at = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let whole_ns = self.interval_ns.saturating_mul(self.burst);
        if let Some(full_at_ns) = full_at.get_mut(merchant) {
            let next = (*full_at_ns).max(now_ns).saturating_add(self.interval_ns);
            let is_within = next - now_ns <= whole_ns;
            if is_within {
                *full_at_ns = next;
            }
            return self.allowance(is_within, full_at_ns.saturating_sub(now_ns));
        }
        if full_at.len() >= SHARD_MERCHANTS {
            // Whose bucket is full is as good as never seen.
            full_at.retain(|_, full_at_ns| *full_at_ns > now_ns);
        }
        if full_at.len() < SHARD_MERCHANTS {
            full_at.insert(merchant.clone(), now_ns.saturating_add(self.interval_ns));
        }
        self.allowance(true, self.interval_ns)
    }

    const fn allowance(&self, is_within: bool, used_ns: u64) -> Allowance {
        let whole_ns = self.interval_ns.saturating_mul(self.burst);
        Allowance {
            is_within,
            burst: self.burst,
            window_seconds: whole_ns.div_ceil(SECOND_NS),
            remaining: whole_ns.saturating_sub(used_ns) / self.interval_ns,
            reset_seconds: used_ns.div_ceil(SECOND_NS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop(name: &str) -> MerchantId {
        MerchantId::parse(name).unwrap()
    }

    #[test]
    fn a_burst_goes_through_and_then_so_many_a_second() {
        let rates = MerchantRates::new(10, 3).unwrap();
        let take = |now_ms: u64| rates.take_at(&shop("shop-1"), now_ms * 1_000_000);
        for left in [2, 1, 0] {
            let allowance = take(0);
            assert_eq!((allowance.is_within, allowance.remaining), (true, left));
        }
        assert!(!take(99).is_within);
        assert!(take(100).is_within);
        assert!(
            !take(199).is_within,
            "what was refused costs nothing, and gives nothing"
        );
        let rested = take(10_000);
        assert_eq!((rested.is_within, rested.remaining), (true, 2));
    }

    #[test]
    fn merchants_are_counted_apart() {
        let rates = MerchantRates::new(1, 0).unwrap();
        assert!(rates.take_at(&shop("a"), 0).is_within);
        assert!(!rates.take_at(&shop("a"), 0).is_within);
        assert!(rates.take_at(&shop("b"), 0).is_within);
    }

    #[test]
    fn no_more_merchants_are_remembered_than_the_bound() {
        let rates = MerchantRates::new(1, 0).unwrap();
        for number in 0..SHARDS * SHARD_MERCHANTS + 50_000 {
            assert!(rates.take_at(&shop(&format!("m{number}")), 0).is_within);
        }
        let remembered: usize = rates.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert!(remembered <= SHARDS * SHARD_MERCHANTS);
        // Once their buckets are full again, others take their places.
        assert!(rates.take_at(&shop("late"), 2 * SECOND_NS).is_within);
        assert!(!rates.take_at(&shop("late"), 2 * SECOND_NS).is_within);
    }

    #[test]
    fn nothing_a_second_is_no_limit() {
        assert!(MerchantRates::new(0, 5).is_none());
    }
}
