//! Running the golden cases of a policy.

use core::fmt;
use std::any::Any;
use std::collections::BTreeSet;
use std::error::Error;
use std::panic::catch_unwind;

use super::difference::difference;
use super::format::{CONTRACTS, GoldenCase, GoldenFile, parse};
use super::{RequestError, request, signals};
use crate::{Decision, Descriptor, HIGHEST_SCORE, Policy};

/// Why golden cases do not hold. Every case that fails is in the text, not the first alone.
#[derive(Clone, Debug, PartialEq)]
pub enum GoldenCaseError {
    /// The text is not a file of golden cases.
    File {
        /// Where, and what is wrong there.
        problem: String,
    },
    /// Some cases cannot be run, or are answered otherwise than they expect.
    Cases {
        /// How many cases the file has.
        total: usize,
        /// One text per case that failed: its name, then the differences.
        failures: Vec<String>,
    },
}

impl fmt::Display for GoldenCaseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { problem } => formatter.write_str(problem),
            Self::Cases { total, failures } => {
                writeln!(
                    formatter,
                    "{} of {total} golden cases do not hold",
                    failures.len()
                )?;
                for failure in failures {
                    write!(formatter, "\n{failure}\n")?;
                }
                Ok(())
            }
        }
    }
}

impl Error for GoldenCaseError {}

/// Runs every case of a file against a policy and answers how many there are.
///
/// # Errors
///
/// See [`GoldenCaseError`].
pub fn check_golden_cases<P: Policy>(text: &str) -> Result<usize, GoldenCaseError> {
    let of_file = |problem: String| GoldenCaseError::File { problem };
    let value = serde_json::from_str(text).map_err(|error| of_file(error.to_string()))?;
    let file: GoldenFile = parse(value).map_err(of_file)?;
    if !CONTRACTS.contains(&&*file.contract) {
        return Err(of_file(format!(
            "contract: expected {}, found {}",
            CONTRACTS.join(" or "),
            file.contract
        )));
    }
    let descriptor = P::describe();
    let total = file.cases.len();
    let mut names = BTreeSet::new();
    let mut failures = Vec::new();
    for (position, case) in file.cases.into_iter().enumerate() {
        let name = case
            .get("name")
            .and_then(|name| name.as_str())
            .unwrap_or("without a name")
            .to_owned();
        let title = format!("cases[{position}] {name}");
        let lines = match parse::<GoldenCase>(case) {
            Err(problem) => vec![problem],
            Ok(case) if !names.insert(case.name.clone()) => vec!["name: another case has it too".to_owned()],
            Ok(case) => run::<P>(&descriptor, &case),
        };
        if !lines.is_empty() {
            failures.push(format!("{title}\n    {}", lines.join("\n    ")));
        }
    }
    if failures.is_empty() {
        Ok(total)
    } else {
        Err(GoldenCaseError::Cases { total, failures })
    }
}

/// Runs every case of a file against a policy. [`golden_cases!`](crate::golden_cases) makes a test of it.
///
/// # Panics
///
/// When a case does not hold, with every difference, or when the file has none.
#[expect(clippy::panic, reason = "this is the assertion of a test")]
pub fn assert_golden_cases<P: Policy>(file: &str, text: &str) {
    match check_golden_cases::<P>(text) {
        Ok(0) => panic!("{file}: there is no case"),
        Ok(_) => {}
        Err(error) => panic!("{file}: {error}"),
    }
}

/// Runs one case; what is wrong with it or with the answer, one line each.
fn run<P: Policy>(descriptor: &Descriptor, case: &GoldenCase) -> Vec<String> {
    let Some(expected) = case.expected() else {
        return vec!["expected either `decision` or `error`".to_owned()];
    };
    if expected
        .as_ref()
        .is_ok_and(|decision| decision.score > HIGHEST_SCORE)
    {
        return vec![format!("decision.score: at most {HIGHEST_SCORE}")];
    }
    match answer::<P>(descriptor, case) {
        Err(problem) => vec![problem.to_string()],
        Ok(answered) => {
            let mut lines = difference(&expected, &answered);
            let signals = signals();
            if !lines.is_empty() {
                lines.extend(
                    signals
                        .iter()
                        .map(|(code, detail)| format!("(signalled {code}: {detail:?})")),
                );
            }
            lines
        }
    }
}

/// The answer of the policy. A panic counts as an error, as the gateway counts a trap as a fault.
fn answer<P: Policy>(
    descriptor: &Descriptor,
    case: &GoldenCase,
) -> Result<Result<Decision, String>, RequestError> {
    let mut builder = request(descriptor, case.payment.clone());
    for (name, value) in case.features() {
        builder = builder.feature(name, value);
    }
    for (name, value) in case.parameters() {
        builder = builder.parameter(name, value);
    }
    let request = builder.try_build()?;
    Ok(catch_unwind(|| P::evaluate(&request))
        .unwrap_or_else(|panic| Err(format!("the policy panicked: {}", panic_text(panic.as_ref())))))
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a message")
}

#[cfg(test)]
mod tests;
