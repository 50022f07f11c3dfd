//! `portcullis check-config`

use super::{ConfigArgs, DONE, println};

pub(super) fn run(args: ConfigArgs) -> anyhow::Result<u8> {
    let config = args.load()?;
    println(&format!(
        "the configuration is right: listens on {}, policies from {}, payments in {}",
        config.http.listen,
        config.policies.store,
        config.storage.path.display()
    ));
    Ok(DONE)
}
