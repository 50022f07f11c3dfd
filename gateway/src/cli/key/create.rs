//! `portcullis key create`

use application::payment_times::later;
use application::use_cases::{CreateApiKey, CreateApiKeyCommand};
use clap::Args;
use domain::MerchantId;
use domain::access::{ApiKeyName, Grant, Role, Scope};

use super::{KeyArgs, duration_seconds, show_issued};
use crate::cli::DONE;

#[derive(Args, Debug)]
pub(in crate::cli) struct CreateArgs {
    /// What to call it: the till or the server that uses it, or the analyst, whose reviews carry this name
    #[arg(long, value_name = "TEXT", value_parser = name)]
    name: ApiKeyName,
    /// What its holder is: merchant, operator, analyst or auditor
    #[arg(long, value_name = "ROLE", value_parser = role)]
    role: Role,
    /// For a merchant's key: the merchant whose payments it is bound to
    #[arg(long, value_name = "ID", value_parser = merchant)]
    merchant: Option<MerchantId>,
    /// A part of what the role may do, such as `payments:read`; can be given several times. Without any, all of it
    #[arg(long = "scope", value_name = "SCOPE", value_parser = scope)]
    scopes: Vec<Scope>,
    /// After how long it stops working, such as `90d`; without it, never
    #[arg(long, value_name = "TIME", value_parser = duration_seconds)]
    expires_in: Option<u64>,
    #[command(flatten)]
    keys: KeyArgs,
}

fn name(text: &str) -> Result<ApiKeyName, String> {
    ApiKeyName::parse(text).map_err(|error| error.to_string())
}

fn merchant(text: &str) -> Result<MerchantId, String> {
    MerchantId::parse(text).map_err(|error| error.to_string())
}

fn role(text: &str) -> Result<Role, String> {
    let names = Role::ALL.map(Role::as_str).join(", ");
    Role::parse(text).ok_or_else(|| format!("expected one of {names}"))
}

fn scope(text: &str) -> Result<Scope, String> {
    let names = Scope::ALL.map(Scope::as_str).join(", ");
    Scope::parse(text).ok_or_else(|| format!("expected one of {names}"))
}

pub(super) async fn run(args: CreateArgs) -> anyhow::Result<u8> {
    // Before anything is opened.
    let grant = Grant::new(args.role, args.merchant, args.scopes.into_iter().collect())?;
    let keys = args.keys.open().await?;
    let create = CreateApiKey {
        store: keys.store(),
        secrets: keys.secrets.clone(),
        clock: keys.clock.clone(),
        ring: keys.ring.clone(),
    };
    let expires_at = args
        .expires_in
        .map(|seconds| later(keys.clock.now(), seconds.saturating_mul(1_000)));
    let command = CreateApiKeyCommand {
        name: args.name,
        grant,
        expires_at,
    };
    let issued = create.execute(command).await?;
    show_issued(&issued, args.keys.format);
    keys.close().await?;
    Ok(DONE)
}
