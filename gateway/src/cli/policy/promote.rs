//! `portcullis policy promote`

use clap::Args;
use plugin_host::document::{Percent, PolicyName};
use plugin_host::publish::Proposal;

use super::policy_name;
use super::publishing::{PublishArgs, Publishing};
use super::trial::{StageArg, percent};

#[derive(Args, Debug)]
pub(in crate::cli) struct PromoteArgs {
    /// The policies whose candidates are to be promoted, together
    #[arg(value_name = "NAME", value_parser = policy_name, required = true)]
    names: Vec<PolicyName>,
    /// Go on with the trial at this stage; without it and --percent the candidate becomes the release in force
    #[arg(long, value_enum, value_name = "STAGE")]
    stage: Option<StageArg>,
    /// Go on with the trial on so many of 100 payments (shadow) or cards (canary)
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    percent: Option<Percent>,
    #[command(flatten)]
    publish: PublishArgs,
}

pub(super) async fn run(args: PromoteArgs) -> anyhow::Result<u8> {
    let goes_on = args.stage.is_some() || args.percent.is_some();
    let proposals: Vec<Proposal> = args
        .names
        .into_iter()
        .map(|name| match goes_on {
            true => Proposal::Stage {
                name,
                stage: args.stage.map(Into::into),
                percent: args.percent,
            },
            false => Proposal::Promotion { name },
        })
        .collect();
    let publishing = Publishing::prepare(args.publish)?;
    let store = publishing.open(true).await?;
    publishing.warn_of_unknown_signers();
    publishing.run(&*store, &proposals).await
}
