//! The expressions of ZEN: what an expression node of its decisions is made of. Those that build on each other are evaluated one
//! after the other, as in such a node.

use benchmark_rule::{Answer, Reason};
use serde_json::json;
use zen_expression::expression::Standard;
use zen_expression::vm::VM;
use zen_expression::{Expression, Variable, compile_expression};

use super::named;
use crate::contender::Contender;
use crate::sample::{Case, parameters};

const FOUND: &str = include_str!("../../rules/rule.zen");
const SCORE: &str = "min([sum(map(found, #.weight)), 1000])";
const OUTCOME: &str = "score >= parameters.decline_from ? 'decline' : score >= parameters.review_from ? 'review' : \
     score >= parameters.challenge_from ? 'challenge' : 'approve'";

/// Compiled expressions, each with the name that it has for those after it, and what the operator set.
pub(crate) struct Zen {
    expressions: [(&'static str, Expression<Standard>); 3],
    parameters: Variable,
    machine: VM,
}

impl Zen {
    pub(crate) fn new() -> Self {
        let compiled = |source| compile_expression(source).expect("the expression is one");
        Self {
            expressions: [
                ("found", compiled(FOUND)),
                ("score", compiled(SCORE)),
                ("outcome", compiled(OUTCOME)),
            ],
            parameters: json!(parameters()).into(),
            machine: VM::new(),
        }
    }
}

impl Contender for Zen {
    type Verdict = Answer;

    fn evaluate(&mut self, case: &Case) -> Answer {
        let context: Variable = json!({"payment": case.payment(), "features": case.features()}).into();
        context.dot_insert("parameters", self.parameters.clone());
        for (name, expression) in &self.expressions {
            let value = expression.evaluate_with(context.clone(), &mut self.machine);
            context.dot_insert(name, value.expect("the expression has a value"));
        }
        let found = field(&context, "found").as_array().expect("reasons");
        let reasons = found.borrow().iter().map(reason).collect();
        Answer {
            outcome: named(field(&context, "outcome").as_str().expect("a text")),
            score: u16::try_from(field(&context, "score").as_number().expect("a number")).expect("a score"),
            reasons,
        }
    }

    fn answer(&self, verdict: Answer) -> Answer {
        verdict
    }
}

fn field(object: &Variable, name: &str) -> Variable {
    object.dot(name).unwrap_or_else(|| panic!("`{name}` is missing"))
}

fn reason(reason: &Variable) -> Reason {
    let text = |name| field(reason, name).as_str().expect("a text").to_owned().into();
    Reason {
        code: text("code"),
        message: text("message"),
    }
}
