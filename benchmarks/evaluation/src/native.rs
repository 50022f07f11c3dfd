//! The rule as it is, compiled into the program: no sandbox, no limits, nothing to swap.

use benchmark_rule::{Answer, Parameters, decide};

use crate::contender::Contender;
use crate::sample::{Case, parameters};

/// The rule and its parameters.
pub(crate) struct Native(Parameters<'static>);

impl Native {
    pub(crate) fn new() -> Self {
        Self(parameters())
    }
}

impl Contender for Native {
    type Verdict = Answer;

    fn evaluate(&mut self, case: &Case) -> Answer {
        decide(&case.payment(), &case.features(), &self.0)
    }

    fn answer(&self, verdict: Answer) -> Answer {
        verdict
    }

    fn batch(&self) -> usize {
        32
    }
}
