//! `portcullis policy list`

use clap::Args;
use plugin_host::document::PolicyDocument;
use plugin_host::envelope::Envelope;
use plugin_host::store::StoredDocument;
use serde_json::{Value, json};

use super::render::{short_digest, table};
use super::{OutputArgs, StoreArgs};
use crate::cli::{DONE, OutputFormat, println};

#[derive(Args, Debug)]
pub(in crate::cli) struct ListArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: ListArgs) -> anyhow::Result<u8> {
    let store = args.store.open_existing().await?;
    let listing = store.list().await?;
    let documents: Vec<(String, Result<PolicyDocument, String>)> = listing
        .documents
        .into_iter()
        .map(|document| (document.name.clone(), read(&document)))
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
            ];
            let mut rows = vec![header.map(str::to_owned).to_vec()];
            rows.extend(documents.iter().map(|(name, document)| row(name, document)));
            println(&table(&rows));
            for (name, document) in &documents {
                if let Err(error) = document {
                    println(&format!("{name} cannot be read: {error}"));
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

fn read(stored: &StoredDocument) -> Result<PolicyDocument, String> {
    let envelope = Envelope::parse(&stored.value).map_err(|error| error.to_string())?;
    envelope.document().map_err(|error| error.to_string())
}

fn row(name: &str, document: &Result<PolicyDocument, String>) -> Vec<String> {
    match document {
        Ok(document) => vec![
            name.to_owned(),
            document.sequence.to_string(),
            document.version.as_str().to_owned(),
            short_digest(&document.artifact.digest().to_string()),
            document.priority.to_string(),
            document.contract.number().to_owned(),
            document.publisher.as_str().to_owned(),
        ],
        Err(_) => vec![name.to_owned(), "-".to_owned(), "unreadable".to_owned()],
    }
}

fn entry(name: &str, document: &Result<PolicyDocument, String>) -> Value {
    match document {
        Ok(document) => {
            let document: Value = serde_json::from_slice(&document.to_json()).unwrap_or_default();
            json!({"name": name, "document": document})
        }
        Err(error) => json!({"name": name, "error": error}),
    }
}
