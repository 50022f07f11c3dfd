//! Golden cases on an author's machine: each is run as on a node, and what came of it is told in full.

use std::time::Duration;

use domain::risk::{Fault, Signal, Verdict};

use super::LoadedPolicy;
use crate::digest::Digest;
use crate::document::Limits;
use crate::golden::Tried;
use crate::load_error::LoadError;

/// What came of a policy's golden cases.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The cases, in their order. A node stops at the first that fails; here the others run too.
    pub cases: Vec<TriedCase>,
    /// Why a node would refuse the policy whatever came of each case: together they take too long, and those after the last
    /// one here were not run.
    pub refused: Option<LoadError>,
}

/// What came of one golden case.
#[derive(Clone, Debug)]
pub struct TriedCase {
    /// The case's name.
    pub name: String,
    /// What was expected and what came instead; none where the case passed.
    pub difference: Option<String>,
    /// What came. None where the case itself is off, so that nothing was run: the difference says how.
    pub run: Option<Run>,
}

/// One evaluation.
#[derive(Clone, Debug)]
pub struct Run {
    /// The verdict, or why there is none.
    pub result: Result<Verdict, Fault>,
    /// What the policy noted beside it.
    pub signals: Vec<Signal>,
    /// The fuel that it took.
    pub fuel_used: u64,
    /// How long it took.
    pub elapsed: Duration,
}

impl Trial {
    /// How many cases did not come out as they say.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.cases.iter().filter(|case| case.difference.is_some()).count()
    }
}

impl LoadedPolicy {
    /// The digest of the component.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        self.0.digest()
    }

    /// Runs all golden cases within these limits of fuel and memory, as every node does before it swaps.
    #[must_use]
    pub fn try_golden_cases(&self, limits: &Limits) -> Trial {
        let mut cases = Vec::new();
        let ran = self.0.each_golden_case(limits, |case, tried| {
            cases.push(told(case.name.clone(), tried));
            Ok(())
        });
        Trial {
            cases,
            refused: ran.err(),
        }
    }
}

fn told(name: String, tried: Tried) -> TriedCase {
    TriedCase {
        name,
        difference: tried.result.err().map(|failure| failure.difference),
        run: tried.called.map(|called| Run {
            result: called.result,
            signals: called.said.finish(),
            fuel_used: called.fuel_used,
            elapsed: called.elapsed,
        }),
    }
}

#[cfg(test)]
mod tests;
