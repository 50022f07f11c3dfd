//! `portcullis check-config`

use super::{ConfigArgs, DONE, println};

pub(super) fn run(args: ConfigArgs) -> anyhow::Result<u8> {
    let config = args.load()?;
    // The store's location is a text to the configuration; read it here, so that a slip shows before the start.
    config
        .policies
        .store
        .parse::<plugin_host::store::StoreLocation>()
        .map_err(|error| anyhow::anyhow!("policies.store: {error}"))?;
    println(&format!(
        "the configuration is right: listens on {}, policies from {}, payments in {}",
        config.http.listen,
        config.policies.store,
        config.storage.path.display()
    ));
    Ok(DONE)
}
