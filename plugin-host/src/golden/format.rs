//! The JSON of golden cases, and their requests in the contract's types.

use std::collections::BTreeMap;

use domain::feature::FeatureValue;
use serde::Deserialize;
use thiserror::Error;

use crate::contract::answer::DescribedPolicy;
use crate::contract::request::{Card, Customer, Device, Money, PaymentView, exponent};
use crate::contract::version::{ContractVersion, served};
use crate::document::strict::shorten;
use crate::document::{FieldError, ParameterValue};

/// Bytes of all golden cases of a policy.
pub const MAX_GOLDEN_CASES_BYTES: usize = 1024 * 1024;

/// Golden cases of a policy. Each runs on every node before the policy comes into force, so this bounds the time to load.
pub(crate) const MAX_GOLDEN_CASES: usize = 1_000;

/// Bytes shown of what stands in the place of a contract's name.
const MAX_SHOWN_BYTES: usize = 128;

/// Why golden cases cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GoldenCasesError {
    /// The JSON is off.
    #[error("golden cases: {path}: {message}")]
    Malformed {
        /// Where.
        path: String,
        /// What was found and what was expected.
        message: String,
    },
    /// More than there may be.
    #[error("golden cases: expected at most {max} {unit}, found {found}")]
    TooMany {
        /// The bound.
        max: usize,
        /// `bytes` or `cases`.
        unit: &'static str,
        /// What is there.
        found: usize,
    },
    /// Written for a contract that is not served.
    #[error("golden cases: contract: expected {}, found `{found}`", served())]
    OtherContract {
        /// What is there.
        found: String,
    },
    /// Written for a newer contract than the component.
    #[error(
        "golden cases: contract: expected `{expected}`, which the component was built for, or an older one; found `{found}`"
    )]
    NewerContract {
        /// The component's.
        expected: &'static str,
        /// That of the cases.
        found: &'static str,
    },
}

/// Golden cases that were read.
#[derive(Clone, Debug)]
pub struct GoldenCases {
    contract: ContractVersion,
    cases: Vec<GoldenCase>,
}

/// A file of golden cases, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GoldenFile {
    contract: String,
    cases: Vec<GoldenCase>,
}

/// One request, and what must come of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenCase {
    /// What the case shows, as a sentence.
    pub name: String,
    payment: GoldenPayment,
    #[serde(default)]
    features: BTreeMap<String, GoldenFeature>,
    #[serde(default)]
    parameters: BTreeMap<String, ParameterValue>,
    decision: Option<GoldenDecision>,
    error: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GoldenPayment {
    id: String,
    merchant_id: String,
    merchant_category: Option<String>,
    amount: GoldenMoney,
    created_at: u64,
    card: Option<GoldenCard>,
    customer: Option<GoldenCustomer>,
    device: Option<GoldenDevice>,
    #[serde(default)]
    metadata: Vec<(String, String)>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GoldenMoney {
    minor_units: i64,
    currency: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GoldenCard {
    bin: String,
    last4: String,
    fingerprint: String,
    issuer_country: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GoldenCustomer {
    id: Option<String>,
    email: Option<String>,
    billing_country: Option<String>,
    shipping_country: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GoldenDevice {
    id: Option<String>,
    ip: Option<String>,
    ip_country: Option<String>,
    user_agent: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum GoldenFeature {
    Count(u64),
    Amount(i64),
    Listed(bool),
    Unavailable,
}

/// What a case expects.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GoldenDecision {
    pub(crate) outcome: String,
    pub(crate) score: u16,
    pub(crate) reasons: Vec<GoldenReason>,
}

/// A reason that a case expects.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GoldenReason {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// Both parts quote what was found, and that may be a whole artifact's worth: they are cut as those of a document are.
fn malformed(path: &str, error: &serde_json::Error) -> GoldenCasesError {
    let FieldError { path, message, .. } = FieldError::at(path, error.to_string());
    GoldenCasesError::Malformed { path, message }
}

impl GoldenCases {
    /// Reads golden cases, within their bounds.
    ///
    /// # Errors
    /// When the JSON is off, too much, or for another contract.
    pub fn parse(json: &[u8]) -> Result<Self, GoldenCasesError> {
        let too_many = |max, unit, found| Err(GoldenCasesError::TooMany { max, unit, found });
        if json.len() > MAX_GOLDEN_CASES_BYTES {
            return too_many(MAX_GOLDEN_CASES_BYTES, "bytes", json.len());
        }
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let file: GoldenFile = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| malformed(&error.path().to_string(), error.inner()))?;
        deserializer.end().map_err(|error| malformed(".", &error))?;
        let Some(contract) = ContractVersion::of_package(&file.contract) else {
            return Err(GoldenCasesError::OtherContract {
                found: shorten(&file.contract, MAX_SHOWN_BYTES),
            });
        };
        if file.cases.len() > MAX_GOLDEN_CASES {
            return too_many(MAX_GOLDEN_CASES, "cases", file.cases.len());
        }
        Ok(Self {
            contract,
            cases: file.cases,
        })
    }

    /// Sees that the cases say nothing that a component of this version does not know.
    pub(crate) fn check_contract(&self, component: ContractVersion) -> Result<(), GoldenCasesError> {
        if self.contract > component {
            return Err(GoldenCasesError::NewerContract {
                expected: component.package(),
                found: self.contract.package(),
            });
        }
        Ok(())
    }

    /// The cases, in their order.
    #[must_use]
    pub fn cases(&self) -> &[GoldenCase] {
        &self.cases
    }
}

impl GoldenCase {
    /// What must come of the request: a decision, or an error of the policy's own.
    pub(crate) fn expected(&self) -> Result<Result<&GoldenDecision, &str>, String> {
        match (&self.decision, &self.error) {
            (Some(decision), None) => Ok(Ok(decision)),
            (None, Some(error)) => Ok(Err(error)),
            _ => Err("expected either `decision` or `error`".to_owned()),
        }
    }

    /// The payment, with all its parts.
    pub(crate) fn payment(&self) -> PaymentView<'_> {
        let payment = &self.payment;
        PaymentView {
            id: &payment.id,
            merchant_id: &payment.merchant_id,
            merchant_category: payment.merchant_category.as_deref(),
            amount: Money {
                minor_units: payment.amount.minor_units,
                currency: &payment.amount.currency,
                exponent: exponent(&payment.amount.currency),
            },
            created_at: payment.created_at,
            card: payment.card.as_ref().map(|card| Card {
                bin: &card.bin,
                last4: &card.last4,
                fingerprint: &card.fingerprint,
                issuer_country: card.issuer_country.as_deref(),
            }),
            customer: payment.customer.as_ref().map(|customer| Customer {
                id: customer.id.as_deref(),
                email: customer.email.as_deref(),
                billing_country: customer.billing_country.as_deref(),
                shipping_country: customer.shipping_country.as_deref(),
            }),
            device: payment.device.as_ref().map(|device| Device {
                id: device.id.as_deref(),
                ip: device.ip.as_deref(),
                ip_country: device.ip_country.as_deref(),
                user_agent: device.user_agent.as_deref(),
            }),
            metadata: payment
                .metadata
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect(),
        }
    }

    /// The features in the descriptor's order; those the case does not name are unavailable.
    pub(crate) fn features(&self, policy: &DescribedPolicy) -> Result<Vec<FeatureValue>, String> {
        for name in self.features.keys() {
            if !policy.features.iter().any(|(known, _)| **known == **name) {
                return Err(format!("features.{name}: the policy has no such feature"));
            }
        }
        let value = |name: &str| match self.features.get(name) {
            Some(GoldenFeature::Count(count)) => FeatureValue::Count(*count),
            Some(GoldenFeature::Amount(amount)) => FeatureValue::Amount(*amount),
            Some(GoldenFeature::Listed(listed)) => FeatureValue::Listed(*listed),
            Some(GoldenFeature::Unavailable) | None => FeatureValue::Unavailable,
        };
        Ok(policy.features.iter().map(|(name, _)| value(name)).collect())
    }

    /// What the case sets of the policy's parameters.
    pub(crate) fn parameters(&self) -> &BTreeMap<String, ParameterValue> {
        &self.parameters
    }
}
