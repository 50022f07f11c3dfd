//! `portcullis policy sign`

use anyhow::ensure;
use application::ports::Clock;
use clap::Args;
use plugin_host::digest::Digest;
use plugin_host::document::PolicyName;
use plugin_host::publish::{Countersigned, PublishError, countersign};
use serde_json::{Value, json};

use super::render::unsigned_line;
use super::{KeyArgs, OutputArgs, StoreArgs};
use crate::cli::{DONE, OutputFormat, REFUSED, eprintln, println};

#[derive(Args, Debug)]
pub(in crate::cli) struct SignArgs {
    /// The policies whose documents to sign, as they are in the store
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Sign only if this is the artifact: the one that you have built or looked at yourself
    #[arg(long, value_name = "DIGEST")]
    digest: Option<Digest>,
    /// Show what would be signed and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: SignArgs) -> anyhow::Result<u8> {
    let keys = args.keys.read()?;
    ensure!(!keys.is_empty(), "name the key to sign with: --key FILE");
    ensure!(
        args.digest.is_none() || args.names.len() == 1,
        "--digest is the artifact of one policy: found {} names",
        args.names.len()
    );
    let trusted = args.store.trusted()?;
    let store = args.store.open_existing().await?;
    let now = platform::SystemClock.now();
    let mut signed = Vec::with_capacity(args.names.len());
    for name in &args.names {
        let name = PolicyName::parse(name)?;
        let prepared =
            Countersigned::prepare(&*store, &name, args.digest.as_ref(), &keys, &trusted, now).await;
        match prepared {
            Err(PublishError::Refused { name, refusal }) => {
                eprintln(&unsigned_line(name.as_str(), &refusal));
                return Ok(REFUSED);
            }
            prepared => signed.push(prepared?),
        }
    }
    let revision = if args.dry_run {
        None
    } else {
        countersign(&*store, &signed).await?
    };
    match args.output.format {
        OutputFormat::Text => {
            for one in &signed {
                println(&text(one, args.dry_run));
            }
            match revision {
                _ if args.dry_run => println("nothing was written (--dry-run)"),
                Some(revision) => println(&format!("in {} at revision {revision}", store.describe())),
                None => {}
            }
        }
        OutputFormat::Json => {
            let policies: Vec<Value> = signed.iter().map(entry).collect();
            let json = json!({"dry_run": args.dry_run, "revision": revision, "policies": policies});
            println(&json.to_string());
        }
    }
    Ok(DONE)
}

fn text(signed: &Countersigned, dry_run: bool) -> String {
    let document = &signed.document;
    let verb = match (signed.added, dry_run) {
        (0, _) => "unchanged",
        (_, true) => "would sign",
        (_, false) => "signed",
    };
    let mut text = format!(
        "{verb} {} {}, sequence {}, {}, published by {}; signatures: {}",
        document.name,
        document.version,
        document.sequence,
        document.artifact.digest(),
        document.publisher,
        signed.signed_by.len()
    );
    if let Some(missing) = &signed.still_missing {
        text.push_str(&format!("\nnot enough yet: {missing}"));
    }
    text
}

fn entry(signed: &Countersigned) -> Value {
    let document: Value = serde_json::from_slice(&signed.document.to_json()).unwrap_or_default();
    let missing = signed.still_missing.as_ref().map(ToString::to_string);
    json!({
        "name": signed.document.name.as_str(),
        "document": document,
        "added": signed.added,
        "signatures": signed.signed_by,
        "still_missing": missing,
    })
}
