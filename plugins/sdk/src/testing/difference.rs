//! What a policy answered beside what a golden case expects, field by field.

use core::fmt::Debug;

use crate::{Decision, Reason};

/// One line per field that differs; empty when nothing does.
pub(super) fn difference(
    expected: &Result<Decision, String>,
    answered: &Result<Decision, String>,
) -> Vec<String> {
    let mut lines = Vec::new();
    match (expected, answered) {
        (Ok(expected), Ok(answered)) => {
            compare(
                &mut lines,
                "decision.outcome",
                &expected.outcome,
                &answered.outcome,
            );
            compare(&mut lines, "decision.score", &expected.score, &answered.score);
            compare_reasons(&mut lines, &expected.reasons, &answered.reasons);
        }
        (Err(expected), Err(answered)) => compare(&mut lines, "error", expected, answered),
        (Ok(expected), Err(answered)) => {
            lines.push(format!("expected the decision {}", one_line(expected)));
            lines.push(format!("answered the error {answered:?}"));
        }
        (Err(expected), Ok(answered)) => {
            lines.push(format!("expected the error {expected:?}"));
            lines.push(format!("answered the decision {}", one_line(answered)));
        }
    }
    lines
}

fn compare<T: Debug + PartialEq>(lines: &mut Vec<String>, path: &str, expected: &T, answered: &T) {
    if expected != answered {
        lines.push(path.to_owned());
        lines.push(format!("  expected {expected:?}"));
        lines.push(format!("  answered {answered:?}"));
    }
}

fn compare_reasons(lines: &mut Vec<String>, expected: &[Reason], answered: &[Reason]) {
    let text = |reason: Option<&Reason>| {
        reason.map_or("nothing".to_owned(), |reason| {
            format!("{}: {:?}", reason.code, reason.message)
        })
    };
    for position in 0..expected.len().max(answered.len()) {
        let (expected, answered) = (expected.get(position), answered.get(position));
        if expected != answered {
            lines.push(format!("decision.reasons[{position}]"));
            lines.push(format!("  expected {}", text(expected)));
            lines.push(format!("  answered {}", text(answered)));
        }
    }
}

fn one_line(decision: &Decision) -> String {
    let codes: Vec<_> = decision
        .reasons
        .iter()
        .map(|reason| reason.code.as_str())
        .collect();
    format!(
        "{:?}, score {}, reasons {codes:?}",
        decision.outcome, decision.score
    )
}
