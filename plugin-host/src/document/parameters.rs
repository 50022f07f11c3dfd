//! The knobs that an operator turns without a new build of the policy.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::strict::unique_map;
use super::text::ParameterName;

/// The most parameters that a document may set.
pub const MAX_PARAMETERS: usize = 64;

/// The longest text of a parameter, in bytes.
pub const MAX_PARAMETER_TEXT_BYTES: usize = 4_096;

/// The most texts in a parameter's list: for more there are the gateway's lists.
pub const MAX_PARAMETER_TEXTS: usize = 1_000;

/// Parameters by name, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Parameters(BTreeMap<ParameterName, ParameterValue>);

/// More parameters than [`MAX_PARAMETERS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("found {found} parameters, expected at most {MAX_PARAMETERS}")]
pub struct TooManyParameters {
    /// How many there were.
    pub found: usize,
}

impl Parameters {
    /// Takes parameters.
    ///
    /// # Errors
    /// When there are more than [`MAX_PARAMETERS`].
    pub fn new(parameters: BTreeMap<ParameterName, ParameterValue>) -> Result<Self, TooManyParameters> {
        if parameters.len() > MAX_PARAMETERS {
            return Err(TooManyParameters {
                found: parameters.len(),
            });
        }
        Ok(Self(parameters))
    }

    /// The value of one parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&ParameterValue> {
        self.iter()
            .find(|(known, _)| known.as_str() == name)
            .map(|(_, value)| value)
    }

    /// Every parameter, by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&ParameterName, &ParameterValue)> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        unique_map::<MAX_PARAMETERS, _, _, _>(deserializer).map(Self)
    }
}

/// What a parameter is set to. The kinds are those of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterValue {
    /// A whole number.
    Integer(i64),
    /// A text of at most [`MAX_PARAMETER_TEXT_BYTES`].
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// At most [`MAX_PARAMETER_TEXTS`] texts.
    Texts(Vec<String>),
}

impl ParameterValue {
    /// The kind, as an error names it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Integer(_) => "integer",
            Self::Text(_) => "string",
            Self::Flag(_) => "bool",
            Self::Texts(_) => "list of strings",
        }
    }
}

impl Serialize for ParameterValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Texts(texts) => texts.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ParameterValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

fn bounded_text<E: de::Error>(text: &str) -> Result<String, E> {
    if text.len() > MAX_PARAMETER_TEXT_BYTES {
        return Err(E::custom(format!(
            "found a string of {} bytes, expected at most {MAX_PARAMETER_TEXT_BYTES}",
            text.len()
        )));
    }
    Ok(text.to_owned())
}

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = ParameterValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer, a string, a bool or a list of strings")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(ParameterValue::Flag(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(ParameterValue::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
        i64::try_from(value).map(ParameterValue::Integer).map_err(|_| {
            E::custom(format!(
                "found {value}, expected an integer of at most {}",
                i64::MAX
            ))
        })
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
        bounded_text(value).map(ParameterValue::Text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = items.next_element::<String>()? {
            if texts.len() == MAX_PARAMETER_TEXTS {
                return Err(de::Error::custom(format!(
                    "found more than {MAX_PARAMETER_TEXTS} strings, expected at most {MAX_PARAMETER_TEXTS}"
                )));
            }
            texts.push(bounded_text(&text)?);
        }
        Ok(ParameterValue::Texts(texts))
    }
}
