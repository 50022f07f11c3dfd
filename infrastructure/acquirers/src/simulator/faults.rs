//! What goes wrong by chance: the same at each run with the same seed and the same order of requests.

use thiserror::Error;

use crate::behaviour::Fault;

/// Which share of requests fails in which way, each from 0 to 1, all of them together at most 1. Every request counts, also
/// inquiries and cards to keep.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FaultShares {
    /// Where chance begins.
    pub seed: u64,
    /// Done, and no answer comes; the connection stays open.
    pub lose_answers: f64,
    /// Not done, and the connection is closed.
    pub close_before: f64,
    /// Done, and the connection is closed.
    pub close_after: f64,
    /// Not done, and 500 is answered.
    pub error_before: f64,
    /// Done, and 500 is answered.
    pub error_after: f64,
    /// Not done, and 409 is answered.
    pub conflict: f64,
    /// Not done, and 503 says so.
    pub busy: f64,
    /// Done, and the answer takes as long as the slow card's.
    pub slow: f64,
}

/// A share that is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the share of faults {name} is {found}, expected {expected}")]
pub struct ShareError {
    name: &'static str,
    found: String,
    expected: &'static str,
}

impl FaultShares {
    fn shares(&self) -> [(&'static str, f64, Fault); 8] {
        [
            ("lose_answers", self.lose_answers, Fault::LoseAnswer),
            ("close_before", self.close_before, Fault::NotReached),
            ("close_after", self.close_after, Fault::CloseAfter),
            ("error_before", self.error_before, Fault::ErrorBefore),
            ("error_after", self.error_after, Fault::ErrorAfter),
            ("conflict", self.conflict, Fault::Conflict),
            ("busy", self.busy, Fault::Busy),
            ("slow", self.slow, Fault::Slow),
        ]
    }

    pub(super) fn check(&self) -> Result<(), ShareError> {
        let wrong = |name, found: f64, expected| ShareError {
            name,
            found: found.to_string(),
            expected,
        };
        let mut sum = 0.0;
        for (name, share, _) in self.shares() {
            if !(0.0..=1.0).contains(&share) {
                return Err(wrong(name, share, "0 to 1"));
            }
            sum += share;
        }
        if sum > 1.0 {
            return Err(wrong("(all together)", sum, "at most 1"));
        }
        Ok(())
    }

    /// What goes wrong with the request of this number.
    pub(super) fn draw(&self, number: u64) -> Option<Fault> {
        let mut chance = unit(self.seed, number);
        for (_, share, fault) in self.shares() {
            if chance < share {
                return Some(fault);
            }
            chance -= share;
        }
        None
    }
}

/// A number from 0 to 1, evenly spread: SplitMix64 (Steele, Lea, Flood 2014), of which the upper 53 bits make a fraction.
fn unit(seed: u64, number: u64) -> f64 {
    let mut bits = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_in_their_share_and_the_same_with_the_same_seed() {
        let shares = FaultShares {
            seed: 7,
            lose_answers: 0.05,
            busy: 0.2,
            ..FaultShares::default()
        };
        let drawn = || (0..10_000).map(|number| shares.draw(number)).collect::<Vec<_>>();
        let first = drawn();
        assert_eq!(first, drawn());
        let count = |fault| first.iter().filter(|drawn| **drawn == fault).count();
        assert!((400..600).contains(&count(Some(Fault::LoseAnswer))));
        assert!((1_800..2_200).contains(&count(Some(Fault::Busy))));
        assert_eq!(count(Some(Fault::Slow)), 0);
    }

    #[test]
    fn shares_that_mean_nothing_are_refused() {
        for (shares, name) in [
            (
                FaultShares {
                    busy: -0.1,
                    ..FaultShares::default()
                },
                "busy",
            ),
            (
                FaultShares {
                    slow: f64::NAN,
                    ..FaultShares::default()
                },
                "slow",
            ),
            (
                FaultShares {
                    slow: 0.6,
                    busy: 0.6,
                    ..FaultShares::default()
                },
                "(all together)",
            ),
        ] {
            assert_eq!(shares.check().unwrap_err().name, name);
        }
    }
}
