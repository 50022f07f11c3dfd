//! Checks of the repository itself: which crate may depend on which, and what people forget when they add a
//! file.
//!
//! Each finding names the file, the line where there is one, and the remedy. The checkers are functions over
//! plain data, so that their own tests can show them a workspace that breaks the rule.

mod dependency_rules;
mod repository;
mod tidy;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    /// Path from the root of the repository, with `:line` where a line is to blame.
    place: String,
    problem: String,
    remedy: String,
}

impl Finding {
    fn new(place: impl Into<String>, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }
}

/// Fails the test with all findings at once: whoever broke three rules wants to hear of three.
#[track_caller]
fn assert_none(findings: &[Finding]) {
    let report: Vec<String> = findings
        .iter()
        .map(|finding| {
            format!(
                "{}: {}\n    remedy: {}",
                finding.place, finding.problem, finding.remedy
            )
        })
        .collect();
    assert!(
        findings.is_empty(),
        "{} finding(s)\n\n{}\n",
        findings.len(),
        report.join("\n\n")
    );
}
