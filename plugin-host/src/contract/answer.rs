//! What a guest says, checked once, against named bounds, whichever version of the contract it was built for.

use domain::feature::{FeatureSpec, MAX_WINDOW_SECONDS};
use domain::risk::{Fault, FaultKind, Outcome, Reason, Score, Verdict};
use thiserror::Error;

use super::request::PaymentParts;
use crate::document::ParameterValue;

/// Features that one policy may ask for.
pub(crate) const MAX_FEATURES: usize = 64;

/// Parameters that one policy may have.
pub(crate) const MAX_PARAMETERS: usize = 64;

/// Bytes of the name of a feature, a parameter or a list.
pub(crate) const MAX_NAME_BYTES: usize = 64;

/// Bytes of a policy's summary.
pub(crate) const MAX_SUMMARY_BYTES: usize = 512;

/// Reasons of one decision.
pub(crate) const MAX_REASONS: usize = 32;

/// Bytes of a reason's code.
pub(crate) const MAX_CODE_BYTES: usize = 64;

/// Bytes of a reason's message.
pub(crate) const MAX_MESSAGE_BYTES: usize = 512;

/// Bytes kept of a policy's own error.
pub(crate) const MAX_REFUSAL_BYTES: usize = 1024;

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

/// What a policy says of itself. [`DescribedPolicy::check`] says whether it may.
#[derive(Clone, Debug)]
pub(crate) struct DescribedPolicy {
    /// What the policy says it does.
    pub(crate) summary: Box<str>,
    /// The parts of a payment that it reads.
    pub(crate) reads: PaymentParts,
    /// The features it asks for, in its order.
    pub(crate) features: Vec<(Box<str>, FeatureSpec)>,
    /// Its knobs with their defaults, in its order.
    pub(crate) parameters: Vec<(Box<str>, ParameterValue)>,
}

impl DescribedPolicy {
    /// Holds every part of it against its bound.
    pub(crate) fn check(self) -> Result<Self, ContractViolation> {
        at_most(
            "descriptor.summary",
            self.summary.len(),
            MAX_SUMMARY_BYTES,
            "bytes",
        )?;
        at_most(
            "descriptor.features",
            self.features.len(),
            MAX_FEATURES,
            "features",
        )?;
        at_most(
            "descriptor.parameters",
            self.parameters.len(),
            MAX_PARAMETERS,
            "parameters",
        )?;
        for (index, (feature, spec)) in self.features.iter().enumerate() {
            let path = format!("descriptor.features[{index}]");
            name(
                &path,
                feature,
                self.features.iter().take(index).map(|(name, _)| &**name),
            )?;
            feature_spec(&path, spec)?;
        }
        for (index, (parameter, _)) in self.parameters.iter().enumerate() {
            let path = format!("descriptor.parameters[{index}]");
            name(
                &path,
                parameter,
                self.parameters.iter().take(index).map(|(name, _)| &**name),
            )?;
        }
        Ok(self)
    }
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

fn feature_spec(path: &str, spec: &FeatureSpec) -> Result<(), ContractViolation> {
    match spec {
        FeatureSpec::Velocity { window_seconds, .. }
            if !(1..=MAX_WINDOW_SECONDS).contains(window_seconds) =>
        {
            Err(violation(
                format!("{path}.spec.window-seconds"),
                format!("expected 1 to {MAX_WINDOW_SECONDS} (90 days), found {window_seconds}"),
            ))
        }
        FeatureSpec::Velocity { .. } => Ok(()),
        FeatureSpec::Listed { list, .. } => name(&format!("{path}.spec.list"), list, std::iter::empty()),
    }
}

/// The verdict that an answer is; the fault where it breaks the contract.
pub(crate) fn verdict(
    outcome: Outcome,
    score: u16,
    reasons: impl ExactSizeIterator<Item = Reason>,
) -> Result<Verdict, Fault> {
    checked(outcome, score, reasons).map_err(|violation| Fault {
        kind: FaultKind::InvalidOutput,
        detail: violation.to_string().into(),
    })
}

/// The fault that a policy's own error is.
pub(crate) fn refusal(mut text: String) -> Fault {
    text.truncate(text.floor_char_boundary(MAX_REFUSAL_BYTES));
    Fault {
        kind: FaultKind::Refused,
        detail: text.into(),
    }
}

fn checked(
    outcome: Outcome,
    score: u16,
    reasons: impl ExactSizeIterator<Item = Reason>,
) -> Result<Verdict, ContractViolation> {
    at_most("decision.reasons", reasons.len(), MAX_REASONS, "reasons")?;
    let score = Score::new(score)
        .ok_or_else(|| violation("decision.score", format!("expected 0 to 1000, found {score}")))?;
    let mut checked = Vec::with_capacity(reasons.len());
    for (index, reason) in reasons.enumerate() {
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
        checked.push(reason);
    }
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

#[cfg(test)]
mod tests;
