//! `portcullis policy list`

use application::ports::Clock;
use clap::Args;
use domain::Timestamp;
use plugin_host::document::{PolicyName, Retirement, Statement};
use plugin_host::envelope::Envelope;
use plugin_host::signing::{SignatureRefusal, TrustedKeys};
use plugin_host::store::StoredDocument;
use serde_json::{Value, json};

use super::render::{short_digest, signers, table, unsigned_line};
use super::{OutputArgs, StoreArgs};
use crate::cli::{DONE, OutputFormat, println};

#[derive(Args, Debug)]
pub(in crate::cli) struct ListArgs {
    /// Also the policies that are retired
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// A document as it is stored, where it can be read.
struct Listed {
    statement: Statement,
    /// The ids that its signatures give.
    keyids: Vec<String>,
    /// Why a node would not take it now for its signatures, where it is known whom nodes trust.
    refusal: Option<SignatureRefusal>,
}

pub(super) async fn run(args: ListArgs) -> anyhow::Result<u8> {
    let trusted = args.store.trusted()?;
    let now = platform::SystemClock.now();
    let store = args.store.open_existing().await?;
    let listing = store.list().await?;
    let documents: Vec<(String, Result<Listed, String>)> = listing
        .documents
        .into_iter()
        .map(|document| (document.name.clone(), read(&document, &trusted, now)))
        .filter(|(_, listed)| args.all || !listed.as_ref().is_ok_and(Listed::is_retired))
        .collect();
    match args.output.format {
        OutputFormat::Text => {
            let header = [
                "NAME",
                "SEQUENCE",
                "VERSION",
                "DIGEST",
                "PRIORITY",
                "CONTRACT",
                "PUBLISHER",
                "SIGNED BY",
            ];
            let mut rows = vec![header.map(str::to_owned).to_vec()];
            rows.extend(documents.iter().map(|(name, document)| row(name, document)));
            println(&table(&rows));
            for (name, document) in &documents {
                match document {
                    Err(error) => println(&format!("{name} cannot be read: {error}")),
                    Ok(Listed {
                        refusal: Some(refusal),
                        ..
                    }) => println(&unsigned_line(name, refusal)),
                    Ok(_) => {}
                }
            }
            println(&format!("revision {} of {}", listing.revision, store.describe()));
        }
        OutputFormat::Json => {
            let policies: Vec<Value> = documents
                .iter()
                .map(|(name, document)| entry(name, document))
                .collect();
            println(&json!({"revision": listing.revision, "policies": policies}).to_string());
        }
    }
    Ok(DONE)
}

impl Listed {
    const fn is_retired(&self) -> bool {
        matches!(self.statement, Statement::Retirement(_))
    }
}

fn read(stored: &StoredDocument, trusted: &TrustedKeys, now: Timestamp) -> Result<Listed, String> {
    let envelope = Envelope::parse(&stored.value).map_err(|error| error.to_string())?;
    let name = PolicyName::parse(&stored.name).map_err(|error| error.to_string())?;
    Ok(Listed {
        statement: envelope.statement().map_err(|error| error.to_string())?,
        keyids: envelope
            .signatures()
            .iter()
            .map(|signature| signature.keyid.clone())
            .collect(),
        refusal: trusted.verify(&envelope, &name, now).err(),
    })
}

fn row(name: &str, listed: &Result<Listed, String>) -> Vec<String> {
    match listed {
        Ok(Listed {
            statement:
                Statement::Retirement(Retirement {
                    sequence, publisher, ..
                }),
            keyids,
            ..
        }) => vec![
            name.to_owned(),
            sequence.to_string(),
            "retired".to_owned(),
            "-".to_owned(),
            "-".to_owned(),
            "-".to_owned(),
            publisher.as_str().to_owned(),
            signers(keyids),
        ],
        Ok(Listed {
            statement: Statement::Release(document),
            keyids,
            ..
        }) => vec![
            name.to_owned(),
            document.sequence.to_string(),
            document.version.as_str().to_owned(),
            short_digest(&document.artifact.digest().to_string()),
            document.priority.to_string(),
            document.contract.number().to_owned(),
            document.publisher.as_str().to_owned(),
            signers(keyids),
        ],
        Err(_) => vec![name.to_owned(), "-".to_owned(), "unreadable".to_owned()],
    }
}

fn entry(name: &str, listed: &Result<Listed, String>) -> Value {
    match listed {
        Ok(Listed {
            statement,
            keyids,
            refusal,
        }) => {
            let document: Value = serde_json::from_slice(&statement.to_json()).unwrap_or_default();
            let refused = refusal
                .as_ref()
                .map(|refusal| json!({"code": refusal.code(), "message": refusal.to_string()}));
            json!({"name": name, "document": document, "signatures": keyids, "refused": refused})
        }
        Err(error) => json!({"name": name, "error": error}),
    }
}
