//! Golden cases: requests with the decisions that a policy must give, which travel inside its artifact.

mod format;

#[cfg(test)]
pub(crate) use format::MAX_GOLDEN_CASES;
pub use format::{GoldenCase, GoldenCases, GoldenCasesError, MAX_GOLDEN_CASES_BYTES};

use std::collections::BTreeMap;
use std::fmt::Write as _;

use domain::risk::{Fault, FaultKind, Verdict};
use thiserror::Error;

use crate::contract::request::Inputs;
use crate::document::{Limits, ParameterValue, Parameters};
use crate::policy::Policy;
use crate::sandbox::{Called, RunsOn};
use format::GoldenDecision;

/// A golden case that did not come out as it says.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("golden case `{case}`: {difference}")]
pub struct GoldenCaseFailure {
    /// The case's name.
    pub case: String,
    /// What was expected and what came.
    pub difference: String,
    /// The fault that came in place of an answer, if one did.
    pub fault: Option<FaultKind>,
}

/// A golden case that was run.
pub(crate) struct Tried {
    /// What came of it; none where the case itself is off and nothing was run.
    pub(crate) called: Option<Called<Verdict>>,
    /// Whether that is what the case says.
    pub(crate) result: Result<(), GoldenCaseFailure>,
}

/// Runs one golden case and compares.
pub(crate) fn try_case(policy: &Policy, case: &GoldenCase, limits: &Limits) -> Tried {
    let failure = |difference: String, fault: Option<FaultKind>| GoldenCaseFailure {
        case: case.name.clone(),
        difference,
        fault,
    };
    let run = case.expected().and_then(|expected| {
        let values = parameter_values(&policy.described().parameters, case.parameters())?;
        Ok((expected, run(policy, case, &values, limits)?))
    });
    match run {
        Ok((expected, called)) => {
            let fault = called.result.as_ref().err().map(|fault| fault.kind);
            let result = match compare(expected, &called.result) {
                Some(text) => Err(failure(text, fault)),
                None => Ok(()),
            };
            Tried {
                called: Some(called),
                result,
            }
        }
        Err(text) => Tried {
            called: None,
            result: Err(failure(text, None)),
        },
    }
}

/// How what came differs from what was expected, if it does.
fn compare(expected: Result<&GoldenDecision, &str>, found: &Result<Verdict, Fault>) -> Option<String> {
    match (expected, found) {
        (Ok(expected), Ok(found)) => difference(expected, found),
        (Err(expected), Err(fault)) if fault.kind == FaultKind::Refused && *fault.detail == *expected => None,
        (Ok(_), Err(fault)) => Some(format!(
            "expected a decision, found {}: {}",
            fault.kind, fault.detail
        )),
        (Err(expected), Err(fault)) => Some(format!(
            "expected the error `{expected}`, found {}: {}",
            fault.kind, fault.detail
        )),
        (Err(expected), Ok(found)) => Some(format!(
            "expected the error `{expected}`, found {}",
            found.outcome.as_str()
        )),
    }
}

/// Puts a request that the policy decides by its own parameters to it under a document's. Says what the policy answers where
/// it refuses: its parameters make no sense to it, and every payment would meet that.
pub(crate) fn refusal_of_parameters(
    policy: &Policy,
    case: &GoldenCase,
    parameters: &Parameters,
    limits: &Limits,
) -> Option<String> {
    let described = &policy.described().parameters;
    let values: Vec<(Box<str>, ParameterValue)> = described
        .iter()
        .map(|(name, default)| (name.clone(), parameters.get(name).unwrap_or(default).clone()))
        .collect();
    match run(policy, case, &values, limits).ok()?.result {
        Err(fault) if fault.kind == FaultKind::Refused => Some(fault.detail.into()),
        _ => None,
    }
}

fn run(
    policy: &Policy,
    case: &GoldenCase,
    values: &[(Box<str>, ParameterValue)],
    limits: &Limits,
) -> Result<Called<Verdict>, String> {
    let inputs = Inputs {
        payment: &case.payment(),
        features: case.features(policy.described())?.into_iter(),
        parameters: values,
    };
    Ok(policy.evaluate(inputs, limits, RunsOn::OwnThread, policy.identity()))
}

/// The policy's parameters with what a case sets of them.
fn parameter_values(
    described: &[(Box<str>, ParameterValue)],
    set: &BTreeMap<String, ParameterValue>,
) -> Result<Vec<(Box<str>, ParameterValue)>, String> {
    for (name, value) in set {
        let Some((_, default)) = described.iter().find(|(known, _)| **known == **name) else {
            return Err(format!("parameters.{name}: the policy has no such parameter"));
        };
        if default.kind() != value.kind() {
            return Err(format!(
                "parameters.{name}: expected {}, found {}",
                default.kind(),
                value.kind()
            ));
        }
    }
    Ok(described
        .iter()
        .map(|(name, default)| (name.clone(), set.get(&**name).unwrap_or(default).clone()))
        .collect())
}

fn difference(expected: &GoldenDecision, found: &Verdict) -> Option<String> {
    let mut text = String::new();
    let mut differs = |what: &str, expected: &str, found: &str| {
        if expected != found {
            let separator = if text.is_empty() { "" } else { "; " };
            // Writing to a string cannot fail.
            let _written = write!(text, "{separator}{what}: expected {expected}, found {found}");
        }
    };
    differs("outcome", &expected.outcome, found.outcome.as_str());
    differs(
        "score",
        &expected.score.to_string(),
        &found.score.value().to_string(),
    );
    let wanted: Vec<(&str, &str)> = expected.reasons.iter().map(|r| (&*r.code, &*r.message)).collect();
    let given: Vec<(&str, &str)> = found.reasons.iter().map(|r| (&*r.code, &*r.message)).collect();
    differs("reasons", &format!("{wanted:?}"), &format!("{given:?}"));
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests;
