//! The outcome that stands in for a fault.

use std::fmt;

use crate::currency::Currency;
use crate::money::Money;

use super::{FaultKind, Outcome};

/// Chosen per policy, and per kind of fault where one differs from the rest. `approve` is to fail open, `decline` to fail
/// closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureMode {
    default: StandIn,
    by_kind: [Option<StandIn>; FaultKind::ALL.len()],
}

/// What stands in for a fault: one outcome, or `approve` for small amounts alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StandIn {
    /// One outcome, whatever the amount.
    Always(Outcome),
    /// `approve` up to an amount, and something stricter above it.
    UpTo(ApproveUpTo),
}

/// `approve` up to an amount per currency; `above` for more than that, and for every other currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApproveUpTo {
    /// Sorted by currency, each once, never empty.
    amounts: Box<[Money]>,
    above: Outcome,
}

/// Why amounts and an outcome make no [`ApproveUpTo`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApproveUpToError {
    /// No amount at all.
    NoAmount,
    /// Two amounts of one currency.
    CurrencyTwice(Currency),
    /// `approve` above the amount as well: then there is no amount up to which it stands.
    ApproveAbove,
}

impl fmt::Display for ApproveUpToError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAmount => f.write_str("found no amount, expected one for at least one currency"),
            Self::CurrencyTwice(currency) => {
                write!(f, "found two amounts in {currency}, expected one")
            }
            Self::ApproveAbove => {
                f.write_str("found `approve` above the amount, expected `challenge`, `review` or `decline`")
            }
        }
    }
}

impl std::error::Error for ApproveUpToError {}

impl ApproveUpTo {
    /// What stands above the amount where nobody says otherwise: somebody looks.
    pub const DEFAULT_ABOVE: Outcome = Outcome::Review;

    /// `approve` up to and including these amounts.
    ///
    /// # Errors
    /// Without an amount, with two of one currency, and when it would approve above them too.
    pub fn new(amounts: impl IntoIterator<Item = Money>, above: Outcome) -> Result<Self, ApproveUpToError> {
        let mut amounts: Box<[Money]> = amounts.into_iter().collect();
        amounts.sort_unstable_by_key(|amount| amount.currency());
        if amounts.is_empty() {
            return Err(ApproveUpToError::NoAmount);
        }
        for pair in amounts.windows(2) {
            if let [first, second] = pair
                && first.currency() == second.currency()
            {
                return Err(ApproveUpToError::CurrencyTwice(first.currency()));
            }
        }
        if above == Outcome::Approve {
            return Err(ApproveUpToError::ApproveAbove);
        }
        Ok(Self { amounts, above })
    }

    /// The amounts, by currency.
    #[must_use]
    pub fn amounts(&self) -> &[Money] {
        &self.amounts
    }

    /// What stands above them, and in every other currency.
    #[must_use]
    pub const fn above(&self) -> Outcome {
        self.above
    }

    fn outcome(&self, amount: Money) -> Outcome {
        let covers = self
            .amounts
            .binary_search_by_key(&amount.currency(), |limit| limit.currency())
            .ok()
            .and_then(|index| self.amounts.get(index))
            .is_some_and(|limit| amount.minor_units() <= limit.minor_units());
        if covers { Outcome::Approve } else { self.above }
    }
}

impl StandIn {
    /// The outcome for a payment of this amount.
    #[must_use]
    pub fn outcome(&self, amount: Money) -> Outcome {
        match self {
            Self::Always(outcome) => *outcome,
            Self::UpTo(up_to) => up_to.outcome(amount),
        }
    }
}

impl From<Outcome> for StandIn {
    fn from(outcome: Outcome) -> Self {
        Self::Always(outcome)
    }
}

impl From<ApproveUpTo> for StandIn {
    fn from(up_to: ApproveUpTo) -> Self {
        Self::UpTo(up_to)
    }
}

impl FailureMode {
    /// One for every kind of fault.
    #[must_use]
    pub fn new(default: impl Into<StandIn>) -> Self {
        Self {
            default: default.into(),
            by_kind: [const { None }; FaultKind::ALL.len()],
        }
    }

    /// The same, with another for one kind.
    #[must_use]
    pub fn with(mut self, kind: FaultKind, stand_in: impl Into<StandIn>) -> Self {
        if let Some(slot) = self.by_kind.get_mut(kind as usize) {
            *slot = Some(stand_in.into());
        }
        self
    }

    /// What stands in for every kind that has nothing of its own.
    #[must_use]
    pub const fn default_stand_in(&self) -> &StandIn {
        &self.default
    }

    /// What was chosen for single kinds, in the order of [`FaultKind::ALL`].
    pub fn chosen(&self) -> impl Iterator<Item = (FaultKind, &StandIn)> {
        FaultKind::ALL
            .into_iter()
            .zip(&self.by_kind)
            .filter_map(|(kind, stand_in)| Some((kind, stand_in.as_ref()?)))
    }

    /// The outcome that stands in for a fault of this kind on a payment of this amount.
    #[must_use]
    pub fn outcome(&self, kind: FaultKind, amount: Money) -> Outcome {
        self.by_kind
            .get(kind as usize)
            .and_then(Option::as_ref)
            .unwrap_or(&self.default)
            .outcome(amount)
    }
}

#[cfg(test)]
mod tests;
