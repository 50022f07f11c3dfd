//! Why a candidate was sent back.

use std::fmt;

use domain::Timestamp;

use super::window::Share;
use crate::document::Ratio;

/// What was crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// Too many evaluations without a verdict.
    FaultRatio,
    /// Too many that took too long.
    P99,
    /// Too many payments about which it decides otherwise than the release in force.
    DecisionDrift,
    /// It faulted as often as no release may.
    Quarantine,
}

impl Gate {
    /// All of them, in the order of their declaration.
    pub(crate) const ALL: [Self; 4] = [Self::FaultRatio, Self::P99, Self::DecisionDrift, Self::Quarantine];

    /// The stable name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::FaultRatio => "fault_ratio",
            Self::P99 => "p99",
            Self::DecisionDrift => "decision_drift",
            Self::Quarantine => "quarantine",
        }
    }

    /// The gate of a stable name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|gate| gate.as_str() == name)
    }
}

/// A gate that was crossed, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SentBack {
    pub(crate) gate: Gate,
    /// Since when it decides nothing, on this node.
    pub(crate) since: Timestamp,
    /// In words, with the numbers.
    pub(crate) reason: Box<str>,
}

/// The numbers of a gate that was crossed, as they are told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crossed {
    pub(super) gate: Gate,
    pub(super) share: Share,
    /// The most that may be bad, and of how many at the least.
    pub(super) most: Ratio,
    pub(super) minimum: u64,
    /// The time that 99 of 100 may take.
    pub(super) p99_us: u32,
}

impl fmt::Display for Crossed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Share { bad, of } = self.share;
        #[expect(
            clippy::cast_precision_loss,
            reason = "a share within a window: far below 2^52"
        )]
        let ratio = (bad as f64 * 1_000.0 / of.max(1) as f64).round() / 1_000.0;
        let most = self.most;
        match self.gate {
            Gate::FaultRatio => write!(
                f,
                "fault ratio {ratio} of {of} evaluations, expected at most {most}"
            )?,
            Gate::P99 => write!(
                f,
                "p99: {bad} of {of} evaluations took longer than {} µs, expected at most 1 in 100",
                self.p99_us
            )?,
            Gate::DecisionDrift => write!(
                f,
                "decision drift {ratio} of {of} compared payments, expected at most {most}"
            )?,
            Gate::Quarantine => {
                return write!(
                    f,
                    "{bad} of {of} evaluations faulted within the window of the quarantine"
                );
            }
        }
        if of < self.minimum {
            write!(f, " of the first {}", self.minimum)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gate_says_what_was_found_and_what_would_be_right() {
        let crossed = |gate, bad, of| {
            let crossed = Crossed {
                gate,
                share: Share { bad, of },
                most: Ratio::new(0.01).unwrap(),
                minimum: 100,
                p99_us: 500,
            };
            crossed.to_string()
        };
        assert_eq!(
            crossed(Gate::FaultRatio, 37, 1_204),
            "fault ratio 0.031 of 1204 evaluations, expected at most 0.01"
        );
        assert_eq!(
            crossed(Gate::FaultRatio, 2, 3),
            "fault ratio 0.667 of 3 evaluations, expected at most 0.01 of the first 100"
        );
        assert_eq!(
            crossed(Gate::P99, 3, 200),
            "p99: 3 of 200 evaluations took longer than 500 µs, expected at most 1 in 100"
        );
        assert_eq!(
            crossed(Gate::DecisionDrift, 11, 1_000),
            "decision drift 0.011 of 1000 compared payments, expected at most 0.01"
        );
        assert_eq!(
            crossed(Gate::Quarantine, 11, 20),
            "11 of 20 evaluations faulted within the window of the quarantine"
        );
    }

    #[test]
    fn names_lead_back_to_their_gate() {
        for gate in Gate::ALL {
            assert_eq!(Gate::parse(gate.as_str()), Some(gate));
        }
        assert_eq!(Gate::parse("fuel"), None);
    }
}
