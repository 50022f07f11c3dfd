//! `portcullis key rotate`

use application::use_cases::RotateApiKey;
use clap::Args;
use domain::ApiKeyId;

use super::{KeyArgs, duration_seconds, key_id, show_issued};
use crate::cli::DONE;

#[derive(Args, Debug)]
pub(in crate::cli) struct RotateArgs {
    /// The key's name, as `key list` shows it
    #[arg(value_name = "ID", value_parser = key_id)]
    id: ApiKeyId,
    /// For how long the old secret works on; at most 30d. `0s` where it became known
    #[arg(long, value_name = "TIME", value_parser = duration_seconds, default_value = "24h")]
    grace: u64,
    #[command(flatten)]
    keys: KeyArgs,
}

pub(super) async fn run(args: RotateArgs) -> anyhow::Result<u8> {
    let keys = args.keys.open().await?;
    let rotate = RotateApiKey {
        store: keys.store(),
        secrets: keys.secrets.clone(),
        clock: keys.clock.clone(),
        ring: keys.ring.clone(),
    };
    let issued = rotate.execute(&args.id, args.grace).await?;
    show_issued(&issued, args.keys.format);
    keys.close().await?;
    Ok(DONE)
}
