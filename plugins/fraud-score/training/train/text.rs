//! The model as text: whole numbers, one tree a line.

use core::fmt::Write;

use fraud_score::INPUT_NAMES;

use crate::boosting::{Model, SPLITS, Tree};

/// One unit of log-odds.
const ONE: f64 = 65_536.0;

const HEADER: &str = "\
# The model of the policy fraud-score: 32 decision trees, whose leaves add up to the log-odds of fraud.
#
# Made by training/train.rs from payments that it makes up: SYNTHETIC DATA, good for showing how, and for nothing else.
# Do not edit by hand.
#
# One tree a line. First its seven questions, top down and left to right, as input:threshold; up to the threshold the
# left branch is taken. Then the values of its fifteen nodes, in the same order and the leaves last, in 65536ths of a
# unit of log-odds; those of the inner nodes are averages, for telling what an input contributed.
#
# The inputs:
";

/// The content of `model.txt`.
pub(crate) fn write(model: &Model) -> String {
    let mut text = HEADER.to_owned();
    for (position, name) in INPUT_NAMES.iter().enumerate() {
        line(&mut text, format_args!("#   {position} {name}"));
    }
    line(&mut text, format_args!("\nbias {}", fixed(model.bias)));
    for tree in &model.trees {
        line(&mut text, format_args!("tree {}", of_tree(tree)));
    }
    text
}

fn of_tree(tree: &Tree) -> String {
    let questions: [String; SPLITS] = tree
        .splits
        .map(|split| format!("{}:{}", split.input, split.threshold));
    let values = tree.values.map(|value| fixed(value).to_string());
    format!("{} | {}", questions.join(" "), values.join(" "))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "leaf values are small: log-odds beyond 30 are cut off in training"
)]
fn fixed(value: f64) -> i32 {
    (value * ONE).round() as i32
}

#[expect(clippy::expect_used, reason = "writing to a string cannot fail")]
fn line(text: &mut String, content: core::fmt::Arguments<'_>) {
    writeln!(text, "{content}").expect("a string takes everything");
}
