//! `portcullis policy gc`

use std::time::Duration;

use clap::Args;
use plugin_host::publish::{Collected, Garbage, GarbageArtifact};
use plugin_host::store::HistoryEntry;
use serde_json::{Value, json};

use super::{OutputArgs, StoreArgs};
use crate::cli::{DONE, OutputFormat, println};

/// How long an artifact must have been without need: longer than a push takes from its artifact to its document.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Args, Debug)]
pub(in crate::cli) struct GcArgs {
    /// Keep so many of the newest documents of each policy's history, and their artifacts
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    keep: u16,
    /// Show what would be deleted, and delete nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: GcArgs) -> anyhow::Result<u8> {
    let store = args.store.open_existing().await?;
    let keep = usize::from(args.keep);
    let collected = if args.dry_run {
        let garbage = Garbage::find(&*store, keep).await?;
        Collected {
            artifacts: garbage.artifacts,
            history: garbage.history,
            left: 0,
        }
    } else {
        Garbage::collect(&*store, keep, GRACE).await?
    };
    match args.output.format {
        OutputFormat::Text => println(&text(&collected, args.dry_run)),
        OutputFormat::Json => println(&to_json(&collected, args.dry_run).to_string()),
    }
    Ok(DONE)
}

fn bytes(artifacts: &[GarbageArtifact]) -> u64 {
    artifacts.iter().map(|artifact| artifact.size).sum()
}

fn text(collected: &Collected, dry_run: bool) -> String {
    let verb = if dry_run { "would delete" } else { "deleted" };
    let artifacts = collected.artifacts.iter();
    let mut lines: Vec<String> = artifacts
        .map(|artifact| format!("{verb} {}, {} bytes", artifact.stored.digest, artifact.size))
        .collect();
    let entries = collected.history.iter();
    lines.extend(
        entries.map(|HistoryEntry { name, sequence }| format!("{verb} {name} {sequence} of the history")),
    );
    lines.push(format!(
        "{verb} {} artifacts of {} bytes, and {} documents of histories",
        collected.artifacts.len(),
        bytes(&collected.artifacts),
        collected.history.len()
    ));
    if collected.left > 0 {
        lines.push(format!(
            "left {} artifacts for another time, since somebody goes on publishing",
            collected.left
        ));
    }
    lines.join("\n")
}

fn to_json(collected: &Collected, dry_run: bool) -> Value {
    let artifacts = collected
        .artifacts
        .iter()
        .map(|artifact| json!({"digest": artifact.stored.digest.to_string(), "bytes": artifact.size}));
    let history = collected
        .history
        .iter()
        .map(|entry| json!({"name": entry.name.as_str(), "sequence": entry.sequence}));
    json!({
        "dry_run": dry_run,
        "artifacts": artifacts.collect::<Vec<_>>(),
        "bytes": bytes(&collected.artifacts),
        "history": history.collect::<Vec<_>>(),
        "left": collected.left,
    })
}
