//! What several policy commands say in the same words.

use domain::Timestamp;
use plugin_host::artifact::Artifact;
use plugin_host::authoring::LoadedPolicy;
use plugin_host::document::{FieldChange, Publisher, Statement};
use plugin_host::load_error::LoadError;
use plugin_host::manifest::Manifest;
use plugin_host::signing::{KeyId, SignatureRefusal};
use serde_json::{Value, json};

/// Holds a policy against its manifest, as every node will. Says how many golden cases passed.
pub(super) fn check_against(
    policy: &LoadedPolicy,
    manifest: &Manifest,
    component: &[u8],
) -> Result<usize, LoadError> {
    let invalid = |reason: String| LoadError::InvalidDescriptor { reason };
    let artifact = Artifact::new(component.to_vec()).map_err(|error| invalid(error.to_string()))?;
    let contract = policy.contract().into();
    let publisher = Publisher::parse("check").map_err(|error| invalid(error.to_string()))?;
    let now = Timestamp::from_unix_millis(0);
    let document = manifest.document(contract, *artifact.reference(), 1, now, publisher);
    policy.verify(&document)
}

/// A refusal, with the stable name of the check.
pub(super) fn refused_line(what: &str, error: &LoadError) -> String {
    format!("refused {what} ({}): {error}", error.code())
}

/// The same of a document that the nodes would not take for its signatures.
pub(super) fn unsigned_line(name: &str, refusal: &SignatureRefusal) -> String {
    refused_document(name, refusal.code(), &refusal.to_string())
}

/// The same of a document that the nodes would not take.
pub(super) fn refused_document(name: &str, code: &str, message: &str) -> String {
    format!("refused {name} ({code}): {message}")
}

/// What a document is, in one line.
pub(super) fn release_line(statement: &Statement) -> String {
    match statement {
        Statement::Release(document) => {
            let trial = document.candidate.as_ref().map_or_else(String::new, |candidate| {
                format!(
                    ", with {} as {} on {}",
                    candidate.version,
                    candidate.stage.as_str(),
                    candidate.stage.percent()
                )
            });
            format!(
                "{} {}, sequence {}, {}{trial}",
                document.name,
                document.version,
                document.sequence,
                document.artifact.digest()
            )
        }
        Statement::Retirement(retirement) => {
            format!("{} as retired, sequence {}", retirement.name, retirement.sequence)
        }
    }
}

/// What differs, one line a field.
pub(super) fn change_lines(changes: &[FieldChange]) -> Vec<String> {
    let lines = changes.iter().map(|change| {
        let path = &change.path;
        match (&change.from, &change.to) {
            (Some(from), Some(to)) => format!("  {path}: {from} → {to}"),
            (None, Some(to)) => format!("+ {path}: {to}"),
            (Some(from), None) => format!("- {path}: {from}"),
            (None, None) => String::new(),
        }
    });
    lines.collect()
}

/// The same for scripts.
pub(super) fn changes_to_json(changes: &[FieldChange]) -> Vec<Value> {
    let fields = changes
        .iter()
        .map(|change| json!({"path": change.path, "from": change.from, "to": change.to}));
    fields.collect()
}

/// Whose signatures a document has, for people: the beginnings of the keys' ids.
pub(super) fn signers(keyids: &[String]) -> String {
    if keyids.is_empty() {
        return "nobody".to_owned();
    }
    let short = keyids.iter().map(|keyid| match keyid.as_str() {
        "" => "unnamed".to_owned(),
        // Whoever writes to the store chose it.
        keyid => KeyId::shortened(keyid).escape_debug().to_string(),
    });
    short.collect::<Vec<_>>().join(", ")
}

/// Columns of equal width, as wide as their widest cell.
pub(in crate::cli) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|c| c.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let lines = rows.iter().map(|row| {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The first twelve digits of a digest, enough for people to tell releases apart.
pub(super) fn short_digest(digest: &str) -> String {
    digest.chars().take("sha256:".len() + 12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [
            vec!["NAME".to_owned(), "N".to_owned()],
            vec!["a".to_owned(), "10".to_owned()],
        ];
        assert_eq!(table(&rows), "NAME  N\na     10");
    }

    #[test]
    fn signers_are_told_by_the_beginnings_of_their_ids() {
        assert_eq!(signers(&[]), "nobody");
        let ids = ["sm2:00112233445566778899", "", "k\u{1b}1"].map(str::to_owned);
        assert_eq!(signers(&ids), "sm2:001122334455, unnamed, k\\u{1b}1");
    }
}
