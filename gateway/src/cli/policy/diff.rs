//! `portcullis policy diff`. It ends as diff does: 0 where nothing differs, 1 where something does, 2 on trouble.

use std::path::PathBuf;

use anyhow::{Context, bail};
use application::ports::Clock;
use clap::Args;
use plugin_host::artifact::MAX_ARTIFACT_BYTES;
use plugin_host::authoring::Examination;
use plugin_host::document::{FieldChange, PolicyName, Publisher, Statement, changes};
use plugin_host::envelope::Envelope;
use plugin_host::publish::statement_of;
use plugin_host::store::{HistoryEntry, PolicyArchive};
use serde_json::{Value, json};

use super::push::publication;
use super::render::{change_lines, changes_to_json, refused_line, release_line};
use super::{OutputArgs, StoreArgs, manifest_beside, policy_name, read, read_manifest, workbench};
use crate::cli::{DONE, OutputFormat, eprintln, println};

/// Something differs.
const DIFFERENT: u8 = 1;
/// It is not known whether something does.
const TROUBLE: u8 = 2;

#[derive(Args, Debug)]
pub(in crate::cli) struct DiffArgs {
    /// The policy
    #[arg(value_name = "NAME", value_parser = policy_name, required_unless_present = "file")]
    name: Option<PolicyName>,
    /// From this document of its history; default: the one before the other
    #[arg(long, value_name = "SEQUENCE")]
    from: Option<u64>,
    /// To this document of its history; default: the one that is stored
    #[arg(long, value_name = "SEQUENCE")]
    to: Option<u64>,
    /// From what is stored to what a push of this component would make of it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "from", "to"])]
    file: Option<PathBuf>,
    /// The manifest of the component; default: `policy.toml` beside it
    #[arg(long, value_name = "FILE", requires = "file")]
    manifest: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Two documents, the second one there in any case.
struct Compared {
    from: Option<Statement>,
    to: Statement,
}

pub(super) fn run(args: DiffArgs) -> u8 {
    let format = args.output.format;
    let compared = crate::cli::runtime().and_then(|runtime| runtime.block_on(compare(args)));
    match compared {
        Err(error) => {
            eprintln(&format!("error: {error:#}"));
            TROUBLE
        }
        Ok(Compared { from, to }) => {
            let changes = changes(from.as_ref(), &to);
            match format {
                OutputFormat::Text if changes.is_empty() => {}
                OutputFormat::Text => println(&text(from.as_ref(), &to, &changes)),
                OutputFormat::Json => println(&to_json(from.as_ref(), &to, &changes).to_string()),
            }
            if changes.is_empty() { DONE } else { DIFFERENT }
        }
    }
}

async fn compare(args: DiffArgs) -> anyhow::Result<Compared> {
    let store = args.store.open_existing().await?;
    if let Some(file) = args.file {
        return of_file(&*store, file, args.manifest).await;
    }
    let name = args.name.context("name the policy")?;
    let to = match args.to {
        Some(sequence) => past(&*store, &name, sequence).await?,
        None => match stored(&*store, &name).await? {
            Some(statement) => statement,
            None => bail!(
                "{} holds no document of `{name}`; name one of its history with --to",
                store.describe()
            ),
        },
    };
    let from = match args.from {
        Some(sequence) => past(&*store, &name, sequence).await?,
        None => before(&*store, &to).await?,
    };
    Ok(Compared { from: Some(from), to })
}

/// What a push would make of a file, held against what is stored.
async fn of_file(
    store: &dyn PolicyArchive,
    file: PathBuf,
    manifest: Option<PathBuf>,
) -> anyhow::Result<Compared> {
    let manifest = read_manifest(&manifest.unwrap_or_else(|| manifest_beside(&file)))?;
    let bytes = read(&file, MAX_ARTIFACT_BYTES)?;
    let mut examination = Examination::on(workbench()?);
    let publication = match publication(&mut examination, &bytes, manifest).await? {
        Ok(publication) => publication,
        Err(error) => bail!("{}", refused_line(&file.display().to_string(), &error)),
    };
    let from = stored(store, &publication.manifest.name).await?;
    let document = publication.manifest.document(
        publication.component.contract,
        *publication.artifact.reference(),
        from.as_ref().map_or(0, Statement::sequence) + 1,
        platform::SystemClock.now(),
        Publisher::parse("nobody")?,
    );
    let to = Statement::Release(Box::new(document));
    Ok(Compared { from, to })
}

async fn stored(store: &dyn PolicyArchive, name: &PolicyName) -> anyhow::Result<Option<Statement>> {
    let Some(stored) = store.get(name).await? else {
        return Ok(None);
    };
    let statement = Envelope::parse(&stored.value)?.statement()?;
    Ok(Some(statement))
}

async fn past(store: &dyn PolicyArchive, name: &PolicyName, sequence: u64) -> anyhow::Result<Statement> {
    let name = name.clone();
    let entry = HistoryEntry { name, sequence };
    match statement_of(store, &entry).await? {
        Some(Ok(statement)) => Ok(statement),
        Some(Err(error)) => bail!("`{}` {sequence} cannot be read: {error}", entry.name),
        None => bail!("the history of `{}` has no sequence {sequence}", entry.name),
    }
}

/// The newest document of the history before this one.
async fn before(store: &dyn PolicyArchive, to: &Statement) -> anyhow::Result<Statement> {
    let entries = store.history(Some(to.name())).await?;
    let entry = entries.into_iter().find(|entry| entry.sequence < to.sequence());
    let Some(entry) = entry else {
        bail!(
            "the history of `{}` has nothing before sequence {}; name what to compare it with by --from",
            to.name(),
            to.sequence()
        );
    };
    past(store, &entry.name, entry.sequence).await
}

fn text(from: Option<&Statement>, to: &Statement, changes: &[FieldChange]) -> String {
    let nothing = || "nothing: the store holds no document of it".to_owned();
    let mut lines = vec![
        format!("--- {}", from.map_or_else(nothing, release_line)),
        format!("+++ {}", release_line(to)),
    ];
    lines.extend(change_lines(changes));
    lines.join("\n")
}

fn to_json(from: Option<&Statement>, to: &Statement, changes: &[FieldChange]) -> Value {
    json!({
        "name": to.name().as_str(),
        "from": from.map(Statement::sequence),
        "to": to.sequence(),
        "changes": changes_to_json(changes),
    })
}
