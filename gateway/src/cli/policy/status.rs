//! `portcullis policy status`

use clap::Args;
use plugin_host::node_status::{NodePolicy, NodePolicyState, NodeQuarantine, NodeStatus};
use serde_json::{Value, json};

use super::render::{short_digest, table};
use super::{OutputArgs, StoreArgs};
use crate::cli::{DONE, OutputFormat, println};

#[derive(Args, Debug)]
pub(in crate::cli) struct StatusArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: StatusArgs) -> anyhow::Result<u8> {
    let store = args.store.open_existing().await?;
    let nodes: Vec<(String, Result<NodeStatus, String>)> = store
        .nodes()
        .await?
        .into_iter()
        .map(|(node, status)| {
            (
                node,
                NodeStatus::parse(&status).map_err(|error| error.to_string()),
            )
        })
        .collect();
    match args.output.format {
        OutputFormat::Text if nodes.is_empty() => {
            println(&format!("no node reports to {}", store.describe()))
        }
        OutputFormat::Text => println(&text(&nodes)),
        OutputFormat::Json => {
            let nodes: Vec<Value> = nodes.iter().map(|(node, status)| entry(node, status)).collect();
            println(&json!({"nodes": nodes}).to_string());
        }
    }
    Ok(DONE)
}

fn text(nodes: &[(String, Result<NodeStatus, String>)]) -> String {
    let header = ["NODE", "POLICY", "STATE", "SEQUENCE", "VERSION", "DIGEST"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let mut remarks = Vec::new();
    for (node, status) in nodes {
        match status {
            Err(error) => rows.push(vec![node.clone(), format!("unreadable: {error}")]),
            Ok(status) if status.policies.is_empty() => {
                rows.push(vec![
                    node.clone(),
                    format!("no policy (revision {})", status.revision),
                ]);
            }
            Ok(status) => {
                for policy in &status.policies {
                    rows.push(row(node, policy));
                    remarks.extend(quarantine(node, policy));
                    remarks.extend(refusal(node, policy));
                }
            }
        }
    }
    let mut text = table(&rows);
    for remark in remarks {
        text.push('\n');
        text.push_str(&remark);
    }
    text
}

fn row(node: &str, policy: &NodePolicy) -> Vec<String> {
    let state = match (policy.state, policy.sequence.is_some()) {
        (NodePolicyState::InForce, _) => "in force",
        (NodePolicyState::Refused, true) => "in force, newer refused",
        (NodePolicyState::Refused, false) => "refused",
        (NodePolicyState::Quarantined, _) if policy.error.is_some() => "quarantined, newer refused",
        (NodePolicyState::Quarantined, _) => "quarantined",
        (NodePolicyState::Loading, true) if policy.quarantine.is_some() => "quarantined, newer loading",
        (NodePolicyState::Loading, true) => "in force, newer loading",
        (NodePolicyState::Loading, false) => "loading",
        (NodePolicyState::Retired, _) => "retired",
    };
    vec![
        node.to_owned(),
        policy.name.clone(),
        state.to_owned(),
        policy
            .sequence
            .map_or("-".to_owned(), |sequence| sequence.to_string()),
        policy
            .version
            .as_ref()
            .map_or("-".to_owned(), |version| version.as_str().to_owned()),
        policy
            .digest
            .as_ref()
            .map_or("-".to_owned(), |digest| short_digest(&digest.to_string())),
    ]
}

fn quarantine(node: &str, policy: &NodePolicy) -> Option<String> {
    let NodeQuarantine {
        since,
        evaluations,
        faults,
        last_fault,
        instead,
    } = policy.quarantine.as_ref()?;
    let decides = match instead {
        Some(release) => {
            let version = release.version.as_ref().map_or("", |version| version.as_str());
            format!("sequence {} ({version}) decides instead", release.sequence)
        }
        None => "its failure mode decides".to_owned(),
    };
    let name = &policy.name;
    Some(format!(
        "{node} quarantined {name} at {since}: {faults} of {evaluations} evaluations faulted, the last by {last_fault}; {decides}"
    ))
}

fn refusal(node: &str, policy: &NodePolicy) -> Option<String> {
    let error = policy.error.as_ref()?;
    let sequence = error
        .sequence
        .map_or(String::new(), |sequence| format!(" sequence {sequence}"));
    let name = &policy.name;
    Some(format!(
        "{node} refused {name}{sequence} ({}): {}",
        error.code, error.message
    ))
}

fn entry(node: &str, status: &Result<NodeStatus, String>) -> Value {
    match status.as_ref().map(NodeStatus::to_json) {
        Ok(Ok(json)) => serde_json::from_slice(&json).unwrap_or_default(),
        Ok(Err(error)) => json!({"node": node, "error": error.to_string()}),
        Err(error) => json!({"node": node, "error": error}),
    }
}
