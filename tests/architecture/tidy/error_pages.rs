//! Every error code that a caller can meet has a page that says what happened and what to do, and every page
//! has a code.

use crate::Finding;

/// Where the codes are written: the arms of a `match` that end in `=> "code",`.
pub(super) const CODES: &str = "api/src/problem/code.rs";
/// Where the pages lie, one `<code>.md` each.
pub(super) const PAGES: &str = "docs/errors/";
/// Pages that are about no code in particular.
const OVERVIEWS: &[&str] = &["README", "index"];

/// A code and the line of `CODES` that writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ErrorCode {
    pub(super) code: String,
    pub(super) line: usize,
}

/// The codes in the text of `CODES`, each once, in the order in which they are written.
pub(super) fn error_codes(text: &str) -> Vec<ErrorCode> {
    let mut codes: Vec<ErrorCode> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some((_, rest)) = line.split_once("=> \"") else {
            continue;
        };
        let Some((code, _)) = rest.split_once('"') else {
            continue;
        };
        if is_code(code) && !codes.iter().any(|known| known.code == code) {
            codes.push(ErrorCode {
                code: code.to_owned(),
                line: index + 1,
            });
        }
    }
    codes
}

/// Words of small letters and digits, joined by hyphens or underscores: a title or a sentence is none.
fn is_code(text: &str) -> bool {
    text.split(['-', '_']).all(|word| {
        word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
            && word.starts_with(|c: char| c.is_ascii_lowercase())
    })
}

/// Codes without a page and pages without a code. `paths` are all files of the repository.
pub(super) fn findings(codes: &[ErrorCode], paths: &[String]) -> Vec<Finding> {
    let pages: Vec<&str> = paths
        .iter()
        .filter_map(|path| path.strip_prefix(PAGES)?.strip_suffix(".md"))
        .collect();
    let without_page = codes
        .iter()
        .filter(|known| !pages.contains(&known.code.as_str()))
        .map(|known| {
            Finding::new(
                format!("{CODES}:{}", known.line),
                format!("the error code `{}` has no page", known.code),
                format!("write {PAGES}{}.md: what happened, and what to do", known.code),
            )
        });
    let without_code = pages
        .iter()
        .filter(|page| !OVERVIEWS.contains(page) && !codes.iter().any(|known| known.code == **page))
        .map(|page| {
            Finding::new(
                format!("{PAGES}{page}.md"),
                format!("describes the error code `{page}`, which {CODES} does not have"),
                "delete the page, or name it after its code",
            )
        });
    without_page.chain(without_code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "match self {\n    Self::NotFound => \"not-found\",\n    Self::Invalid | Self::Odd => \"invalid_request\",\n\
                        }\nmatch self {\n    Self::NotFound => \"There is no such payment\",\n}\n";

    #[test]
    fn codes_are_read_with_their_lines_and_titles_are_not() {
        let found: Vec<(String, usize)> = error_codes(TEXT)
            .into_iter()
            .map(|known| (known.code, known.line))
            .collect();
        assert_eq!(
            found,
            [("not-found".to_owned(), 2), ("invalid_request".to_owned(), 3)]
        );
    }

    #[test]
    fn a_code_without_a_page_and_a_page_without_a_code_are_found() {
        let paths = [
            "docs/errors/not-found.md",
            "docs/errors/gone.md",
            "docs/errors/index.md",
            "README.md",
        ]
        .map(str::to_owned);
        let places: Vec<String> = findings(&error_codes(TEXT), &paths)
            .into_iter()
            .map(|finding| finding.place)
            .collect();
        assert_eq!(places, [format!("{CODES}:3"), "docs/errors/gone.md".to_owned()]);
    }
}
