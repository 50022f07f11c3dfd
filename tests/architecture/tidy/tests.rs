//! The repository as it is, and made-up files that break each rule.

use super::{LONGER, MAXIMUM_LINES, error_pages, length, links, name, opening, rust_file, stale_exceptions};
use crate::repository::{self, SourceFile};
use crate::{Finding, assert_none};

#[test]
fn every_rust_file_is_tidy() {
    let files = repository::files(&[".rs"]).unwrap();
    let mut findings: Vec<Finding> = files.iter().flat_map(rust_file).collect();
    findings.extend(stale_exceptions(&files));
    assert_none(&findings);
}

#[test]
fn every_relative_link_in_markdown_leads_somewhere() {
    let paths = repository::paths().unwrap();
    let files = repository::files(&[".md"]).unwrap();
    assert_none(
        &files
            .iter()
            .flat_map(|file| links::findings(file, &paths))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn every_error_code_has_a_page_and_every_page_a_code() {
    let sources = repository::files(&[error_pages::CODES]).unwrap();
    let codes: Vec<_> = sources
        .iter()
        .flat_map(|file| error_pages::error_codes(&file.text))
        .collect();
    assert!(
        !codes.is_empty(),
        "no error code in {}: they have moved, and this check must follow them",
        error_pages::CODES
    );
    let pages = repository::paths().unwrap();
    assert_none(&error_pages::findings(&codes, &pages));
}

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

#[test]
fn a_file_that_does_not_say_what_it_is_for_is_found() {
    assert_eq!(opening(&file("a.rs", "//! Money.\n")), None);
    for text in [
        "",
        "\n//! Money.\n",
        "//!\n",
        "// Money.\n",
        "use std::fmt;\n//! Money.\n",
    ] {
        assert_eq!(
            opening(&file("a.rs", text)).map(|finding| finding.place),
            Some("a.rs:1".to_owned()),
            "{text:?}"
        );
    }
}

#[test]
fn a_file_of_one_line_too_many_is_found() {
    let bound = "x\n".repeat(MAXIMUM_LINES);
    assert_eq!(length(&file("a.rs", &bound), LONGER), None);
    let found = length(&file("a.rs", &format!("{bound}x\n")), LONGER).unwrap();
    assert_eq!(found.place, "a.rs:401");
    assert!(found.problem.contains("401 lines"), "{}", found.problem);
}

#[test]
fn a_table_may_be_longer_when_it_is_listed_and_only_then() {
    let long = "x\n".repeat(MAXIMUM_LINES + 1);
    let listed = [("table.rs", "one table")];
    assert_eq!(length(&file("table.rs", &long), &listed), None);
    assert!(length(&file("other.rs", &long), &listed).is_some());
    let found = length(&file("table.rs", "x\n"), &listed).unwrap();
    assert!(found.remedy.contains("out of the list"), "{}", found.remedy);
}

#[test]
fn tests_beside_their_module_may_be_twice_as_long() {
    assert_eq!(
        length(&file("a/tests.rs", &"x\n".repeat(2 * MAXIMUM_LINES)), LONGER),
        None
    );
    assert!(length(&file("a/tests.rs", &"x\n".repeat(2 * MAXIMUM_LINES + 1)), LONGER).is_some());
    assert!(length(&file("a/contests.rs", &"x\n".repeat(2 * MAXIMUM_LINES)), LONGER).is_some());
}

#[test]
fn names_that_could_hold_anything_are_found_in_files_folders_and_compounds() {
    for path in [
        "api/src/utils.rs",
        "common/src/lib.rs",
        "api/src/string_helpers.rs",
        "misc-tools/src/lib.rs",
        "a/manager/b.rs",
    ] {
        assert!(name(path).is_some(), "{path}");
    }
    for path in [
        "domain/src/money.rs",
        "api/src/commonwealth.rs",
        "plugin-host/src/policy_set.rs",
    ] {
        assert_eq!(name(path), None, "{path}");
    }
}

#[test]
fn mod_rs_is_found_and_told_its_new_name() {
    let found = name("api/src/http/mod.rs").unwrap();
    assert!(found.remedy.contains("api/src/http.rs"), "{}", found.remedy);
}
