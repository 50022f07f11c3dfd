//! CEL: one expression, whose value is the answer.

use std::sync::Arc;

use benchmark_rule::{Answer, Reason};
use cel::objects::{KeyRef, Map};
use cel::{Context, Env, Program, Value, to_value};

use super::named;
use crate::contender::Contender;
use crate::sample::{Case, parameters};

const EXPRESSION: &str = include_str!("../../rules/rule.cel");

/// A program, and a context with what the operator set.
pub(crate) struct Cel {
    program: Program,
    context: Context<'static, 'static>,
}

impl Cel {
    pub(crate) fn new() -> Self {
        let env = Arc::new(Env::stdlib());
        let program = env.compile(EXPRESSION).expect("the expression is one");
        let mut context = Context::with_env(env);
        context.add_variable_from_value(
            "parameters",
            to_value(parameters()).expect("parameters are values"),
        );
        Self { program, context }
    }
}

impl Contender for Cel {
    type Verdict = Answer;

    fn evaluate(&mut self, case: &Case) -> Answer {
        let mut context = self.context.new_inner_scope();
        let payment = to_value(case.payment()).expect("a payment is a value");
        let features = to_value(case.features()).expect("features are values");
        context.add_variable_from_value("payment", payment);
        context.add_variable_from_value("features", features);
        let answer = self.program.execute(&context).expect("the program answers");
        let answer = map(&answer);
        let reasons = match field(answer, "reasons") {
            Value::List(reasons) => reasons,
            other => panic!("{other:?} are no reasons"),
        };
        Answer {
            outcome: named(text(answer, "outcome")),
            score: match field(answer, "score") {
                Value::Int(score) => u16::try_from(*score).expect("a score"),
                other => panic!("{other:?} is no score"),
            },
            reasons: reasons
                .iter()
                .map(map)
                .map(|reason| Reason {
                    code: text(reason, "code").to_owned().into(),
                    message: text(reason, "message").to_owned().into(),
                })
                .collect(),
        }
    }

    fn answer(&self, verdict: Answer) -> Answer {
        verdict
    }
}

fn map(value: &Value) -> &Map {
    match value {
        Value::Map(map) => map,
        other => panic!("{other:?} is no map"),
    }
}

fn field<'a>(map: &'a Map, name: &str) -> &'a Value {
    map.get(&KeyRef::String(name))
        .unwrap_or_else(|| panic!("`{name}` is missing"))
}

fn text<'a>(map: &'a Map, name: &str) -> &'a str {
    match field(map, name) {
        Value::String(text) => text,
        other => panic!("{other:?} is no text"),
    }
}
