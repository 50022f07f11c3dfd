//! `portcullis policy inspect`

use std::path::PathBuf;

use clap::Args;
use plugin_host::authoring::{Inspection, PolicyDescription, Workbench};
use plugin_host::component::ArtifactKind;
use plugin_host::document::ParameterValue;
use serde_json::{Value, json};

use super::render::refused_line;
use super::{OutputArgs, read};
use crate::cli::{DONE, OutputFormat, REFUSED, eprintln, println};

#[derive(Args, Debug)]
pub(in crate::cli) struct InspectArgs {
    /// A component, or a core module for `wasm32-wasip1`
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &InspectArgs) -> anyhow::Result<u8> {
    let bytes = read(&args.file, plugin_host::artifact::MAX_ARTIFACT_BYTES)?;
    let inspection = Workbench::new()?.inspect(&bytes);
    match args.output.format {
        OutputFormat::Text => println(&text(&inspection)),
        OutputFormat::Json => println(&format!("{:#}", to_json(&inspection))),
    }
    match &inspection.policy {
        Ok(_) => Ok(DONE),
        Err(error) => {
            eprintln(&refused_line(&args.file.display().to_string(), error));
            Ok(REFUSED)
        }
    }
}

const fn kind(inspection: &Inspection) -> &'static str {
    match inspection.kind {
        Some(ArtifactKind::Component) => "component",
        Some(ArtifactKind::CoreModule) => "core module (turned into a component on push)",
        None => "no WebAssembly",
    }
}

fn text(inspection: &Inspection) -> String {
    let mut lines = vec![
        format!("kind        {}", kind(inspection)),
        format!("size        {} bytes", inspection.size_bytes),
        format!("digest      {}", inspection.digest),
    ];
    let mut named = |title: &str, names: Vec<String>| {
        for (index, name) in names.into_iter().enumerate() {
            lines.push(format!("{:<11} {name}", if index == 0 { title } else { "" }));
        }
    };
    named("imports", inspection.imports.clone());
    named("exports", inspection.exports.clone());
    if let Ok(policy) = &inspection.policy {
        named("summary", vec![policy.summary.clone()]);
        let reads = if policy.reads.is_empty() {
            "nothing".to_owned()
        } else {
            policy.reads.join(", ")
        };
        named("reads", vec![reads]);
        named(
            "features",
            policy
                .features
                .iter()
                .map(|(name, what)| format!("{name}: {what}"))
                .collect(),
        );
        let parameter = |(name, value): &(String, ParameterValue)| format!("{name} = {}", plain(value));
        named("parameters", policy.parameters.iter().map(parameter).collect());
        named("golden", vec![format!("{} cases", policy.golden_cases)]);
    }
    lines.join("\n")
}

fn plain(value: &ParameterValue) -> Value {
    match value {
        ParameterValue::Integer(value) => json!(value),
        ParameterValue::Text(value) => json!(value),
        ParameterValue::Flag(value) => json!(value),
        ParameterValue::Texts(value) => json!(value),
    }
}

fn to_json(inspection: &Inspection) -> Value {
    let policy = |policy: &PolicyDescription| {
        json!({
            "summary": policy.summary,
            "reads": policy.reads,
            "features": policy.features.iter().map(|(name, what)| json!({"name": name, "what": what})).collect::<Vec<_>>(),
            "parameters": policy.parameters.iter().map(|(name, value)| (name.clone(), plain(value))).collect::<serde_json::Map<_, _>>(),
            "golden_cases": policy.golden_cases,
        })
    };
    json!({
        "kind": inspection.kind.map(|kind| match kind { ArtifactKind::Component => "component", ArtifactKind::CoreModule => "core_module" }),
        "size": inspection.size_bytes,
        "digest": inspection.digest.to_string(),
        "imports": inspection.imports,
        "exports": inspection.exports,
        "policy": inspection.policy.as_ref().ok().map(policy),
        "refused": inspection.policy.as_ref().err().map(|error| json!({"code": error.code(), "message": error.to_string()})),
    })
}
