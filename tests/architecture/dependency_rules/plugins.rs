//! Policies know the contract and nothing else of this repository: what a stranger writes against the
//! published kit must be able to do all that ours do.

use std::path::Path;

use toml::{Table, Value};

use super::graph::Crate;
use crate::Finding;
use crate::repository::{SourceFile, normal};

/// The folder of the workspace of policies.
pub(super) const FOLDER: &str = "plugins";

/// Every dependency of a manifest under `plugins/` that leads out of that folder.
pub(super) fn findings(manifests: &[SourceFile], crates: &[Crate]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in manifests {
        let table: Table = match manifest.text.parse() {
            Ok(table) => table,
            Err(error) => {
                findings.push(Finding::new(
                    &manifest.path,
                    format!("is not TOML: {error}"),
                    "correct the manifest",
                ));
                continue;
            }
        };
        let mut dependencies = Vec::new();
        collect(&table, &mut dependencies);
        for (name, value) in dependencies {
            if let Some(problem) = problem_with(&manifest.path, &name, value, crates) {
                let line = manifest
                    .text
                    .lines()
                    .position(|line| line.trim_start().trim_start_matches('"').starts_with(&name));
                let place = line.map_or_else(
                    || manifest.path.clone(),
                    |index| format!("{}:{}", manifest.path, index + 1),
                );
                findings.push(Finding::new(
                    place,
                    problem,
                    "depend on the kit under plugins/sdk and on the contract under wit/; what a policy needs to know \
                     comes in through the contract",
                ));
            }
        }
    }
    findings
}

/// The entries of every table whose name ends in `dependencies`, at any depth: of targets and of the
/// workspace too.
fn collect<'a>(table: &'a Table, into: &mut Vec<(String, &'a Value)>) {
    for (key, value) in table {
        let Value::Table(inner) = value else { continue };
        if matches!(
            key.as_str(),
            "dependencies" | "dev-dependencies" | "build-dependencies"
        ) {
            into.extend(inner.iter().map(|(name, value)| (name.clone(), value)));
        } else {
            collect(inner, into);
        }
    }
}

fn problem_with(manifest: &str, name: &str, value: &Value, crates: &[Crate]) -> Option<String> {
    let package = value.get("package").and_then(Value::as_str).unwrap_or(name);
    if let Some(path) = value.get("path").and_then(Value::as_str) {
        let folder = Path::new(manifest).parent().unwrap_or(Path::new(""));
        let target = normal(&folder.join(path));
        if !target.starts_with(FOLDER) {
            return Some(format!(
                "`{package}` is taken from {}, outside of {FOLDER}/",
                target.display()
            ));
        }
    }
    crates
        .iter()
        .any(|member| package == format!("portcullis-{}", member.name))
        .then(|| format!("`{package}` is a crate of the gateway's workspace"))
}
