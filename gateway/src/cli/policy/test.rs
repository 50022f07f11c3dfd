//! `portcullis policy test`

use std::path::{Path, PathBuf};

use anyhow::ensure;
use clap::Args;
use plugin_host::artifact::MAX_ARTIFACT_BYTES;
use plugin_host::authoring::{LoadedPolicy, Run, Trial, TriedCase, Workbench};
use plugin_host::component;
use plugin_host::document::Limits;
use plugin_host::load_error::LoadError;
use plugin_host::manifest::Manifest;
use serde_json::{Value, json};

use super::render::{check_against, refused_line};
use super::{OutputArgs, read, read_manifest, workbench};
use crate::cli::{DONE, OutputFormat, REFUSED, println};

#[derive(Args, Debug)]
pub(in crate::cli) struct TestArgs {
    /// Components, or core modules for `wasm32-wasip1`
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The manifest of each file, in the same order, for its limits, grants and parameters; default: the default limits
    #[arg(long = "manifest", value_name = "FILE")]
    manifests: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

/// An artifact as it is to be tried.
struct Subject {
    file: String,
    manifest: Option<Manifest>,
    /// Its component and the policy that it is, or why it is none.
    policy: Result<(Vec<u8>, LoadedPolicy), LoadError>,
}

/// What came of an artifact.
struct Tested {
    file: String,
    digest: Option<String>,
    contract: Option<&'static str>,
    cases: Vec<TriedCase>,
    failed: usize,
    refused: Option<LoadError>,
}

pub(super) async fn run(args: TestArgs) -> anyhow::Result<u8> {
    ensure!(
        args.manifests.is_empty() || args.manifests.len() == args.files.len(),
        "--manifest: found {} for {} files, expected one for each or none",
        args.manifests.len(),
        args.files.len()
    );
    // All are loaded before the first is tried, and stay: on a node too they are in memory beside each other.
    let workbench = workbench()?;
    let mut subjects = Vec::with_capacity(args.files.len());
    for (index, file) in args.files.iter().enumerate() {
        subjects.push(load(&workbench, file, args.manifests.get(index)).await?);
    }
    let tested: Vec<Tested> = subjects.iter().map(test).collect();
    match args.output.format {
        OutputFormat::Text => println(&text(&tested)),
        OutputFormat::Json => println(&format!("{:#}", to_json(&tested))),
    }
    let passed = tested
        .iter()
        .all(|tested| tested.failed == 0 && tested.refused.is_none());
    Ok(if passed { DONE } else { REFUSED })
}

async fn load(workbench: &Workbench, file: &Path, manifest: Option<&PathBuf>) -> anyhow::Result<Subject> {
    let manifest = manifest.map(|path| read_manifest(path)).transpose()?;
    let bytes = read(file, MAX_ARTIFACT_BYTES)?;
    let policy = match component::componentize(&bytes) {
        Ok(component) => {
            let policy = workbench.load(&component).await;
            policy.map(|policy| (component.into_owned(), policy))
        }
        Err(error) => Err(error.into()),
    };
    Ok(Subject {
        file: file.display().to_string(),
        manifest,
        policy,
    })
}

fn test(subject: &Subject) -> Tested {
    let file = subject.file.clone();
    let (component, policy) = match &subject.policy {
        Ok(policy) => policy,
        Err(error) => {
            return Tested {
                file,
                digest: None,
                contract: None,
                cases: Vec::new(),
                failed: 0,
                refused: Some(error.clone()),
            };
        }
    };
    let manifest = subject.manifest.as_ref();
    let limits = manifest.map_or_else(Limits::default, |manifest| manifest.limits);
    let trial = policy.try_golden_cases(&limits);
    let failed = trial.failed();
    let Trial { cases, refused } = trial;
    // What else a node holds against the document. That a case fails is told with the case.
    let refused = refused.or_else(|| {
        let error = check_against(policy, manifest?, component).err()?;
        (!matches!(error, LoadError::GoldenCaseFailed(_))).then_some(error)
    });
    Tested {
        file,
        digest: Some(policy.digest().to_string()),
        contract: Some(policy.contract().package()),
        cases,
        failed,
        refused,
    }
}

fn text(tested: &[Tested]) -> String {
    let mut lines = Vec::new();
    for artifact in tested {
        lines.push(match &artifact.digest {
            Some(digest) => format!("{}  {digest}", artifact.file),
            None => artifact.file.clone(),
        });
        for case in &artifact.cases {
            let word = if case.difference.is_none() {
                "ok    "
            } else {
                "FAILED"
            };
            let fuel = case.run.as_ref();
            let fuel = fuel.map_or_else(String::new, |run| format!("  ({} fuel)", run.fuel_used));
            lines.push(format!("  {word}  {}{fuel}", case.name));
            let difference = case.difference.iter().flat_map(|text| text.lines());
            lines.extend(difference.map(|line| format!("          {line}")));
        }
        match &artifact.refused {
            Some(error) => lines.push(format!("  {}", refused_line(&artifact.file, error))),
            None if artifact.cases.is_empty() => {
                lines.push("  carries no golden cases, so there is nothing to try".to_owned());
            }
            None => {}
        }
    }
    lines.push(sum(tested));
    lines.join("\n")
}

fn sum(tested: &[Tested]) -> String {
    let cases: usize = tested.iter().map(|artifact| artifact.cases.len()).sum();
    let failed: usize = tested.iter().map(|artifact| artifact.failed).sum();
    let refused = tested
        .iter()
        .filter(|artifact| artifact.refused.is_some())
        .count();
    let mut sum = format!("golden cases: {} passed, {failed} failed", cases - failed);
    if refused > 0 {
        sum.push_str(&format!("; {refused} of {} artifacts refused", tested.len()));
    }
    sum
}

fn to_json(tested: &[Tested]) -> Value {
    let artifacts = tested.iter().map(|artifact| {
        let refused = artifact.refused.as_ref();
        json!({
            "file": artifact.file,
            "digest": artifact.digest,
            "contract": artifact.contract,
            "cases": artifact.cases.iter().map(case_to_json).collect::<Vec<_>>(),
            "refused": refused.map(|error| json!({"code": error.code(), "message": error.to_string()})),
        })
    });
    let cases: usize = tested.iter().map(|artifact| artifact.cases.len()).sum();
    let failed: usize = tested.iter().map(|artifact| artifact.failed).sum();
    json!({
        "artifacts": artifacts.collect::<Vec<_>>(),
        "passed": cases - failed,
        "failed": failed,
    })
}

/// One case. `verdict` and `fault` exclude each other; both are null where the case itself is off.
fn case_to_json(case: &TriedCase) -> Value {
    let run = case.run.as_ref();
    let verdict = run.and_then(|run| run.result.as_ref().ok());
    let fault = run.and_then(|run| run.result.as_ref().err());
    json!({
        "name": case.name,
        "passed": case.difference.is_none(),
        "difference": case.difference,
        "verdict": verdict.map(|verdict| json!({
            "outcome": verdict.outcome.as_str(),
            "score": verdict.score.value(),
            "reasons": verdict.reasons.iter()
                .map(|reason| json!({"code": reason.code, "message": reason.message}))
                .collect::<Vec<_>>(),
        })),
        "fault": fault.map(|fault| json!({"kind": fault.kind.as_str(), "detail": fault.detail})),
        "signals": run.map(signals),
        "fuel_used": run.map(|run| run.fuel_used),
        "elapsed_us": run.map(|run| u64::try_from(run.elapsed.as_micros()).unwrap_or(u64::MAX)),
    })
}

fn signals(run: &Run) -> Vec<Value> {
    run.signals
        .iter()
        .map(|signal| json!({"code": signal.code, "detail": signal.detail}))
        .collect()
}
