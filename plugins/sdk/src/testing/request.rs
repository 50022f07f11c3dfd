//! Requests as the gateway makes them: only what the descriptor asks for, in its order.

use core::fmt;
use core::mem::discriminant;
use std::collections::BTreeMap;
use std::error::Error;

use crate::{
    Descriptor, Feature, FeatureSpec, FeatureValue, Parameter, ParameterValue, Payment, PaymentParts,
    Request, VelocityFeature, VelocityMeasure,
};

/// Begins a request for a policy with this descriptor. Parts that the descriptor does not read are left out, features
/// are `unavailable` and parameters have their defaults until they are set.
pub fn request(descriptor: &Descriptor, payment: Payment) -> RequestBuilder<'_> {
    RequestBuilder {
        descriptor,
        payment,
        features: BTreeMap::new(),
        parameters: BTreeMap::new(),
    }
}

/// See [`request`].
#[derive(Clone, Debug)]
#[must_use]
pub struct RequestBuilder<'a> {
    descriptor: &'a Descriptor,
    payment: Payment,
    features: BTreeMap<String, FeatureValue>,
    parameters: BTreeMap<String, ParameterValue>,
}

impl RequestBuilder<'_> {
    /// Sets a `count` or `distinct` feature.
    pub fn count(self, name: &str, count: u64) -> Self {
        self.feature(name, FeatureValue::Count(count))
    }

    /// Sets an `amount` feature, in minor units of the payment's currency.
    pub fn amount(self, name: &str, minor_units: i64) -> Self {
        self.feature(name, FeatureValue::Amount(minor_units))
    }

    /// Sets a `listed` feature.
    pub fn listed(self, name: &str, listed: bool) -> Self {
        self.feature(name, FeatureValue::Listed(listed))
    }

    /// Sets a feature of any kind.
    pub fn feature(mut self, name: &str, value: FeatureValue) -> Self {
        self.features.insert(name.to_owned(), value);
        self
    }

    /// Sets a parameter, as an operator would in the policy document.
    pub fn parameter(mut self, name: &str, value: impl Into<ParameterValue>) -> Self {
        self.parameters.insert(name.to_owned(), value.into());
        self
    }

    /// The request.
    ///
    /// # Panics
    ///
    /// When a feature or a parameter was set that the descriptor does not have, or with a value of another kind.
    #[must_use]
    #[expect(clippy::panic, reason = "this is for tests, and says which name is wrong")]
    pub fn build(self) -> Request {
        self.try_build().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The request, or what is wrong with it.
    ///
    /// # Errors
    ///
    /// See [`RequestError`].
    pub fn try_build(mut self) -> Result<Request, RequestError> {
        let descriptor = self.descriptor;
        let features = descriptor
            .features
            .iter()
            .map(|asked| {
                let value = self
                    .features
                    .remove(&asked.name)
                    .unwrap_or(FeatureValue::Unavailable);
                if !answers(&asked.spec, &value) {
                    return Err(RequestError::FeatureKind {
                        name: asked.name.clone(),
                        value,
                    });
                }
                Ok(Feature {
                    name: asked.name.clone(),
                    value,
                })
            })
            .collect::<Result<_, _>>()?;
        let parameters = descriptor
            .parameters
            .iter()
            .map(|offered| {
                let value = self
                    .parameters
                    .remove(&offered.name)
                    .unwrap_or_else(|| offered.value.clone());
                if discriminant(&value) != discriminant(&offered.value) {
                    return Err(RequestError::ParameterKind {
                        name: offered.name.clone(),
                        value,
                    });
                }
                Ok(Parameter {
                    name: offered.name.clone(),
                    value,
                })
            })
            .collect::<Result<_, _>>()?;
        if let Some(name) = self.features.into_keys().next() {
            return Err(RequestError::UnknownFeature { name });
        }
        if let Some(name) = self.parameters.into_keys().next() {
            return Err(RequestError::UnknownParameter { name });
        }
        Ok(Request {
            payment: masked(self.payment, descriptor.reads),
            features,
            parameters,
        })
    }
}

/// The payment without the parts that a policy did not ask for.
fn masked(mut payment: Payment, reads: PaymentParts) -> Payment {
    if !reads.contains(PaymentParts::CARD) {
        payment.card = None;
    }
    if !reads.contains(PaymentParts::CUSTOMER) {
        payment.customer = None;
    }
    if !reads.contains(PaymentParts::DEVICE) {
        payment.device = None;
    }
    if !reads.contains(PaymentParts::METADATA) {
        payment.metadata.clear();
    }
    payment
}

/// Whether the gateway could give this value for this feature.
fn answers(spec: &FeatureSpec, value: &FeatureValue) -> bool {
    match (spec, value) {
        (_, FeatureValue::Unavailable) | (FeatureSpec::Listed(_), FeatureValue::Listed(_)) => true,
        (FeatureSpec::Velocity(VelocityFeature { measure, .. }), FeatureValue::Count(_)) => {
            matches!(measure, VelocityMeasure::Count | VelocityMeasure::Distinct(_))
        }
        (FeatureSpec::Velocity(VelocityFeature { measure, .. }), FeatureValue::Amount(_)) => {
            matches!(measure, VelocityMeasure::Amount)
        }
        _ => false,
    }
}

/// What a test, or a golden case, asks for and no gateway would send.
#[derive(Clone, Debug, PartialEq)]
pub enum RequestError {
    /// The descriptor asks for no feature of this name.
    UnknownFeature {
        /// As it was written.
        name: String,
    },
    /// The feature is of another kind than the value.
    FeatureKind {
        /// As it was written.
        name: String,
        /// The value that does not fit.
        value: FeatureValue,
    },
    /// The descriptor offers no parameter of this name.
    UnknownParameter {
        /// As it was written.
        name: String,
    },
    /// The default of the parameter is of another kind than the value.
    ParameterKind {
        /// As it was written.
        name: String,
        /// The value that does not fit.
        value: ParameterValue,
    },
}

impl fmt::Display for RequestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownFeature { name } => write!(
                formatter,
                "features.{name}: the descriptor asks for no such feature"
            ),
            Self::FeatureKind { name, value } => {
                write!(
                    formatter,
                    "features.{name}: {value:?} is not of the kind that the descriptor asks for"
                )
            }
            Self::UnknownParameter { name } => {
                write!(
                    formatter,
                    "parameters.{name}: the descriptor offers no such parameter"
                )
            }
            Self::ParameterKind { name, value } => {
                write!(
                    formatter,
                    "parameters.{name}: {value:?} is not of the kind of its default"
                )
            }
        }
    }
}

impl Error for RequestError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{card, customer, device, payment};
    use crate::{Subject, amount, count, listed};

    fn descriptor() -> Descriptor {
        Descriptor::new("a rule")
            .reads(PaymentParts::CARD)
            .feature("b", count(Subject::Card).within_hours(1))
            .feature("a", amount(Subject::Card).within_hours(1))
            .feature("c", listed("blocked", Subject::Card))
            .parameter("z", 1)
            .parameter("y", "text")
    }

    fn everything() -> Payment {
        payment()
            .card(card())
            .customer(customer())
            .device(device())
            .metadata("key", "value")
            .build()
    }

    #[test]
    fn only_the_parts_that_the_descriptor_reads_are_given() {
        let given = request(&descriptor(), everything()).build().payment;
        assert_eq!(given.card, Some(card()));
        assert_eq!((given.customer, given.device), (None, None));
        assert!(given.metadata.is_empty());
    }

    #[test]
    fn features_and_parameters_come_in_the_order_of_the_descriptor() {
        let built = request(&descriptor(), everything())
            .amount("a", 7)
            .parameter("y", "other")
            .build();
        let features: Vec<_> = built
            .features
            .into_iter()
            .map(|feature| (feature.name, feature.value))
            .collect();
        assert_eq!(
            features,
            [
                ("b".to_owned(), FeatureValue::Unavailable),
                ("a".to_owned(), FeatureValue::Amount(7)),
                ("c".to_owned(), FeatureValue::Unavailable),
            ]
        );
        let parameters: Vec<_> = built
            .parameters
            .into_iter()
            .map(|parameter| (parameter.name, parameter.value))
            .collect();
        assert_eq!(
            parameters,
            [
                ("z".to_owned(), ParameterValue::Integer(1)),
                ("y".to_owned(), ParameterValue::Text("other".to_owned())),
            ]
        );
    }

    #[test]
    fn names_and_kinds_that_the_descriptor_does_not_have_are_refused() {
        let descriptor = descriptor();
        let of = || request(&descriptor, everything());
        let text = |builder: RequestBuilder<'_>| builder.try_build().unwrap_err().to_string();
        assert_eq!(
            text(of().count("d", 1)),
            "features.d: the descriptor asks for no such feature"
        );
        assert!(
            text(of().count("a", 1)).starts_with("features.a: FeatureValue::Count(1) is not of the kind")
        );
        assert!(text(of().listed("b", true)).starts_with("features.b: "));
        assert_eq!(
            text(of().parameter("x", 1)),
            "parameters.x: the descriptor offers no such parameter"
        );
        assert!(text(of().parameter("z", "1")).starts_with("parameters.z: "));
    }
}
