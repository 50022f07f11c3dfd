//! What a policy says of itself, for people.

use domain::feature::{FeatureSpec, PaymentFilter, VelocityMeasure};

use crate::contract::answer::DescribedPolicy;
use crate::document::{ParameterValue, PaymentPart};

/// What a policy says of itself, for people.
#[derive(Clone, Debug)]
pub struct PolicyDescription {
    /// What it does.
    pub summary: String,
    /// The parts of a payment that it reads.
    pub reads: Vec<&'static str>,
    /// Its features: name and what is looked up.
    pub features: Vec<(String, String)>,
    /// Its parameters with their defaults.
    pub parameters: Vec<(String, ParameterValue)>,
    /// How many golden cases it carries.
    pub golden_cases: usize,
}

impl PolicyDescription {
    /// The description of a policy that carries so many golden cases.
    pub(super) fn of(policy: &DescribedPolicy, golden_cases: usize) -> Self {
        Self {
            summary: policy.summary.to_string(),
            reads: policy.reads.iter().map(PaymentPart::as_str).collect(),
            features: policy
                .features
                .iter()
                .map(|(name, spec)| (name.to_string(), feature(spec)))
                .collect(),
            parameters: policy
                .parameters
                .iter()
                .map(|(name, value)| (name.to_string(), value.clone()))
                .collect(),
            golden_cases,
        }
    }
}

fn feature(spec: &FeatureSpec) -> String {
    match spec {
        FeatureSpec::Velocity {
            subject,
            measure,
            filter,
            window_seconds,
        } => {
            let filter = match filter {
                PaymentFilter::Attempted => "attempted",
                PaymentFilter::Approved => "approved",
                PaymentFilter::Declined => "declined",
            };
            let measure = match measure {
                VelocityMeasure::Count => "count of".to_owned(),
                VelocityMeasure::Amount => "amount of".to_owned(),
                VelocityMeasure::Distinct(other) => format!("distinct {} among", other.as_str()),
            };
            format!(
                "{measure} {filter} payments per {} within {window_seconds} s",
                subject.as_str()
            )
        }
        FeatureSpec::Listed { list, subject } => {
            format!("whether the {} is on list `{list}`", subject.as_str())
        }
    }
}
