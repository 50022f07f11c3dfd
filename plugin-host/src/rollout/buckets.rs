//! On which side of a rollout a card or a payment is.
//!
//! The same on every node, in every version and after every restart, since nothing is remembered: the place is computed from
//! two texts. Written down in `docs/rollouts.md`, where a test holds the example.

use sha2::{Digest as _, Sha256};

use crate::document::Percent;

/// What stands between the two texts. Neither can hold it.
const BETWEEN: [u8; 1] = [0];

/// Places cards and payments for one policy.
#[derive(Clone, Debug)]
pub(crate) struct Buckets {
    /// The hash as far as every key of the policy has it in common.
    begun: Sha256,
}

impl Buckets {
    /// Those of this policy: another one has other cards in its first bucket.
    pub(crate) fn of(policy: &str) -> Self {
        let mut begun = Sha256::new();
        begun.update(policy);
        begun.update(BETWEEN);
        Self { begun }
    }

    /// The bucket of a card's fingerprint or of a payment's id, below [`Percent::WHOLE`].
    pub(crate) fn bucket(&self, key: &str) -> u32 {
        let mut hash = self.begun.clone();
        hash.update(key);
        let first = hash.finalize().first_chunk().copied().unwrap_or_default();
        let bucket = u64::from_be_bytes(first) % u64::from(Percent::WHOLE);
        // Below ten thousand.
        u32::try_from(bucket).unwrap_or_default()
    }

    /// Whether a key is within a share. One that is stays so when the share grows.
    pub(crate) fn takes(&self, share: Percent, key: &str) -> bool {
        share == Percent::ALL || self.bucket(key) < share.hundredths()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn percent(hundredths: u32) -> Percent {
        Percent::new(f64::from(hundredths) / 100.0).unwrap()
    }

    #[test]
    fn the_example_of_the_documentation_holds() {
        // printf 'velocity-limit\0fp_48d3ef48958e5d182cfa74268ab27bf1' | sha256sum
        let page =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/rollouts.md")).unwrap();
        let bucket = Buckets::of("velocity-limit").bucket("fp_48d3ef48958e5d182cfa74268ab27bf1");
        assert_eq!(bucket, 33);
        assert!(page.contains(&format!("bucket {bucket}")), "{bucket}");
    }

    #[test]
    fn a_share_is_about_as_large_as_it_says_and_other_policies_have_other_cards() {
        const CARDS: u32 = 100_000;
        let (one, other) = (Buckets::of("velocity-limit"), Buckets::of("amount-ceiling"));
        let share = percent(500);
        let (mut taken, mut by_both) = (0, 0);
        for card in 0..CARDS {
            let fingerprint = format!("fp_{card:032x}");
            let is_taken = one.takes(share, &fingerprint);
            taken += u32::from(is_taken);
            by_both += u32::from(is_taken && other.takes(share, &fingerprint));
        }
        // Five standard deviations of a binomial distribution: 5 % of 100,000 are 5,000 ± 345, a twentieth of them 250 ± 79.
        assert!((4_655..=5_345).contains(&taken), "{taken}");
        assert!((171..=329).contains(&by_both), "{by_both}");
    }

    proptest! {
        #[test]
        fn a_card_stays_on_its_side_and_a_larger_share_only_adds_cards(
            fingerprint in "fp_[0-9a-f]{32}", less in 1_u32..=10_000, more in 1_u32..=10_000,
        ) {
            let (less, more) = (less.min(more), less.max(more));
            let (buckets, elsewhere) = (Buckets::of("velocity-limit"), Buckets::of("velocity-limit"));
            prop_assert!(buckets.bucket(&fingerprint) < Percent::WHOLE);
            prop_assert_eq!(buckets.bucket(&fingerprint), elsewhere.bucket(&fingerprint));
            if buckets.takes(percent(less), &fingerprint) {
                prop_assert!(buckets.takes(percent(more), &fingerprint));
            }
            prop_assert!(buckets.takes(Percent::ALL, &fingerprint));
        }
    }
}
