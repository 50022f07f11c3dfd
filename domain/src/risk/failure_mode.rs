//! The outcome that stands in for a fault.

use super::{FaultKind, Outcome};

/// Chosen per policy, and per kind of fault where one differs from the rest. `approve` is to fail open, `decline` to fail
/// closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureMode {
    default: Outcome,
    by_kind: [Option<Outcome>; FaultKind::ALL.len()],
}

impl FailureMode {
    /// One outcome for every kind of fault.
    #[must_use]
    pub const fn new(default: Outcome) -> Self {
        Self {
            default,
            by_kind: [None; FaultKind::ALL.len()],
        }
    }

    /// The same, with another outcome for one kind.
    #[must_use]
    pub fn with(mut self, kind: FaultKind, outcome: Outcome) -> Self {
        if let Some(slot) = self.by_kind.get_mut(kind as usize) {
            *slot = Some(outcome);
        }
        self
    }

    /// The outcome that stands in for a fault of this kind.
    #[must_use]
    pub fn outcome(&self, kind: FaultKind) -> Outcome {
        self.by_kind
            .get(kind as usize)
            .copied()
            .flatten()
            .unwrap_or(self.default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_without_an_outcome_of_its_own_takes_the_default() {
        let mode = FailureMode::new(Outcome::Review).with(FaultKind::Deadline, Outcome::Approve);
        for kind in FaultKind::ALL {
            let expected = if kind == FaultKind::Deadline {
                Outcome::Approve
            } else {
                Outcome::Review
            };
            assert_eq!(mode.outcome(kind), expected, "{kind}");
        }
    }

    #[test]
    fn every_kind_has_a_slot_of_its_own() {
        for (index, kind) in FaultKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index);
            assert_eq!(FaultKind::parse(kind.as_str()), Some(kind));
        }
    }
}
