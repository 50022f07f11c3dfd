//! Between the contract's types and the domain's. What a guest says is checked here, once, against named bounds.

use domain::feature::{
    FeatureSpec, FeatureValue, MAX_WINDOW_SECONDS, PaymentFilter, Subject, VelocityMeasure,
};
use domain::risk::{Outcome, Reason, RiskRequest, Score, Verdict};
use thiserror::Error;

use super::types;
use crate::document::ParameterValue;

/// Features that one policy may ask for.
const MAX_FEATURES: usize = 64;

/// Parameters that one policy may have.
const MAX_PARAMETERS: usize = 64;

/// Bytes of the name of a feature, a parameter or a list.
const MAX_NAME_BYTES: usize = 64;

/// Bytes of a policy's summary.
const MAX_SUMMARY_BYTES: usize = 512;

/// Reasons of one decision.
const MAX_REASONS: usize = 32;

/// Bytes of a reason's code.
const MAX_CODE_BYTES: usize = 64;

/// Bytes of a reason's message.
const MAX_MESSAGE_BYTES: usize = 512;

/// What a guest said breaks the contract. The path leads to where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path}: {message}")]
pub(crate) struct ContractViolation {
    /// Such as `decision.reasons[3].code`.
    pub(crate) path: String,
    /// What was found and what was expected.
    pub(crate) message: String,
}

fn violation(path: impl Into<String>, message: impl Into<String>) -> ContractViolation {
    ContractViolation {
        path: path.into(),
        message: message.into(),
    }
}

/// A descriptor whose every part was checked.
#[derive(Clone, Debug)]
pub(crate) struct DescribedPolicy {
    /// What the policy says it does.
    pub(crate) summary: Box<str>,
    /// The parts of a payment that it reads.
    pub(crate) reads: types::PaymentParts,
    /// The features it asks for, in its order.
    pub(crate) features: Vec<(Box<str>, FeatureSpec)>,
    /// Its knobs with their defaults, in its order.
    pub(crate) parameters: Vec<(Box<str>, ParameterValue)>,
}

/// Checks what a policy says of itself.
pub(crate) fn describe_policy(descriptor: types::Descriptor) -> Result<DescribedPolicy, ContractViolation> {
    let types::Descriptor {
        summary,
        reads,
        features,
        parameters,
    } = descriptor;
    at_most("descriptor.summary", summary.len(), MAX_SUMMARY_BYTES, "bytes")?;
    at_most("descriptor.features", features.len(), MAX_FEATURES, "features")?;
    at_most(
        "descriptor.parameters",
        parameters.len(),
        MAX_PARAMETERS,
        "parameters",
    )?;
    let mut described = DescribedPolicy {
        summary: summary.into(),
        reads,
        features: Vec::new(),
        parameters: Vec::new(),
    };
    for (index, feature) in features.into_iter().enumerate() {
        let path = format!("descriptor.features[{index}]");
        name(
            &path,
            &feature.name,
            described.features.iter().map(|(name, _)| &**name),
        )?;
        described
            .features
            .push((feature.name.into(), feature_spec(&path, feature.spec)?));
    }
    for (index, parameter) in parameters.into_iter().enumerate() {
        let path = format!("descriptor.parameters[{index}]");
        name(
            &path,
            &parameter.name,
            described.parameters.iter().map(|(name, _)| &**name),
        )?;
        let value = match parameter.value {
            types::ParameterValueResult::Integer(value) => ParameterValue::Integer(value),
            types::ParameterValueResult::Text(value) => ParameterValue::Text(value),
            types::ParameterValueResult::Flag(value) => ParameterValue::Flag(value),
            types::ParameterValueResult::Texts(value) => ParameterValue::Texts(value),
        };
        described.parameters.push((parameter.name.into(), value));
    }
    Ok(described)
}

fn at_most(path: &str, found: usize, max: usize, unit: &str) -> Result<(), ContractViolation> {
    if found > max {
        return Err(violation(
            path,
            format!("expected at most {max} {unit}, found {found}"),
        ));
    }
    Ok(())
}

fn name<'a>(
    path: &str,
    name: &str,
    mut before: impl Iterator<Item = &'a str>,
) -> Result<(), ContractViolation> {
    if name.is_empty() || name.len() > MAX_NAME_BYTES {
        let found = name.len();
        return Err(violation(
            format!("{path}.name"),
            format!("expected 1 to {MAX_NAME_BYTES} bytes, found {found}"),
        ));
    }
    if before.any(|known| known == name) {
        return Err(violation(
            format!("{path}.name"),
            format!("`{name}` is there twice"),
        ));
    }
    Ok(())
}

fn subject(subject: types::Subject) -> Subject {
    match subject {
        types::Subject::Card => Subject::Card,
        types::Subject::Customer => Subject::Customer,
        types::Subject::Email => Subject::Email,
        types::Subject::Ip => Subject::Ip,
        types::Subject::Device => Subject::Device,
        types::Subject::Merchant => Subject::Merchant,
    }
}

fn feature_spec(path: &str, spec: types::FeatureSpec) -> Result<FeatureSpec, ContractViolation> {
    match spec {
        types::FeatureSpec::Velocity(velocity) => {
            let window_seconds = velocity.window_seconds;
            if !(1..=MAX_WINDOW_SECONDS).contains(&window_seconds) {
                return Err(violation(
                    format!("{path}.spec.window-seconds"),
                    format!("expected 1 to {MAX_WINDOW_SECONDS} (90 days), found {window_seconds}"),
                ));
            }
            let measure = match velocity.measure {
                types::VelocityMeasure::Count => VelocityMeasure::Count,
                types::VelocityMeasure::Amount => VelocityMeasure::Amount,
                types::VelocityMeasure::Distinct(other) => VelocityMeasure::Distinct(subject(other)),
            };
            let filter = match velocity.filter {
                types::PaymentFilter::Attempted => PaymentFilter::Attempted,
                types::PaymentFilter::Approved => PaymentFilter::Approved,
                types::PaymentFilter::Declined => PaymentFilter::Declined,
            };
            Ok(FeatureSpec::Velocity {
                subject: subject(velocity.subject),
                measure,
                filter,
                window_seconds,
            })
        }
        types::FeatureSpec::Listed(listed) => {
            name(&format!("{path}.spec.list"), &listed.list, std::iter::empty())?;
            Ok(FeatureSpec::Listed {
                list: listed.list.into(),
                subject: subject(listed.subject),
            })
        }
    }
}

/// A feature's value as a guest is given it.
pub(crate) const fn feature_value(value: FeatureValue) -> types::FeatureValue {
    match value {
        FeatureValue::Count(count) => types::FeatureValue::Count(count),
        FeatureValue::Amount(amount) => types::FeatureValue::Amount(amount),
        FeatureValue::Listed(listed) => types::FeatureValue::Listed(listed),
        FeatureValue::Unavailable => types::FeatureValue::Unavailable,
    }
}

/// Checks what a policy answered.
pub(crate) fn verdict(decision: types::Decision) -> Result<Verdict, ContractViolation> {
    let types::Decision {
        outcome,
        score,
        reasons,
    } = decision;
    at_most("decision.reasons", reasons.len(), MAX_REASONS, "reasons")?;
    let score = Score::new(score)
        .ok_or_else(|| violation("decision.score", format!("expected 0 to 1000, found {score}")))?;
    let mut checked = Vec::with_capacity(reasons.len());
    for (index, reason) in reasons.into_iter().enumerate() {
        if !is_code(&reason.code) {
            return Err(violation(
                format!("decision.reasons[{index}].code"),
                format!(
                    "expected 1 to {MAX_CODE_BYTES} of `a-z 0-9 . _ -`, found {} bytes",
                    reason.code.len()
                ),
            ));
        }
        if reason.message.len() > MAX_MESSAGE_BYTES {
            return Err(violation(
                format!("decision.reasons[{index}].message"),
                format!(
                    "expected at most {MAX_MESSAGE_BYTES} bytes, found {}",
                    reason.message.len()
                ),
            ));
        }
        checked.push(Reason {
            code: reason.code.into(),
            message: reason.message.into(),
        });
    }
    let outcome = match outcome {
        types::Outcome::Approve => Outcome::Approve,
        types::Outcome::Challenge => Outcome::Challenge,
        types::Outcome::Review => Outcome::Review,
        types::Outcome::Decline => Outcome::Decline,
    };
    Ok(Verdict {
        outcome,
        score,
        reasons: checked,
    })
}

fn is_code(code: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
    !code.is_empty() && code.len() <= MAX_CODE_BYTES && code.bytes().all(allowed)
}

/// A payment as guests are shown it, borrowed from the domain; made once per decision, masked per policy.
pub(crate) struct PaymentView<'a> {
    whole: types::Payment<'a>,
    metadata: Vec<(&'a str, &'a str)>,
}

impl<'a> PaymentView<'a> {
    /// The view of a request. The metadata is only gathered where some policy reads it.
    pub(crate) fn new(request: &RiskRequest<'a>, with_metadata: bool) -> Self {
        let details = request.details;
        let card = details.card.as_ref().map(|card| types::Card {
            bin: &card.bin,
            last4: &card.last4,
            fingerprint: &card.fingerprint,
            issuer_country: card.issuer_country.as_ref().map(|c| c.as_str()),
        });
        let customer = details.customer.as_ref().map(|customer| types::Customer {
            id: customer.id.as_ref().map(|t| t.as_str()),
            email: customer.email.as_ref().map(|t| t.as_str()),
            billing_country: customer.billing_country.as_ref().map(|c| c.as_str()),
            shipping_country: customer.shipping_country.as_ref().map(|c| c.as_str()),
        });
        let device = details.device.as_ref().map(|device| types::Device {
            id: device.id.as_ref().map(|t| t.as_str()),
            ip: device.ip.as_ref().map(|t| t.as_str()),
            ip_country: device.ip_country.as_ref().map(|c| c.as_str()),
            user_agent: device.user_agent.as_ref().map(|t| t.as_str()),
        });
        let metadata = if with_metadata {
            details
                .metadata
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect()
        } else {
            Vec::new()
        };
        let whole = types::Payment {
            id: request.payment_id.as_str(),
            merchant_id: details.merchant_id.as_str(),
            merchant_category: details.merchant_category.as_ref().map(|t| t.as_str()),
            amount: types::Money {
                minor_units: details.amount.minor_units(),
                currency: details.amount.currency().code(),
            },
            created_at: request.created_at.unix_millis(),
            card,
            customer,
            device,
            metadata: &[],
        };
        Self { whole, metadata }
    }

    /// The payment with the parts that a policy reads, and no others.
    pub(crate) fn masked(&self, parts: types::PaymentParts) -> types::Payment<'_> {
        mask(
            types::Payment {
                metadata: &self.metadata,
                ..self.whole.clone()
            },
            parts,
        )
    }
}

/// Takes out of a payment what a policy does not read.
pub(crate) fn mask(mut payment: types::Payment<'_>, parts: types::PaymentParts) -> types::Payment<'_> {
    use types::PaymentParts;
    if !parts.contains(PaymentParts::CARD) {
        payment.card = None;
    }
    if !parts.contains(PaymentParts::CUSTOMER) {
        payment.customer = None;
    }
    if !parts.contains(PaymentParts::DEVICE) {
        payment.device = None;
    }
    if !parts.contains(PaymentParts::METADATA) {
        payment.metadata = &[];
    }
    payment
}

#[cfg(test)]
mod tests;
