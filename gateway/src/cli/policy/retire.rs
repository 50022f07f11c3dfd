//! `portcullis policy retire`

use std::io::{BufRead, IsTerminal};

use clap::Args;
use plugin_host::document::{PolicyName, RetirementReason};
use plugin_host::publish::Proposal;

use super::policy_name;
use super::publishing::{PublishArgs, Publishing};
use crate::cli::{FAILED, eprintln};

#[derive(Args, Debug)]
pub(in crate::cli) struct RetireArgs {
    /// The policies to take out of force, together
    #[arg(value_name = "NAME", value_parser = policy_name, required = true)]
    names: Vec<PolicyName>,
    /// Why, for whoever reads the history
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: RetirementReason,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    publish: PublishArgs,
}

fn reason(text: &str) -> Result<RetirementReason, String> {
    RetirementReason::parse(text).map_err(|error| error.to_string())
}

pub(super) async fn run(args: RetireArgs) -> anyhow::Result<u8> {
    let is_asked = !args.yes && !args.publish.write.dry_run;
    if is_asked && std::io::stdin().is_terminal() && !confirmed(&args.names)? {
        eprintln("nothing was written");
        return Ok(FAILED);
    }
    let proposals: Vec<Proposal> = args
        .names
        .into_iter()
        .map(|name| Proposal::Retirement {
            name,
            reason: Some(args.reason.clone()),
        })
        .collect();
    let publishing = Publishing::prepare(args.publish)?;
    let store = publishing.open(true).await?;
    publishing.run(&*store, &proposals).await
}

/// Whether somebody at the terminal says so. A script has said so by calling.
fn confirmed(names: &[PolicyName]) -> anyhow::Result<bool> {
    let names: Vec<&str> = names.iter().map(PolicyName::as_str).collect();
    eprintln(&format!(
        "after this, no payment is judged by {}; go on? [y/N]",
        names.join(", ")
    ));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
