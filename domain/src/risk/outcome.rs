//! What is to happen with a payment.

/// From mildest to strictest: the derived order is the order of the join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Go on to the acquirer.
    Approve,
    /// Ask the payer to prove who he is (3-D Secure) first.
    Challenge,
    /// Hold for an analyst.
    Review,
    /// Refuse.
    Decline,
}

impl Outcome {
    /// Every outcome, mildest first.
    pub const ALL: [Self; 4] = [Self::Approve, Self::Challenge, Self::Review, Self::Decline];

    /// The stable name, such as `approve`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Challenge => "challenge",
            Self::Review => "review",
            Self::Decline => "decline",
        }
    }

    /// The outcome of a stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_ordered_from_mildest_to_strictest() {
        assert!(Outcome::ALL.windows(2).all(|w| w[0] < w[1]));
        assert_eq!(Outcome::ALL.into_iter().max(), Some(Outcome::Decline));
    }

    #[test]
    fn names_lead_back_to_their_outcome() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::parse(outcome.as_str()), Some(outcome));
        }
        assert_eq!(Outcome::parse("allow"), None);
    }
}
