//! Relative links in Markdown: each must lead to a file or folder of the repository.

use std::path::Path;

use crate::Finding;
use crate::repository::{SourceFile, normal};

/// The links of one Markdown file that lead nowhere. `paths` are all files of the repository.
pub(super) fn findings(file: &SourceFile, paths: &[String]) -> Vec<Finding> {
    let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
    links(&file.text)
        .into_iter()
        .filter_map(|(line, target)| {
            let problem = if target.starts_with('/') {
                format!(
                    "`{target}` is an absolute link, which leads elsewhere on every site that shows the file"
                )
            } else {
                let path = target
                    .split(['#', '?'])
                    .next()
                    .unwrap_or_default()
                    .replace("%20", " ");
                let path = normal(&folder.join(path));
                // A folder is there when something in it is.
                if paths.iter().any(|known| Path::new(known).starts_with(&path)) {
                    return None;
                }
                format!("`{target}` leads nowhere")
            };
            Some(Finding::new(
                format!("{}:{line}", file.path),
                problem,
                "correct the link: it is relative to the folder of the file that holds it",
            ))
        })
        .collect()
}

/// The targets inside the repository, each with its line: inline links and images, and reference definitions.
/// Code is left out, and so are addresses with a scheme and links to a heading of the same page.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        if let Some(open) = fence {
            if trimmed.starts_with(open) {
                fence = None;
            }
            continue;
        }
        fence = ["```", "~~~"].into_iter().find(|mark| trimmed.starts_with(mark));
        if fence.is_some() {
            continue;
        }
        let prose = without_code(line);
        let targets = inline_targets(&prose)
            .into_iter()
            .chain(definition_target(&prose));
        found.extend(
            targets
                .filter(|target| is_relative(target))
                .map(|target| (index + 1, target.to_owned())),
        );
    }
    found
}

/// The line without what stands between backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("code")
}

/// What stands in the parentheses of `[text](target "title")`.
fn inline_targets(prose: &str) -> Vec<&str> {
    prose
        .split("](")
        .skip(1)
        .filter_map(|rest| destination(rest, ')'))
        .collect()
}

/// What follows `[label]:` at the start of a line.
fn definition_target(prose: &str) -> Option<&str> {
    let (label, rest) = prose.trim_start().strip_prefix('[')?.split_once("]:")?;
    // `[^1]:` is a footnote.
    if label.starts_with('^') || label.contains(']') {
        None
    } else {
        destination(rest.trim_start(), ' ')
    }
}

fn destination(rest: &str, end: char) -> Option<&str> {
    let target = match rest.strip_prefix('<') {
        Some(rest) => rest.split('>').next()?,
        None => rest.split([end, ' ']).next()?,
    };
    (!target.is_empty()).then_some(target)
}

fn is_relative(target: &str) -> bool {
    let has_scheme = target.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    });
    !has_scheme && !target.starts_with('#') && !target.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(text: &str) -> Vec<String> {
        links(text).into_iter().map(|(_, target)| target).collect()
    }

    #[test]
    fn links_images_and_definitions_are_seen() {
        let text = "See [a](a.md) and ![b](<b c.png>), [c](c.md#part \"title\").\n\n[label]: d.md";
        assert_eq!(targets(text), ["a.md", "b c.png", "c.md#part", "d.md"]);
    }

    #[test]
    fn code_addresses_headings_and_footnotes_are_left_out() {
        let text = "`[a](a.md)` [b](https://example.com) [c](#part) [d](mailto:x@example.com)\n\
                    [^1]: e.md\n```\n[f](f.md)\n```\n[g](g.md)";
        assert_eq!(links(text), [(6, "g.md".to_owned())]);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found_with_its_line() {
        let file = SourceFile {
            path: "docs/page.md".to_owned(),
            text: "[manifest](../Cargo.toml)\n[gone](gone.md)\n[absolute](/Cargo.toml)\n[folder](../wit/)\n\
                   [prefix](../Cargo)\n[outside](../../Cargo.toml)\n"
                .to_owned(),
        };
        let paths = ["Cargo.toml", "docs/page.md", "wit/policy.wit"].map(str::to_owned);
        let places: Vec<String> = findings(&file, &paths)
            .into_iter()
            .map(|finding| finding.place)
            .collect();
        assert_eq!(
            places,
            [
                "docs/page.md:2",
                "docs/page.md:3",
                "docs/page.md:5",
                "docs/page.md:6"
            ]
        );
    }
}
