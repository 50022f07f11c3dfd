//! `portcullis policy push`

use std::borrow::Cow;
use std::path::PathBuf;

use anyhow::ensure;
use application::ports::Clock;
use clap::Args;
use plugin_host::ContractVersion;
use plugin_host::artifact::{Artifact, MAX_ARTIFACT_BYTES};
use plugin_host::authoring::Workbench;
use plugin_host::component;
use plugin_host::document::Publisher;
use plugin_host::load_error::LoadError;
use plugin_host::manifest::Manifest;
use plugin_host::publish::{
    Change, ComponentMetadata, Publication, PublishError, PublishOutcome, Terms, check_signatures, publish,
};
use serde_json::json;

use super::render::{check_against, refused_line, signers, unsigned_line};
use super::{KeyArgs, OutputArgs, StoreArgs, manifest_beside, read, read_manifest, workbench};
use crate::cli::{DONE, OutputFormat, REFUSED, eprintln, println};

#[derive(Args, Debug)]
pub(in crate::cli) struct PushArgs {
    /// Components, or core modules for `wasm32-wasip1`, which are turned into components; all come into force together
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The manifest of each file, in the same order; default: `policy.toml` beside the file
    #[arg(long = "manifest", value_name = "FILE")]
    manifests: Vec<PathBuf>,
    /// Who publishes, as the document will say
    #[arg(long, value_name = "NAME", env = "USER", default_value = "unknown")]
    publisher: String,
    /// Check everything and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: PushArgs) -> anyhow::Result<u8> {
    ensure!(
        args.manifests.is_empty() || args.manifests.len() == args.files.len(),
        "--manifest: found {} for {} files, expected one for each or none",
        args.manifests.len(),
        args.files.len()
    );
    let publisher =
        Publisher::parse(&args.publisher).map_err(|error| anyhow::anyhow!("--publisher: {error}"))?;
    let keys = args.keys.read()?;
    let trusted = args.store.trusted()?;
    let workbench = workbench()?;
    let mut publications = Vec::with_capacity(args.files.len());
    for (index, file) in args.files.iter().enumerate() {
        let manifest = args
            .manifests
            .get(index)
            .cloned()
            .unwrap_or_else(|| manifest_beside(file));
        let manifest = read_manifest(&manifest)?;
        let bytes = read(file, MAX_ARTIFACT_BYTES)?;
        let shown = file.display().to_string();
        match check(&workbench, &bytes, &manifest).await {
            Err(error) => {
                eprintln(&refused_line(&shown, &error));
                return Ok(REFUSED);
            }
            Ok((component, contract, passed)) => {
                tracing::debug!(file = shown, passed, "golden cases");
                let artifact = Artifact::new(component.into_owned())?;
                publications.push(Publication {
                    manifest,
                    artifact,
                    component: ComponentMetadata {
                        contract: contract.into(),
                    },
                });
            }
        }
    }
    let terms = Terms {
        publisher: &publisher,
        now: platform::SystemClock.now(),
        signers: &keys,
        trusted: &trusted,
    };
    if args.dry_run {
        if let Err(error) = check_signatures(&publications, &terms) {
            return refused(error);
        }
        match args.output.format {
            OutputFormat::Text => println("nothing was written (--dry-run); every check passed"),
            OutputFormat::Json => println(&json!({"dry_run": true, "revision": null}).to_string()),
        }
        return Ok(DONE);
    }
    let store = args.store.open().await?;
    let outcome = match publish(&*store, &publications, &terms).await {
        Ok(outcome) => outcome,
        Err(error) => return refused(error),
    };
    match args.output.format {
        OutputFormat::Text => println(&text(&outcome, &store.describe())),
        OutputFormat::Json => println(&to_json(&outcome).to_string()),
    }
    Ok(DONE)
}

/// What a node would refuse is told as a refusal; whatever else went wrong is an error.
fn refused(error: PublishError) -> anyhow::Result<u8> {
    match error {
        PublishError::Refused { name, refusal } => {
            eprintln(&unsigned_line(name.as_str(), &refusal));
            Ok(REFUSED)
        }
        error => Err(error.into()),
    }
}

/// Checks an artifact as a node would, and says what component it is and how many golden cases passed.
async fn check<'a>(
    workbench: &Workbench,
    bytes: &'a [u8],
    manifest: &Manifest,
) -> Result<(Cow<'a, [u8]>, ContractVersion, usize), LoadError> {
    let component = component::componentize(bytes)?;
    let policy = workbench.load(&component).await?;
    let passed = check_against(&policy, manifest, &component)?;
    Ok((component, policy.contract(), passed))
}

fn text(outcome: &PublishOutcome, store: &str) -> String {
    let lines = outcome.policies.iter().map(|policy| {
        let verb = match policy.change {
            Change::Nothing => "unchanged",
            Change::Signed => "signed",
            Change::Published => "published",
        };
        let (name, version) = (policy.name.as_str(), policy.version.as_str());
        let signed = if policy.signed_by.is_empty() {
            String::new()
        } else {
            format!(", signed by {}", signers(&policy.signed_by))
        };
        format!(
            "{verb} {name} {version}, sequence {}, {}{signed}",
            policy.sequence, policy.digest
        )
    });
    let mut lines: Vec<String> = lines.collect();
    if let Some(revision) = outcome.revision {
        lines.push(format!("in {store} at revision {revision}"));
    }
    lines.join("\n")
}

fn to_json(outcome: &PublishOutcome) -> serde_json::Value {
    let policies = outcome.policies.iter().map(|policy| {
        json!({
            "name": policy.name.as_str(),
            "version": policy.version.as_str(),
            "sequence": policy.sequence,
            "digest": policy.digest.to_string(),
            "changed": policy.change != Change::Nothing,
            "signatures": policy.signed_by,
        })
    });
    json!({"revision": outcome.revision, "policies": policies.collect::<Vec<_>>()})
}
