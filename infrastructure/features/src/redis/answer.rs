//! What Redis answered, as values of the features in the order in which they were asked for.

use application::ports::FeatureStoreUnavailable;
use domain::feature::{FeatureSpec, FeatureValue, Subject, VelocityMeasure};

use super::{Subjects, unavailable};

/// One value per feature. An answer of another length is none: it came from another script.
pub(super) fn values(
    features: &[FeatureSpec],
    subjects: &Subjects,
    answer: Vec<i64>,
    lookup: impl Fn(&str, Subject) -> FeatureValue,
) -> Result<Vec<FeatureValue>, FeatureStoreUnavailable> {
    let found = answer.len();
    let mut answer = answer.into_iter();
    let mut values = Vec::with_capacity(features.len());
    for feature in features {
        values.push(match feature {
            FeatureSpec::Listed { list, subject } => lookup(list, *subject),
            FeatureSpec::Velocity { subject, .. } if !subjects.iter().any(|(known, _)| known == subject) => {
                FeatureValue::Unavailable
            }
            FeatureSpec::Velocity { measure, .. } => {
                let value = answer.next().ok_or_else(|| other_length(found))?;
                match measure {
                    VelocityMeasure::Amount => FeatureValue::Amount(value),
                    VelocityMeasure::Count | VelocityMeasure::Distinct(_) => {
                        // The script counts from zero up.
                        FeatureValue::Count(u64::try_from(value).unwrap_or_default())
                    }
                }
            }
        });
    }
    match answer.next() {
        None => Ok(values),
        Some(_) => Err(other_length(found)),
    }
}

fn other_length(found: usize) -> FeatureStoreUnavailable {
    unavailable(format!(
        "Redis answered {found} values, which is another number than was asked for"
    ))
}
