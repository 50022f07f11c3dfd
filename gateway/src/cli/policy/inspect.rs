//! `portcullis policy inspect`

use std::path::PathBuf;

use clap::Args;
use plugin_host::ImportKind;
use plugin_host::authoring::{Import, Inspection, PolicyDescription};
use plugin_host::component::ArtifactKind;
use plugin_host::document::ParameterValue;
use plugin_host::load_error::LoadError;
use serde_json::{Map, Value, json};

use super::render::refused_line;
use super::{OutputArgs, read, workbench};
use crate::cli::{DONE, OutputFormat, REFUSED, eprintln, println};

#[derive(Args, Debug)]
pub(in crate::cli) struct InspectArgs {
    /// A component, or a core module for `wasm32-wasip1`
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: InspectArgs) -> anyhow::Result<u8> {
    let bytes = read(&args.file, plugin_host::artifact::MAX_ARTIFACT_BYTES)?;
    let inspection = workbench()?.inspect(&bytes).await;
    match args.output.format {
        OutputFormat::Text => println(&text(&inspection)),
        OutputFormat::Json => println(&format!("{:#}", to_json(&inspection))),
    }
    for error in &inspection.refusals {
        eprintln(&printable(&refused_line(&args.file.display().to_string(), error)));
    }
    Ok(if inspection.refusals.is_empty() {
        DONE
    } else {
        REFUSED
    })
}

fn text(inspection: &Inspection) -> String {
    let mut lines = Vec::new();
    let mut named = |title: &str, values: Vec<String>| {
        for (index, value) in values.into_iter().enumerate() {
            let title = if index == 0 { title } else { "" };
            lines.push(printable(&format!("{title:<12} {value}")));
        }
    };
    let kind = match inspection.kind {
        Some(ArtifactKind::Component) => "component",
        Some(ArtifactKind::CoreModule) => "core module (turned into a component on push)",
        None => "no WebAssembly",
    };
    named("kind", vec![kind.to_owned()]);
    named("size", vec![format!("{} bytes", inspection.size_bytes)]);
    named("digest", vec![inspection.digest.to_string()]);
    named("contract", vec![contract(inspection)]);
    named("differs", differences(inspection));
    named("imports", inspection.imports.iter().map(import).collect());
    named("exports", inspection.exports.clone());
    if inspection.more_names > 0 {
        named(
            "",
            vec![format!("and {} more imports or exports", inspection.more_names)],
        );
    }
    for (field, tools) in &inspection.provenance.producers {
        let tools = tools.iter().map(|(tool, versions)| {
            let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
            format!("{tool} {}", versions.join(", ")).trim_end().to_owned()
        });
        named(field, tools.collect());
    }
    if inspection.kind.is_some() {
        let names = if inspection.provenance.has_function_names {
            "kept, so that backtraces name functions"
        } else {
            "stripped, so that backtraces have numbers alone"
        };
        named("names", vec![names.to_owned()]);
    }
    if let Some(policy) = &inspection.policy {
        describe(policy, &mut named);
    }
    let codes = inspection.refusals.iter().map(|error| error.code().to_owned());
    named("refused for", codes.collect());
    lines.join("\n")
}

fn describe(policy: &PolicyDescription, named: &mut impl FnMut(&str, Vec<String>)) {
    named("summary", vec![policy.summary.clone()]);
    let reads = if policy.reads.is_empty() {
        "nothing".to_owned()
    } else {
        policy.reads.join(", ")
    };
    named("reads", vec![reads]);
    let feature = |(name, what): &(String, String)| format!("{name}: {what}");
    named("features", policy.features.iter().map(feature).collect());
    let parameter = |(name, value): &(String, ParameterValue)| format!("{name} = {}", plain(value));
    named("parameters", policy.parameters.iter().map(parameter).collect());
    named("golden", vec![format!("{} cases", policy.golden_cases)]);
}

/// The contract that it fits, or that it fits none.
fn contract(inspection: &Inspection) -> String {
    match inspection.contract {
        Some(contract) => format!("fits the world risk-policy of {}", contract.package()),
        None => "fits none that is served".to_owned(),
    }
}

/// What sets it apart from the contract.
fn differences(inspection: &Inspection) -> Vec<String> {
    let mismatches = inspection.refusals.iter().filter_map(|error| match error {
        LoadError::ContractMismatch(mismatch) => Some(mismatch),
        _ => None,
    });
    mismatches
        .flat_map(|mismatch| {
            let more = (mismatch.more() > 0).then(|| format!("and {} more", mismatch.more()));
            mismatch.differences().iter().map(ToString::to_string).chain(more)
        })
        .collect()
}

const fn import_kind(kind: ImportKind) -> &'static str {
    match kind {
        ImportKind::Contract => "contract",
        ImportKind::VirtualWasi => "WASI, virtual",
        ImportKind::Type => "type",
        ImportKind::Forbidden => "forbidden",
    }
}

fn import(import: &Import) -> String {
    format!("{} ({})", import.name, import_kind(import.kind))
}

fn plain(value: &ParameterValue) -> Value {
    match value {
        ParameterValue::Integer(value) => json!(value),
        ParameterValue::Text(value) => json!(value),
        ParameterValue::Flag(value) => json!(value),
        ParameterValue::Texts(value) => json!(value),
    }
}

/// A stranger's text must not steer the terminal.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

fn to_json(inspection: &Inspection) -> Value {
    let imports = inspection.imports.iter().map(|import| {
        let kind = match import.kind {
            ImportKind::Contract => "contract",
            ImportKind::VirtualWasi => "virtual_wasi",
            ImportKind::Type => "type",
            ImportKind::Forbidden => "forbidden",
        };
        json!({"name": import.name, "kind": kind})
    });
    json!({
        "kind": inspection.kind.map(|kind| match kind { ArtifactKind::Component => "component", ArtifactKind::CoreModule => "core_module" }),
        "size": inspection.size_bytes,
        "digest": inspection.digest.to_string(),
        "contract": inspection.contract.map(|contract| contract.package()),
        "imports": imports.collect::<Vec<_>>(),
        "exports": inspection.exports,
        "more_names": inspection.more_names,
        "producers": inspection.provenance.producers,
        "function_names": inspection.provenance.has_function_names,
        "policy": inspection.policy.as_ref().map(policy),
        "refused": inspection.refusals.iter().map(refusal).collect::<Vec<_>>(),
    })
}

fn policy(policy: &PolicyDescription) -> Value {
    let features = policy
        .features
        .iter()
        .map(|(name, what)| json!({"name": name, "what": what}));
    let parameters = policy
        .parameters
        .iter()
        .map(|(name, value)| (name.clone(), plain(value)));
    json!({
        "summary": policy.summary,
        "reads": policy.reads,
        "features": features.collect::<Vec<_>>(),
        "parameters": parameters.collect::<Map<_, _>>(),
        "golden_cases": policy.golden_cases,
    })
}

fn refusal(error: &LoadError) -> Value {
    let (code, message) = (error.code(), error.to_string());
    let LoadError::ContractMismatch(mismatch) = error else {
        return json!({"code": code, "message": message});
    };
    let differences = mismatch.differences().iter().map(ToString::to_string);
    json!({
        "code": code,
        "message": message,
        "differences": differences.collect::<Vec<_>>(),
        "more": mismatch.more(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_with_control_characters_does_not_steer_the_terminal() {
        assert_eq!(printable("六 \u{1b}[2J\r\nend"), "六 \\u{1b}[2J\\r\\nend");
    }
}
