//! How long to wait before a lost store is asked again.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// The first pause.
const FIRST: Duration = Duration::from_millis(100);

/// The longest pause: a store that comes back is followed within this time.
const LONGEST: Duration = Duration::from_secs(3);

/// Pauses that double up to a bound, each shortened by chance to between half and all of it, so that a fleet does not come
/// back at the same moment.
pub(super) struct Backoff {
    pause: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { pause: FIRST }
    }
}

impl Backoff {
    /// The next pause.
    pub(super) fn next(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST);
        let half = pause / 2;
        // The standard library's hasher is seeded at random: chance enough for a pause, without another dependency.
        let chance = RandomState::new().build_hasher().finish() % 1024;
        half + half.mul_f64(f64::from(u32::try_from(chance).unwrap_or(0)) / 1024.0)
    }

    /// The store answered.
    pub(super) fn reset(&mut self) {
        self.pause = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_bound_and_start_anew_after_an_answer() {
        let mut backoff = Backoff::default();
        let mut bound = FIRST;
        for _ in 0..20 {
            let pause = backoff.next();
            assert!(pause >= bound / 2 && pause <= bound, "{pause:?} of {bound:?}");
            bound = (bound * 2).min(LONGEST);
        }
        assert_eq!(bound, LONGEST);
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }
}
