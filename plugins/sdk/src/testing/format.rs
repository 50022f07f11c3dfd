//! The file of golden cases, as it is written. A field that nobody knows is refused: a misspelt one would otherwise
//! make a case that tests nothing.

use core::fmt;
use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::exponents::exponent;
use crate::{
    Card, Customer, Decision, Device, FeatureValue, Money, Outcome, ParameterValue, Payment, Reason,
};

/// The contracts that a file may be written for: the one that this kit is made for, and the older ones that say nothing
/// else of a golden case.
pub(super) const CONTRACTS: [&str; 2] = ["portcullis:policy@0.1.0", "portcullis:policy@0.2.0"];

/// A whole file. Its cases are parsed one by one, so that an error can tell the name of its case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GoldenFile {
    pub(super) contract: String,
    pub(super) cases: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GoldenCase {
    pub(super) name: String,
    #[serde(with = "GoldenPayment")]
    pub(super) payment: Payment,
    #[serde(default)]
    features: BTreeMap<String, GoldenFeature>,
    #[serde(default)]
    parameters: BTreeMap<String, GoldenParameter>,
    #[serde(default, deserialize_with = "given")]
    decision: Option<GoldenDecision>,
    #[serde(default, deserialize_with = "given")]
    error: Option<String>,
}

impl GoldenCase {
    pub(super) fn features(&self) -> impl Iterator<Item = (&str, FeatureValue)> {
        self.features
            .iter()
            .map(|(name, feature)| (name.as_str(), feature.value()))
    }

    pub(super) fn parameters(&self) -> impl Iterator<Item = (&str, ParameterValue)> {
        self.parameters
            .iter()
            .map(|(name, parameter)| (name.as_str(), parameter.value()))
    }

    /// What the policy shall answer, when the case says so in exactly one way.
    pub(super) fn expected(&self) -> Option<Result<Decision, String>> {
        match (&self.decision, &self.error) {
            (Some(decision), None) => Some(Ok(decision.value())),
            (None, Some(error)) => Some(Err(error.clone())),
            _ => None,
        }
    }
}

/// Parses a value, and says in which field it goes wrong.
pub(super) fn parse<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if path == "." {
            inner.to_string()
        } else {
            format!("{path}: {inner}")
        }
    })
}

/// A field that may be left out and is not `null` when it is there.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
#[serde(remote = "Payment", deny_unknown_fields)]
struct GoldenPayment {
    id: String,
    merchant_id: String,
    #[serde(default)]
    merchant_category: Option<String>,
    #[serde(deserialize_with = "money")]
    amount: Money,
    created_at: u64,
    #[serde(default, deserialize_with = "card")]
    card: Option<Card>,
    #[serde(default, deserialize_with = "customer")]
    customer: Option<Customer>,
    #[serde(default, deserialize_with = "device")]
    device: Option<Device>,
    #[serde(default)]
    metadata: Vec<(String, String)>,
}

/// Without the exponent, which follows from the currency.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GoldenMoney {
    minor_units: i64,
    currency: String,
}

#[derive(Deserialize)]
#[serde(remote = "Card", deny_unknown_fields)]
struct GoldenCard {
    bin: String,
    last4: String,
    fingerprint: String,
    #[serde(default)]
    issuer_country: Option<String>,
}

#[derive(Deserialize)]
#[serde(remote = "Customer", deny_unknown_fields)]
struct GoldenCustomer {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    billing_country: Option<String>,
    #[serde(default)]
    shipping_country: Option<String>,
}

#[derive(Deserialize)]
#[serde(remote = "Device", deny_unknown_fields)]
struct GoldenDevice {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    ip: Option<String>,
    #[serde(default)]
    ip_country: Option<String>,
    #[serde(default)]
    user_agent: Option<String>,
}

fn money<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
    let GoldenMoney {
        minor_units,
        currency,
    } = GoldenMoney::deserialize(deserializer)?;
    Ok(Money {
        minor_units,
        exponent: exponent(&currency),
        currency,
    })
}

fn card<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Card>, D::Error> {
    #[derive(Deserialize)]
    struct Part(#[serde(with = "GoldenCard")] Card);
    Ok(Option::<Part>::deserialize(deserializer)?.map(|part| part.0))
}

fn customer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Customer>, D::Error> {
    #[derive(Deserialize)]
    struct Part(#[serde(with = "GoldenCustomer")] Customer);
    Ok(Option::<Part>::deserialize(deserializer)?.map(|part| part.0))
}

fn device<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Device>, D::Error> {
    #[derive(Deserialize)]
    struct Part(#[serde(with = "GoldenDevice")] Device);
    Ok(Option::<Part>::deserialize(deserializer)?.map(|part| part.0))
}

/// `{"count": 6}`, `{"amount": 5000}`, `{"listed": true}` or `"unavailable"`.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum GoldenFeature {
    Count(u64),
    Amount(i64),
    Listed(bool),
    Unavailable,
}

impl GoldenFeature {
    fn value(&self) -> FeatureValue {
        match *self {
            Self::Count(count) => FeatureValue::Count(count),
            Self::Amount(amount) => FeatureValue::Amount(amount),
            Self::Listed(listed) => FeatureValue::Listed(listed),
            Self::Unavailable => FeatureValue::Unavailable,
        }
    }
}

/// A number, a text, a flag or a list of texts.
enum GoldenParameter {
    Integer(i64),
    Text(String),
    Flag(bool),
    Texts(Vec<String>),
}

impl GoldenParameter {
    fn value(&self) -> ParameterValue {
        match self {
            Self::Integer(integer) => ParameterValue::Integer(*integer),
            Self::Text(text) => ParameterValue::Text(text.clone()),
            Self::Flag(flag) => ParameterValue::Flag(*flag),
            Self::Texts(texts) => ParameterValue::Texts(texts.clone()),
        }
    }
}

impl<'de> Deserialize<'de> for GoldenParameter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let refused = |value: &dyn fmt::Display| {
            D::Error::custom(format!(
                "expected a whole number, a text, a flag or a list of texts, found {value}"
            ))
        };
        match value {
            Value::Number(number) => number.as_i64().map(Self::Integer).ok_or_else(|| refused(&number)),
            Value::String(text) => Ok(Self::Text(text)),
            Value::Bool(flag) => Ok(Self::Flag(flag)),
            Value::Array(_) => serde_json::from_value(value.clone())
                .map(Self::Texts)
                .map_err(|_| refused(&value)),
            Value::Null | Value::Object(_) => Err(refused(&value)),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GoldenDecision {
    outcome: GoldenOutcome,
    score: u16,
    reasons: Vec<GoldenReason>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum GoldenOutcome {
    Approve,
    Challenge,
    Review,
    Decline,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GoldenReason {
    code: String,
    message: String,
}

impl GoldenDecision {
    fn value(&self) -> Decision {
        let outcome = match self.outcome {
            GoldenOutcome::Approve => Outcome::Approve,
            GoldenOutcome::Challenge => Outcome::Challenge,
            GoldenOutcome::Review => Outcome::Review,
            GoldenOutcome::Decline => Outcome::Decline,
        };
        let reasons = self
            .reasons
            .iter()
            .map(|reason| Reason {
                code: reason.code.clone(),
                message: reason.message.clone(),
            })
            .collect();
        Decision {
            outcome,
            score: self.score,
            reasons,
        }
    }
}
