//! The failure mode as a document states it.

use std::fmt;

use domain::risk::{FailureMode, FaultKind, Outcome};
use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Every key that a failure mode may have.
const KEYS: [&str; 10] = [
    "default",
    "trap",
    "out_of_fuel",
    "deadline",
    "out_of_memory",
    "stack_overflow",
    "invalid_output",
    "refused",
    "host_call_limit",
    "unavailable",
];

/// Every outcome's name.
const OUTCOMES: [&str; 4] = ["approve", "challenge", "review", "decline"];

/// The outcome for faults in general, and those for single kinds that the author chose otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureOutcomes {
    default: Outcome,
    by_kind: [Option<Outcome>; FaultKind::ALL.len()],
}

impl FailureOutcomes {
    /// One outcome for every kind of fault.
    #[must_use]
    pub const fn new(default: Outcome) -> Self {
        Self {
            default,
            by_kind: [None; FaultKind::ALL.len()],
        }
    }

    /// The same, with an outcome of its own for one kind.
    #[must_use]
    pub fn with(mut self, kind: FaultKind, outcome: Outcome) -> Self {
        if let Some(slot) = self.by_kind.get_mut(kind as usize) {
            *slot = Some(outcome);
        }
        self
    }

    /// The outcome for every kind that has none of its own.
    #[must_use]
    pub const fn default_outcome(&self) -> Outcome {
        self.default
    }

    /// What the domain works with.
    #[must_use]
    pub fn failure_mode(&self) -> FailureMode {
        self.chosen()
            .fold(FailureMode::new(self.default), |mode, (kind, outcome)| {
                mode.with(kind, outcome)
            })
    }

    fn chosen(&self) -> impl Iterator<Item = (FaultKind, Outcome)> + '_ {
        FaultKind::ALL
            .into_iter()
            .zip(self.by_kind)
            .filter_map(|(kind, outcome)| Some((kind, outcome?)))
    }
}

impl Serialize for FailureOutcomes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("default", self.default.as_str())?;
        for (kind, outcome) in self.chosen() {
            map.serialize_entry(kind.as_str(), outcome.as_str())?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for FailureOutcomes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OutcomesVisitor)
    }
}

struct OutcomesVisitor;

impl<'de> Visitor<'de> for OutcomesVisitor {
    type Value = FailureOutcomes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of outcomes with a `default`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut default = None;
        let mut outcomes = FailureOutcomes::new(Outcome::Review);
        while let Some(key) = entries.next_key::<String>()? {
            if key == "default" {
                if default.is_some() {
                    return Err(de::Error::duplicate_field("default"));
                }
                default = Some(entries.next_value::<OutcomeName>()?.0);
                continue;
            }
            let kind = FaultKind::parse(&key).ok_or_else(|| de::Error::unknown_field(&key, &KEYS))?;
            if outcomes.chosen().any(|(chosen, _)| chosen == kind) {
                return Err(de::Error::duplicate_field(kind.as_str()));
            }
            outcomes = outcomes.with(kind, entries.next_value::<OutcomeName>()?.0);
        }
        outcomes.default = default.ok_or_else(|| de::Error::missing_field("default"))?;
        Ok(outcomes)
    }
}

/// An outcome by its name.
struct OutcomeName(Outcome);

impl<'de> Deserialize<'de> for OutcomeName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Outcome::parse(&name)
            .map(Self)
            .ok_or_else(|| de::Error::unknown_variant(&name, &OUTCOMES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_the_default_and_every_kind_of_fault() {
        let kinds = FaultKind::ALL.map(FaultKind::as_str);
        assert_eq!(KEYS[0], "default");
        assert_eq!(KEYS[1..], kinds);
        assert_eq!(OUTCOMES, Outcome::ALL.map(Outcome::as_str));
    }

    #[test]
    fn a_kind_that_was_not_chosen_takes_the_default() {
        let outcomes: FailureOutcomes =
            serde_json::from_str(r#"{"deadline": "approve", "default": "decline"}"#).unwrap();
        let mode = outcomes.failure_mode();
        for kind in FaultKind::ALL {
            let expected = match kind {
                FaultKind::Deadline => Outcome::Approve,
                _ => Outcome::Decline,
            };
            assert_eq!(mode.outcome(kind), expected, "{kind}");
        }
        let written = serde_json::to_string(&outcomes).unwrap();
        assert_eq!(written, r#"{"default":"decline","deadline":"approve"}"#);
    }

    #[test]
    fn what_is_no_failure_mode_is_refused() {
        for bad in [
            "{}",
            r#"{"deadline": "approve"}"#,
            r#"{"default": "allow"}"#,
            r#"{"default": "review", "timeout": "approve"}"#,
            r#"{"default": "review", "default": "approve"}"#,
            r#"{"default": "review", "trap": "review", "trap": "approve"}"#,
        ] {
            assert!(serde_json::from_str::<FailureOutcomes>(bad).is_err(), "{bad}");
        }
    }
}
