//! `portcullis policy sign`

use anyhow::ensure;
use application::ports::Clock;
use clap::Args;
use plugin_host::digest::Digest;
use plugin_host::document::PolicyName;
use plugin_host::publish::{Countersigned, PublishError, countersign};
use serde_json::{Value, json};

use super::WriteArgs;
use super::render::{refused_document, release_line};
use crate::cli::{DONE, OutputFormat, REFUSED, eprintln, println};

#[derive(Args, Debug)]
pub(in crate::cli) struct SignArgs {
    /// The policies whose documents to sign, as they are in the store
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Sign only if this is the artifact: the one that you have built or looked at yourself
    #[arg(long, value_name = "DIGEST")]
    digest: Option<Digest>,
    #[command(flatten)]
    write: WriteArgs,
}

pub(super) async fn run(args: SignArgs) -> anyhow::Result<u8> {
    let WriteArgs {
        dry_run,
        keys,
        store,
        output,
    } = args.write;
    let keys = keys.read()?;
    ensure!(!keys.is_empty(), "name the key to sign with: --key FILE");
    ensure!(
        args.digest.is_none() || args.names.len() == 1,
        "--digest is the artifact of one policy: found {} names",
        args.names.len()
    );
    let trusted = store.trusted()?;
    let store = store.open_existing().await?;
    let now = platform::SystemClock.now();
    let mut signed = Vec::with_capacity(args.names.len());
    for name in &args.names {
        let name = PolicyName::parse(name)?;
        let prepared =
            Countersigned::prepare(&*store, &name, args.digest.as_ref(), &keys, &trusted, now).await;
        match prepared {
            Err(PublishError::Refused { name, code, message }) => {
                eprintln(&refused_document(name.as_str(), code, &message));
                return Ok(REFUSED);
            }
            prepared => signed.push(prepared?),
        }
    }
    let revision = if dry_run {
        None
    } else {
        countersign(&*store, &signed).await?
    };
    match output.format {
        OutputFormat::Text => {
            for one in &signed {
                println(&text(one, dry_run));
            }
            match revision {
                _ if dry_run => println("nothing was written (--dry-run)"),
                Some(revision) => println(&format!("in {} at revision {revision}", store.describe())),
                None => {}
            }
        }
        OutputFormat::Json => {
            let policies: Vec<Value> = signed.iter().map(entry).collect();
            let json = json!({"dry_run": dry_run, "revision": revision, "policies": policies});
            println(&json.to_string());
        }
    }
    Ok(DONE)
}

fn text(signed: &Countersigned, dry_run: bool) -> String {
    let statement = &signed.statement;
    let verb = match (signed.added, dry_run) {
        (0, _) => "unchanged",
        (_, true) => "would sign",
        (_, false) => "signed",
    };
    let mut text = format!(
        "{verb} {}, published by {}; signatures: {}",
        release_line(statement),
        statement.publisher(),
        signed.signed_by.len()
    );
    if let Some(missing) = &signed.still_missing {
        text.push_str(&format!("\nnot enough yet: {missing}"));
    }
    text
}

fn entry(signed: &Countersigned) -> Value {
    let document: Value = serde_json::from_slice(&signed.statement.to_json()).unwrap_or_default();
    let missing = signed.still_missing.as_ref().map(ToString::to_string);
    json!({
        "name": signed.statement.name().as_str(),
        "document": document,
        "added": signed.added,
        "signatures": signed.signed_by,
        "still_missing": missing,
    })
}
