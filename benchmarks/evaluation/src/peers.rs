//! Other engines for rules. Each has the rule in its own language, parsed or compiled once, and what the operator sets where it
//! keeps such things between evaluations.

mod cedar;
mod cel;
mod extism;
mod regorus;
mod rhai;
mod zen;

use std::path::Path;

use benchmark_rule::Outcome;

use crate::contender::Row;
use crate::ours::guest;

const EXTISM_FRESH: &str = "Extism, a fresh plugin for each";
const EXTISM_REUSED: &str = "Extism, one plugin for all (no isolation)";
const REGORUS: &str = "regorus, interpreter";
const REGORUS_BYTECODE: &str = "regorus, bytecode";
const CEL: &str = "cel";
const RHAI: &str = "Rhai";
const ZEN: &str = "zen-expression";
const CEDAR: &str = "cedar-policy (the conditions alone: no score, no message)";

/// Which row is to be how many times as long as ours, at least.
pub(crate) const BARS: [(&str, &str, f64); 6] = [
    (EXTISM_FRESH, "Extism, fresh plugins / ours", 20.0),
    (EXTISM_REUSED, "Extism, one plugin without isolation / ours", 1.1),
    (REGORUS, "regorus, interpreter / ours", 20.0),
    (REGORUS_BYTECODE, "regorus, bytecode / ours", 3.5),
    (CEL, "cel / ours", 2.5),
    (CEDAR, "cedar-policy / ours", 7.0),
];

/// Every peer.
pub(crate) fn rows(guests: &Path) -> Vec<Row> {
    let plugin = extism::Compiled::new(&guest(guests, "extism"));
    vec![
        Row::new(EXTISM_FRESH, extism::Fresh::new(plugin.clone())),
        Row::new(EXTISM_REUSED, extism::Reused::new(&plugin)),
        Row::new(REGORUS, regorus::Interpreter::new()),
        Row::new(REGORUS_BYTECODE, regorus::Bytecode::new()),
        Row::new(CEL, cel::Cel::new()),
        Row::new(RHAI, rhai::Rhai::new()),
        Row::new(ZEN, zen::Zen::new()),
        Row::comparing(CEDAR, cedar::Cedar::new(), |answer| {
            let codes = answer.reasons.into_iter().map(|reason| reason.code);
            codes.collect::<Vec<_>>()
        }),
    ]
}

/// An answer whose outcome is a word.
fn named(outcome: &str) -> Outcome {
    match outcome {
        "approve" => Outcome::Approve,
        "challenge" => Outcome::Challenge,
        "review" => Outcome::Review,
        "decline" => Outcome::Decline,
        other => panic!("`{other}` is no outcome"),
    }
}
