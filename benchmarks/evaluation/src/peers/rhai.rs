//! Rhai: a scripting language whose functions are called on a parsed script.

use benchmark_rule::{Answer, Reason};
use rhai::serde::to_dynamic;
use rhai::{AST, Array, Dynamic, Engine, ImmutableString, Map, Scope};

use super::named;
use crate::contender::Contender;
use crate::sample::{Case, parameters};

const SCRIPT: &str = include_str!("../../rules/rule.rhai");

/// A script, and what the operator set.
pub(crate) struct Rhai {
    engine: Engine,
    script: AST,
    parameters: Dynamic,
}

impl Rhai {
    pub(crate) fn new() -> Self {
        let engine = Engine::new();
        let script = engine.compile(SCRIPT).expect("the script is one");
        Self {
            engine,
            script,
            parameters: to_dynamic(parameters()).expect("parameters are values"),
        }
    }
}

impl Contender for Rhai {
    type Verdict = Answer;

    fn evaluate(&mut self, case: &Case) -> Answer {
        let payment = to_dynamic(case.payment()).expect("a payment is a value");
        let features = to_dynamic(case.features()).expect("features are values");
        let given = (payment, features, self.parameters.clone());
        let mut answer: Map = self
            .engine
            .call_fn(&mut Scope::new(), &self.script, "evaluate", given)
            .expect("the script answers");
        let mut take = |name: &str| answer.remove(name).expect("a field of the answer");
        Answer {
            outcome: named(&take("outcome").cast::<ImmutableString>()),
            score: u16::try_from(take("score").cast::<i64>()).expect("a score"),
            reasons: take("reasons").cast::<Array>().into_iter().map(reason).collect(),
        }
    }

    fn answer(&self, verdict: Answer) -> Answer {
        verdict
    }
}

fn reason(reason: Dynamic) -> Reason {
    let mut reason = reason.cast::<Map>();
    let mut take = |name: &str| {
        let text = reason.remove(name).expect("a field of a reason");
        text.cast::<ImmutableString>().into_owned().into()
    };
    Reason {
        code: take("code"),
        message: take("message"),
    }
}
