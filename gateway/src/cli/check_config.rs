//! `portcullis check-config`

use super::{ConfigArgs, DONE, println};

pub(super) fn run(args: ConfigArgs) -> anyhow::Result<u8> {
    let config = args.load()?;
    println(&format!(
        "the configuration is right: listens on {}, policies from {}, payments in {}",
        config.http.listen,
        config.policies.store,
        stored_in(&config.storage)
    ));
    Ok(DONE)
}

/// Where payments are kept, without a password.
fn stored_in(config: &storage::Config) -> String {
    match config.kind {
        storage::StorageKind::Sqlite => config.sqlite.path.display().to_string(),
        storage::StorageKind::Postgres => config.postgres.url.clone(),
    }
}
