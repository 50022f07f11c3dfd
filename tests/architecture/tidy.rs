//! One pass over the sources for what nobody remembers: a file that says what it is for, its length, names
//! that say something, links that lead somewhere, a page for every error code.

mod error_pages;
mod links;
#[cfg(test)]
mod tests;

use crate::Finding;
use crate::repository::SourceFile;

/// Beyond this a file usually wants to be two.
const MAXIMUM_LINES: usize = 400;
/// `tests.rs` beside its module: cases follow each other, and splitting them by length helps nobody.
const MAXIMUM_LINES_OF_TESTS: usize = 800;

/// Files that may be longer, each with the reason. One that no longer needs it must leave the list.
const LONGER: &[(&str, &str)] = &[(
    "api/src/openapi/operations.rs",
    "one table: a row for every route of the HTTP interface",
)];

/// Files that a tool writes. They need not say what they are for, and may be as long as they are.
const GENERATED: &[&str] = &[];

/// Names that could hold anything, and so end up holding everything.
const EMPTY_NAMES: &[&str] = &[
    "common",
    "helper",
    "helpers",
    "manager",
    "managers",
    "misc",
    "util",
    "utility",
    "utilities",
    "utils",
];

const HERE: &str = "tests/architecture/tidy.rs";

/// Everything that is to be said about one Rust file.
fn rust_file(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(name(&file.path));
    if GENERATED.contains(&file.path.as_str()) {
        return findings;
    }
    findings.extend(opening(file));
    findings.extend(length(file, LONGER));
    findings
}

fn opening(file: &SourceFile) -> Option<Finding> {
    let first = file.text.lines().next().unwrap_or_default();
    let says_something = first
        .strip_prefix("//!")
        .is_some_and(|text| !text.trim().is_empty());
    (!says_something).then(|| {
        Finding::new(
            format!("{}:1", file.path),
            "does not open with `//!`",
            "say in its first line what the file is for (one that a tool writes: add it to GENERATED in the tidy check)",
        )
    })
}

fn length(file: &SourceFile, longer: &[(&str, &str)]) -> Option<Finding> {
    let lines = file.text.lines().count();
    let is_tests = file.path.ends_with("/tests.rs");
    let maximum = if is_tests {
        MAXIMUM_LINES_OF_TESTS
    } else {
        MAXIMUM_LINES
    };
    match longer.iter().find(|(path, _)| *path == file.path) {
        None if lines > maximum => Some(Finding::new(
            format!("{}:{}", file.path, maximum + 1),
            format!("has {lines} lines, and the bound is {maximum}"),
            format!(
                "split it by what it does (a table that is one thing: add it to LONGER in {HERE}, with the reason)"
            ),
        )),
        Some(_) if lines <= maximum => Some(Finding::new(
            HERE,
            format!("{} is in LONGER, and has only {lines} lines", file.path),
            "take it out of the list",
        )),
        _ => None,
    }
}

/// Holds the folders, files and crates that the path names against the words that say nothing.
fn name(path: &str) -> Option<Finding> {
    if path == "mod.rs" || path.ends_with("/mod.rs") {
        let folder = path.trim_end_matches("/mod.rs");
        return Some(Finding::new(
            path,
            "is called mod.rs, and an editor full of those tells nobody which is which",
            format!("call it {folder}.rs, beside the folder"),
        ));
    }
    let words = path.trim_end_matches(".rs").split(['/', '_', '-', '.']);
    let empty = words.into_iter().find(|word| EMPTY_NAMES.contains(word))?;
    Some(Finding::new(
        path,
        format!("has `{empty}` in its path, a name that could hold anything"),
        "name it after the one thing that it holds, and put what is left where it is used",
    ))
}

/// The entries of the lists above whose file is gone.
fn stale_exceptions(files: &[SourceFile]) -> Vec<Finding> {
    let listed = LONGER
        .iter()
        .map(|(path, _)| *path)
        .chain(GENERATED.iter().copied());
    listed
        .filter(|path| !files.iter().any(|file| file.path == *path))
        .map(|path| {
            Finding::new(
                HERE,
                format!("{path} is in a list of exceptions, and is not there"),
                "take it out of the list",
            )
        })
        .collect()
}
