//! `portcullis key revoke`

use application::use_cases::RevokeApiKey;
use clap::Args;
use domain::ApiKeyId;

use super::{KeyArgs, entry, key_id};
use crate::cli::{DONE, OutputFormat, println};

#[derive(Args, Debug)]
pub(in crate::cli) struct RevokeArgs {
    /// The key's name, as `key list` shows it
    #[arg(value_name = "ID", value_parser = key_id)]
    id: ApiKeyId,
    #[command(flatten)]
    keys: KeyArgs,
}

pub(super) async fn run(args: RevokeArgs) -> anyhow::Result<u8> {
    let keys = args.keys.open().await?;
    let revoke = RevokeApiKey {
        store: keys.store(),
        clock: keys.clock.clone(),
        ring: keys.ring.clone(),
    };
    let key = revoke.execute(&args.id).await?;
    keys.close().await?;
    match args.keys.format {
        OutputFormat::Text => println(&format!(
            "revoked {} `{}`; within a second no gateway takes it any more",
            key.id,
            key.name.as_str()
        )),
        OutputFormat::Json => println(&entry(&key).to_string()),
    }
    Ok(DONE)
}
