//! `portcullis policy push`

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use plugin_host::artifact::{Artifact, MAX_ARTIFACT_BYTES};
use plugin_host::authoring::Examination;
use plugin_host::component;
use plugin_host::document::{Gates, Stage};
use plugin_host::load_error::LoadError;
use plugin_host::manifest::Manifest;
use plugin_host::publish::{ComponentMetadata, Proposal, Publication};

use super::publishing::{PublishArgs, Publishing};
use super::render::{check_against, refused_line};
use super::trial::TrialArgs;
use super::{manifest_beside, read, read_manifest};
use crate::cli::{REFUSED, eprintln};

#[derive(Args, Debug)]
pub(in crate::cli) struct PushArgs {
    /// Components, or core modules for `wasm32-wasip1`, which are turned into components; all come into force together
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The manifest of each file, in the same order; default: `policy.toml` beside the file
    #[arg(long = "manifest", value_name = "FILE")]
    manifests: Vec<PathBuf>,
    #[command(flatten)]
    trial: TrialArgs,
    #[command(flatten)]
    publish: PublishArgs,
}

pub(super) async fn run(args: PushArgs) -> anyhow::Result<u8> {
    ensure!(
        args.manifests.is_empty() || args.manifests.len() == args.files.len(),
        "--manifest: found {} for {} files, expected one for each or none",
        args.manifests.len(),
        args.files.len()
    );
    let is_candidate = args.trial.is_asked_for()?;
    let mut publishing = Publishing::prepare(args.publish)?;
    let mut proposals = Vec::with_capacity(args.files.len());
    for (index, file) in args.files.iter().enumerate() {
        let manifest = args
            .manifests
            .get(index)
            .cloned()
            .unwrap_or_else(|| manifest_beside(file));
        let manifest = read_manifest(&manifest)?;
        let trial = is_candidate.then(|| args.trial.of(&manifest)).transpose()?;
        let bytes = read(file, MAX_ARTIFACT_BYTES)?;
        match publication(&mut publishing.examination, &bytes, manifest).await? {
            Err(error) => {
                eprintln(&refused_line(&file.display().to_string(), &error));
                return Ok(REFUSED);
            }
            Ok(publication) => proposals.push(proposal(publication, trial)),
        }
    }
    let store = publishing.open(is_candidate).await?;
    if is_candidate {
        publishing.warn_of_unknown_signers();
    }
    publishing.run(&*store, &proposals).await
}

fn proposal(publication: Publication, trial: Option<(Stage, Gates)>) -> Proposal {
    let publication = Box::new(publication);
    match trial {
        None => Proposal::Release(publication),
        Some((stage, gates)) => Proposal::Candidate {
            publication,
            stage,
            gates,
        },
    }
}

/// Checks an artifact as a node would, before anybody asks the store.
pub(super) async fn publication(
    examination: &mut Examination,
    bytes: &[u8],
    manifest: Manifest,
) -> anyhow::Result<Result<Publication, LoadError>> {
    let component = match component::componentize(bytes) {
        Ok(component) => component,
        Err(error) => return Ok(Err(error.into())),
    };
    let contract = match examination.load(&component).await {
        Ok(policy) => check_against(policy, &manifest, &component).map(|_| policy.contract()),
        Err(error) => Err(error),
    };
    let contract = match contract {
        Ok(contract) => contract.into(),
        Err(error) => return Ok(Err(error)),
    };
    Ok(Ok(Publication {
        manifest,
        artifact: Artifact::new(component.into_owned())?,
        component: ComponentMetadata { contract },
    }))
}
