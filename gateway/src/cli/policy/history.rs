//! `portcullis policy history`

use application::ports::Clock;
use clap::Args;
use plugin_host::document::{Moment, PolicyName, Statement};
use plugin_host::publish::{Record, records};
use serde_json::{Value, json};

use super::render::{short_digest, signers, table, unsigned_line};
use super::{OutputArgs, StoreArgs, policy_name};
use crate::cli::{DONE, FAILED, OutputFormat, eprintln, println};

#[derive(Args, Debug)]
pub(in crate::cli) struct HistoryArgs {
    /// The policy
    #[arg(value_name = "NAME", value_parser = policy_name)]
    name: PolicyName,
    /// Show so many of the newest documents
    #[arg(long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    limit: u16,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: HistoryArgs) -> anyhow::Result<u8> {
    let trusted = args.store.trusted()?;
    let store = args.store.open_existing().await?;
    let now = platform::SystemClock.now();
    let (records, all) = records(&*store, &args.name, usize::from(args.limit), &trusted, now).await?;
    let is_verified = trusted.names().next().is_some();
    match args.output.format {
        OutputFormat::Json => {
            let documents: Vec<Value> = records.iter().map(|record| entry(record, is_verified)).collect();
            println(&json!({"name": args.name.as_str(), "documents": documents, "all": all}).to_string());
        }
        OutputFormat::Text if records.is_empty() => {
            eprintln(&format!(
                "{} has no document of `{}`",
                store.describe(),
                args.name
            ));
            return Ok(FAILED);
        }
        OutputFormat::Text => println(&text(args.name.as_str(), &records, all, is_verified)),
    }
    Ok(DONE)
}

/// What a document was.
const fn kind(statement: &Statement) -> &'static str {
    match statement {
        Statement::Retirement(_) => "retirement",
        Statement::Release(document) if document.candidate.is_some() => "candidate",
        Statement::Release(_) => "release",
    }
}

fn text(name: &str, records: &[Record], all: usize, is_verified: bool) -> String {
    let header = [
        "SEQUENCE",
        "WHAT",
        "VERSION",
        "DIGEST",
        "PUBLISHED",
        "PUBLISHER",
        "SIGNED BY",
        "SIGNATURES",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(records.iter().map(|record| row(record, is_verified)));
    let mut lines = vec![table(&rows)];
    for record in records {
        let at = format!("{name} {}", record.sequence);
        match (&record.statement, &record.refusal) {
            (Err(error), _) => lines.push(format!("{at} cannot be read: {error}")),
            (Ok(_), Some(refusal)) => lines.push(unsigned_line(&at, refusal)),
            (Ok(Statement::Retirement(retirement)), None) => {
                let reason = retirement.reason.as_ref();
                lines.extend(reason.map(|reason| format!("{at} retired it: {reason}")));
            }
            (Ok(Statement::Release(document)), None) => {
                lines.extend(document.candidate.as_ref().map(|candidate| {
                    let (stage, percent) = (candidate.stage.as_str(), candidate.stage.percent());
                    format!("{at} had {} as {stage} on {percent}", candidate.version)
                }));
            }
        }
    }
    if all > records.len() {
        lines.push(format!(
            "{} older ones are not shown (--limit)",
            all - records.len()
        ));
    }
    lines.join("\n")
}

fn row(record: &Record, is_verified: bool) -> Vec<String> {
    let sequence = record.sequence.to_string();
    let Ok(statement) = &record.statement else {
        return vec![sequence, "unreadable".to_owned()];
    };
    let (version, digest) = match statement {
        Statement::Release(document) => (
            document.version.as_str().to_owned(),
            short_digest(&document.artifact.digest().to_string()),
        ),
        Statement::Retirement(_) => ("-".to_owned(), "-".to_owned()),
    };
    let signatures = match (is_verified, &record.refusal) {
        (false, _) => "not verified",
        (true, None) => "hold",
        (true, Some(_)) => "do not hold",
    };
    vec![
        sequence,
        kind(statement).to_owned(),
        version,
        digest,
        Moment(statement.published_at()).to_string(),
        statement.publisher().as_str().to_owned(),
        signers(&record.keyids),
        signatures.to_owned(),
    ]
}

fn entry(record: &Record, is_verified: bool) -> Value {
    let refusal = record.refusal.as_ref();
    let refused = refusal.map(|refusal| json!({"code": refusal.code(), "message": refusal.to_string()}));
    match &record.statement {
        Err(error) => json!({"sequence": record.sequence, "error": error}),
        Ok(statement) => {
            let document: Value = serde_json::from_slice(&statement.to_json()).unwrap_or_default();
            json!({
                "sequence": record.sequence,
                "what": kind(statement),
                "document": document,
                "signatures": record.keyids,
                "verified": is_verified.then_some(refused.is_none()),
                "refused": refused,
            })
        }
    }
}
