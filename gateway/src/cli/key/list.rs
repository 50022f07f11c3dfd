//! `portcullis key list`

use application::use_cases::ListApiKeys;
use clap::Args;
use domain::Timestamp;
use domain::access::{ApiKey, Scope};
use serde_json::{Value, json};

use super::{KeyArgs, entry, moment, whose};
use crate::cli::policy::table;
use crate::cli::{DONE, OutputFormat, println};

/// How many keys are read at once.
const PAGE_KEYS: usize = 500;

#[derive(Args, Debug)]
pub(in crate::cli) struct ListArgs {
    /// Also those that do not work any more
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    keys: KeyArgs,
}

pub(super) async fn run(args: ListArgs) -> anyhow::Result<u8> {
    let keys = args.keys.open().await?;
    let now = keys.clock.now();
    let listing = ListApiKeys { store: keys.store() };
    let mut found: Vec<ApiKey> = Vec::new();
    let mut after = None;
    loop {
        let page = listing.execute(after.as_ref(), PAGE_KEYS).await?;
        after = page.items.last().map(|last| last.id.clone());
        found.extend(
            page.items
                .into_iter()
                .filter(|key| args.all || key.is_valid_at(now)),
        );
        if !page.has_more || after.is_none() {
            break;
        }
    }
    keys.close().await?;
    match args.keys.format {
        OutputFormat::Text => {
            let header = ["ID", "NAME", "ROLE", "SCOPES", "ENDS IN", "CREATED", "STATE"];
            let mut rows = vec![header.map(str::to_owned).to_vec()];
            rows.extend(found.iter().map(|key| row(key, now)));
            println(&table(&rows));
        }
        OutputFormat::Json => {
            let entries: Vec<Value> = found.iter().map(entry).collect();
            println(&json!({"keys": entries}).to_string());
        }
    }
    Ok(DONE)
}

fn row(key: &ApiKey, now: Timestamp) -> Vec<String> {
    let scopes: Vec<&str> = key.grant.scopes().iter().map(Scope::as_str).collect();
    vec![
        key.id.to_string(),
        key.name.as_str().to_owned(),
        whose(key),
        if scopes.is_empty() {
            "all".to_owned()
        } else {
            scopes.join(",")
        },
        format!("…{}", key.last4.as_str()),
        moment(key.created_at),
        state(key, now),
    ]
}

fn state(key: &ApiKey, now: Timestamp) -> String {
    match (key.revoked_at, key.expires_at, key.previous) {
        (Some(at), _, _) => format!("revoked {}", moment(at)),
        (None, Some(at), _) if at <= now => format!("expired {}", moment(at)),
        (None, _, Some(previous)) if previous.valid_until > now => {
            format!("works, the secret before until {}", moment(previous.valid_until))
        }
        (None, Some(at), _) => format!("works until {}", moment(at)),
        (None, None, _) => "works".to_owned(),
    }
}
