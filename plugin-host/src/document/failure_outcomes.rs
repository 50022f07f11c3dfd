//! The failure mode as a document states it.
//!
//! Each kind of fault, and `default` for the rest, has an outcome by its name, or an object that approves small amounts
//! alone: `{"outcome": "approve", "up_to": {"CNY": 10000}, "above": "review"}`.

use std::collections::BTreeMap;
use std::fmt;
use std::iter;
use std::sync::LazyLock;

use domain::Money;
use domain::risk::{ApproveUpTo, FailureMode, FaultKind, Outcome, StandIn};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::amounts;

/// What stands in for the kinds that have nothing of their own.
const DEFAULT: &str = "default";

/// Every key that a failure mode may have: `default`, and every kind of fault.
static KEYS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let kinds = FaultKind::ALL.map(FaultKind::as_str);
    iter::once(DEFAULT).chain(kinds).collect()
});

/// Every outcome's name.
static OUTCOMES: LazyLock<Vec<&str>> = LazyLock::new(|| Outcome::ALL.map(Outcome::as_str).to_vec());

/// The domain's failure mode, as it is read from a document and written into one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureOutcomes(FailureMode);

impl From<FailureMode> for FailureOutcomes {
    fn from(mode: FailureMode) -> Self {
        Self(mode)
    }
}

impl FailureOutcomes {
    /// What the domain works with.
    #[must_use]
    pub const fn failure_mode(&self) -> &FailureMode {
        &self.0
    }
}

impl Serialize for FailureOutcomes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(DEFAULT, &Written(self.0.default_stand_in()))?;
        for (kind, stand_in) in self.0.chosen() {
            map.serialize_entry(kind.as_str(), &Written(stand_in))?;
        }
        map.end()
    }
}

struct Written<'a>(&'a StandIn);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct UpTo<'a> {
            outcome: &'a str,
            up_to: BTreeMap<&'a str, i64>,
            above: &'a str,
        }
        match self.0 {
            StandIn::Always(outcome) => serializer.serialize_str(outcome.as_str()),
            StandIn::UpTo(chosen) => UpTo {
                outcome: Outcome::Approve.as_str(),
                up_to: chosen
                    .amounts()
                    .iter()
                    .map(|amount| (amount.currency().code(), amount.minor_units()))
                    .collect(),
                above: chosen.above().as_str(),
            }
            .serialize(serializer),
        }
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
        let mut chosen: BTreeMap<FaultKind, StandIn> = BTreeMap::new();
        while let Some(key) = entries.next_key::<String>()? {
            if key == DEFAULT {
                if default.is_some() {
                    return Err(de::Error::duplicate_field(DEFAULT));
                }
                default = Some(entries.next_value::<Read>()?.0);
                continue;
            }
            let kind = FaultKind::parse(&key).ok_or_else(|| de::Error::unknown_field(&key, &KEYS))?;
            if chosen.contains_key(&kind) {
                return Err(de::Error::duplicate_field(kind.as_str()));
            }
            chosen.insert(kind, entries.next_value::<Read>()?.0);
        }
        let default = default.ok_or_else(|| de::Error::missing_field(DEFAULT))?;
        let mode = FailureMode::new(default);
        let mode = chosen
            .into_iter()
            .fold(mode, |mode, (kind, stand_in)| mode.with(kind, stand_in));
        Ok(FailureOutcomes(mode))
    }
}

/// What stands in, as it is read: a name, or an object.
struct Read(StandIn);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadVisitor)
    }
}

struct ReadVisitor;

impl<'de> Visitor<'de> for ReadVisitor {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an outcome, or an object of `outcome`, `up_to` and `above`")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Read, E> {
        outcome(name).map(|outcome| Read(outcome.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Read, A::Error> {
        let object = Object::deserialize(MapAccessDeserializer::new(entries))?;
        object.stand_in().map(Read)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    outcome: OutcomeName,
    #[serde(default, deserialize_with = "up_to")]
    up_to: Option<Vec<Money>>,
    #[serde(default, deserialize_with = "above")]
    above: Option<Outcome>,
}

impl Object {
    fn stand_in<E: de::Error>(self) -> Result<StandIn, E> {
        let outcome = self.outcome.0;
        match (self.up_to, self.above) {
            (None, None) => Ok(outcome.into()),
            (None, Some(_)) => Err(E::custom(
                "found `above` without `up_to`, expected the amount up to which `approve` stands",
            )),
            (Some(_), _) if outcome != Outcome::Approve => Err(E::custom(format!(
                "found `up_to` with the outcome `{}`, expected it with `approve` alone",
                outcome.as_str()
            ))),
            (Some(amounts), above) => ApproveUpTo::new(amounts, above.unwrap_or(ApproveUpTo::DEFAULT_ABOVE))
                .map(StandIn::from)
                .map_err(E::custom),
        }
    }
}

fn up_to<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Money>>, D::Error> {
    let amounts = amounts::by_currency(deserializer)?;
    if amounts.is_empty() {
        return Err(de::Error::custom(
            "found no amount, expected one for at least one currency, such as `CNY`",
        ));
    }
    amounts
        .into_iter()
        .map(|(currency, amount)| {
            Money::new(amount, currency)
                .map_err(|error| de::Error::custom(format!("found an amount in {currency}, but {error}")))
        })
        .collect::<Result<_, _>>()
        .map(Some)
}

fn above<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Outcome>, D::Error> {
    match OutcomeName::deserialize(deserializer)?.0 {
        Outcome::Approve => Err(de::Error::custom(
            "found `approve` above the amount, expected `challenge`, `review` or `decline`",
        )),
        outcome => Ok(Some(outcome)),
    }
}

/// An outcome by its name.
struct OutcomeName(Outcome);

impl<'de> Deserialize<'de> for OutcomeName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        outcome(&String::deserialize(deserializer)?).map(Self)
    }
}

fn outcome<E: de::Error>(name: &str) -> Result<Outcome, E> {
    Outcome::parse(name).ok_or_else(|| E::unknown_variant(name, &OUTCOMES))
}

#[cfg(test)]
mod tests;
