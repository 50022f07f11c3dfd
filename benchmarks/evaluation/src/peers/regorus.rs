//! Regorus: Rego, interpreted, and compiled to bytecode. It is given JSON, which is what it has for foreign values.

use std::sync::Arc;

use benchmark_rule::{Answer, Reason};
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::{Program, RegoVM};
use regorus::{Engine, Value};
use serde_json::json;

use super::named;
use crate::contender::Contender;
use crate::sample::{Case, parameters};

const POLICY: &str = include_str!("../../rules/rule.rego");
const ENTRY_POINT: &str = "data.benchmark.answer";

/// One engine, which interprets.
pub(crate) struct Interpreter(Engine);

impl Interpreter {
    pub(crate) fn new() -> Self {
        Self(engine())
    }
}

impl Contender for Interpreter {
    type Verdict = Answer;

    fn evaluate(&mut self, case: &Case) -> Answer {
        self.0.set_input(input(case));
        let answer = self.0.eval_rule(ENTRY_POINT.to_owned());
        read(&answer.expect("the policy answers"))
    }

    fn answer(&self, verdict: Answer) -> Answer {
        verdict
    }
}

/// One virtual machine, with a compiled policy.
pub(crate) struct Bytecode(RegoVM);

impl Bytecode {
    pub(crate) fn new() -> Self {
        let policy = engine().compile_with_entrypoint(&ENTRY_POINT.into());
        let program: Arc<Program> =
            Compiler::compile_from_policy(&policy.expect("the policy compiles"), &[ENTRY_POINT])
                .expect("the policy becomes bytecode");
        let mut machine = RegoVM::new();
        machine.load_program(program);
        machine.set_data(data()).expect("parameters are data");
        Self(machine)
    }
}

impl Contender for Bytecode {
    type Verdict = Answer;

    fn evaluate(&mut self, case: &Case) -> Answer {
        self.0.set_input(input(case));
        read(&self.0.execute().expect("the policy answers"))
    }

    fn answer(&self, verdict: Answer) -> Answer {
        verdict
    }
}

fn engine() -> Engine {
    let mut engine = Engine::new();
    engine
        .add_policy("rule.rego".to_owned(), POLICY.to_owned())
        .expect("the policy is one");
    engine.add_data(data()).expect("parameters are data");
    engine
}

/// What the operator set.
fn data() -> Value {
    json!({"parameters": parameters()}).into()
}

/// The payment and its features.
fn input(case: &Case) -> Value {
    Value::from_json_str(&case.json_without_parameters()).expect("JSON is a value")
}

fn read(answer: &Value) -> Answer {
    let reasons = answer["reasons"].as_set().expect("reasons");
    Answer {
        outcome: named(text(&answer["outcome"])),
        score: answer["score"].as_u16().expect("a score"),
        reasons: reasons
            .iter()
            .map(|reason| Reason {
                code: text(&reason["code"]).to_owned().into(),
                message: text(&reason["message"]).to_owned().into(),
            })
            .collect(),
    }
}

fn text(value: &Value) -> &str {
    value.as_string().expect("a text")
}
