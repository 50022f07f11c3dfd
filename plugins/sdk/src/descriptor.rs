//! The descriptor: what a policy says of itself, written as a list of what it needs.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::{
    Descriptor, FeatureSpec, ListFeature, NamedFeatureSpec, Parameter, ParameterValue, PaymentFilter,
    PaymentParts, Subject, VelocityFeature, VelocityMeasure,
};

const MINUTE_SECONDS: u32 = 60;
const HOUR_SECONDS: u32 = 60 * MINUTE_SECONDS;
const DAY_SECONDS: u32 = 24 * HOUR_SECONDS;

impl Descriptor {
    /// A policy that reads no personal data, needs no feature and has no parameter yet. The summary is one sentence
    /// for the people who operate the gateway.
    #[must_use]
    pub fn new(summary: &str) -> Self {
        Self {
            summary: summary.to_owned(),
            reads: PaymentParts::empty(),
            features: Vec::new(),
            parameters: Vec::new(),
        }
    }

    /// Asks for parts of the payment; without this a policy sees the amount, the merchant and the time alone. A
    /// feature about a part does not need it: the gateway looks features up itself.
    #[must_use]
    pub fn reads(mut self, parts: PaymentParts) -> Self {
        self.reads |= parts;
        self
    }

    /// Asks for a feature, under a name of the policy's own choice.
    #[must_use]
    pub fn feature(mut self, name: &str, spec: impl Into<FeatureSpec>) -> Self {
        self.features.push(NamedFeatureSpec {
            name: name.to_owned(),
            spec: spec.into(),
        });
        self
    }

    /// Offers a parameter with its default: a number, a text, a flag, or an array of texts.
    #[must_use]
    pub fn parameter(mut self, name: &str, default: impl Into<ParameterValue>) -> Self {
        self.parameters.push(Parameter {
            name: name.to_owned(),
            value: default.into(),
        });
        self
    }
}

/// How many payments of this subject: 6 when the card pays for the sixth time.
pub const fn count(subject: Subject) -> Velocity {
    Velocity {
        subject,
        measure: VelocityMeasure::Count,
        filter: PaymentFilter::Attempted,
    }
}

/// The sum of the payments of this subject, in minor units of the payment's own currency.
pub const fn amount(subject: Subject) -> Velocity {
    Velocity {
        subject,
        measure: VelocityMeasure::Amount,
        filter: PaymentFilter::Attempted,
    }
}

/// How many different `of` were seen together with this subject: `distinct(Subject::Card, Subject::Device)` is the
/// number of cards that this device paid with.
pub const fn distinct(of: Subject, with: Subject) -> Velocity {
    Velocity {
        subject: with,
        measure: VelocityMeasure::Distinct(of),
        filter: PaymentFilter::Attempted,
    }
}

/// Whether this subject is on a list that the gateway keeps.
#[must_use]
pub fn listed(list: &str, subject: Subject) -> FeatureSpec {
    FeatureSpec::Listed(ListFeature {
        list: list.to_owned(),
        subject,
    })
}

/// A velocity feature that still wants its window. It counts attempted payments unless told otherwise.
#[derive(Clone, Copy, Debug)]
#[must_use = "a velocity feature needs a window: `.within_hours(1)`"]
pub struct Velocity {
    subject: Subject,
    measure: VelocityMeasure,
    filter: PaymentFilter,
}

impl Velocity {
    /// Counts every payment, however it ended, and the one that is being decided exactly once.
    pub const fn attempted(mut self) -> Self {
        self.filter = PaymentFilter::Attempted;
        self
    }

    /// Counts past payments that were approved.
    pub const fn approved(mut self) -> Self {
        self.filter = PaymentFilter::Approved;
        self
    }

    /// Counts past payments that were declined.
    pub const fn declined(mut self) -> Self {
        self.filter = PaymentFilter::Declined;
        self
    }

    /// The window, in seconds back from the payment.
    #[must_use]
    pub const fn within_seconds(self, seconds: u32) -> FeatureSpec {
        FeatureSpec::Velocity(VelocityFeature {
            subject: self.subject,
            measure: self.measure,
            filter: self.filter,
            window_seconds: seconds,
        })
    }

    /// The window, in minutes back from the payment.
    #[must_use]
    pub const fn within_minutes(self, minutes: u32) -> FeatureSpec {
        self.within_seconds(minutes.saturating_mul(MINUTE_SECONDS))
    }

    /// The window, in hours back from the payment.
    #[must_use]
    pub const fn within_hours(self, hours: u32) -> FeatureSpec {
        self.within_seconds(hours.saturating_mul(HOUR_SECONDS))
    }

    /// The window, in days of 24 hours back from the payment.
    #[must_use]
    pub const fn within_days(self, days: u32) -> FeatureSpec {
        self.within_seconds(days.saturating_mul(DAY_SECONDS))
    }
}

impl From<i64> for ParameterValue {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for ParameterValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<bool> for ParameterValue {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl<const N: usize> From<[&str; N]> for ParameterValue {
    fn from(values: [&str; N]) -> Self {
        Self::Texts(values.into_iter().map(ToOwned::to_owned).collect())
    }
}

impl From<Vec<String>> for ParameterValue {
    fn from(values: Vec<String>) -> Self {
        Self::Texts(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_read_as_they_are_written() {
        let descriptor = Descriptor::new("a rule")
            .feature("often", count(Subject::Card).declined().within_minutes(10))
            .feature("cards", distinct(Subject::Card, Subject::Device).within_days(2))
            .feature("blocked", listed("blocked", Subject::Email));
        let specs: Vec<_> = descriptor
            .features
            .into_iter()
            .map(|feature| feature.spec)
            .collect();
        assert_eq!(
            specs,
            [
                FeatureSpec::Velocity(VelocityFeature {
                    subject: Subject::Card,
                    measure: VelocityMeasure::Count,
                    filter: PaymentFilter::Declined,
                    window_seconds: 600,
                }),
                FeatureSpec::Velocity(VelocityFeature {
                    subject: Subject::Device,
                    measure: VelocityMeasure::Distinct(Subject::Card),
                    filter: PaymentFilter::Attempted,
                    window_seconds: 172_800,
                }),
                FeatureSpec::Listed(ListFeature {
                    list: "blocked".to_owned(),
                    subject: Subject::Email
                }),
            ]
        );
    }

    #[test]
    fn parameters_take_their_kind_from_the_default() {
        let descriptor = Descriptor::new("a rule")
            .parameter("max_count", 5)
            .parameter("mode", "strict")
            .parameter("enabled", true)
            .parameter("countries", ["CN", "SG"]);
        let values: Vec<_> = descriptor
            .parameters
            .into_iter()
            .map(|parameter| parameter.value)
            .collect();
        assert_eq!(
            values,
            [
                ParameterValue::Integer(5),
                ParameterValue::Text("strict".to_owned()),
                ParameterValue::Flag(true),
                ParameterValue::Texts(["CN".to_owned(), "SG".to_owned()].into()),
            ]
        );
    }

    #[test]
    fn parts_add_up() {
        let descriptor = Descriptor::new("a rule")
            .reads(PaymentParts::CARD)
            .reads(PaymentParts::CARD | PaymentParts::DEVICE);
        assert_eq!(descriptor.reads, PaymentParts::CARD | PaymentParts::DEVICE);
    }
}
