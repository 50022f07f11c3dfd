//! `portcullis policy rollback`

use anyhow::ensure;
use clap::Args;
use plugin_host::document::PolicyName;
use plugin_host::publish::Proposal;

use super::policy_name;
use super::publishing::{PublishArgs, Publishing};

#[derive(Args, Debug)]
pub(in crate::cli) struct RollbackArgs {
    /// The policies to roll back, together: a candidate is dropped; where there is none, the last release that was another comes
    /// back under a new sequence
    #[arg(value_name = "NAME", value_parser = policy_name, required = true)]
    names: Vec<PolicyName>,
    /// Bring back the release of this sequence, as `policy history` shows it
    #[arg(long, value_name = "SEQUENCE")]
    to: Option<u64>,
    #[command(flatten)]
    publish: PublishArgs,
}

pub(super) async fn run(args: RollbackArgs) -> anyhow::Result<u8> {
    ensure!(
        args.to.is_none() || args.names.len() == 1,
        "--to is a sequence of one policy: found {} names",
        args.names.len()
    );
    let to = args.to;
    let proposals = args.names.into_iter().map(|name| Proposal::Rollback { name, to });
    let proposals: Vec<Proposal> = proposals.collect();
    let publishing = Publishing::prepare(args.publish)?;
    let store = publishing.open(true).await?;
    publishing.warn_of_unknown_signers();
    publishing.run(&*store, &proposals).await
}
