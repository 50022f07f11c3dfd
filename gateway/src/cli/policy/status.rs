//! `portcullis policy status`

use std::collections::BTreeMap;

use clap::Args;
use plugin_host::fleet::{DOCUMENT_GONE, Expected, NodeView, Standing, views, without_document};
use plugin_host::node_status::{NodeCandidate, NodePolicy, NodePolicyState, NodeQuarantine, NodeStatus};
use plugin_host::store::PolicyArchive;
use serde_json::{Value, json};

use super::render::{short_digest, table};
use super::waiting::{WaitArgs, standing_name, standing_text, wait_for};
use super::{OutputArgs, StoreArgs};
use crate::cli::{DONE, NOT_CONVERGED, OutputFormat, println};

#[derive(Args, Debug)]
pub(in crate::cli) struct StatusArgs {
    /// End with 4 when some node does not run what the store says, or when no node reports
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// One node's entry of a policy, held against the store.
struct Row<'a> {
    policy: &'a NodePolicy,
    /// What the store says, where it has a document of it that can be read.
    expected: Option<&'a Expected>,
    standing: Standing,
}

/// The fleet, held against the store.
struct Fleet {
    revision: u64,
    expected: BTreeMap<String, Expected>,
    /// Documents that cannot be read, and why.
    unreadable: Vec<(String, String)>,
    nodes: Vec<NodeView>,
}

pub(super) async fn run(args: StatusArgs) -> anyhow::Result<u8> {
    let store = args.store.open_existing().await?;
    let mut fleet = Fleet::read(&*store).await?;
    if args.wait.is_asked_for() {
        let expected = fleet.expected.values().cloned().collect();
        wait_for(&*store, expected, &args.wait).await?;
        fleet = Fleet::read(&*store).await?;
    }
    let is_converged = fleet.is_converged();
    match args.output.format {
        OutputFormat::Text if fleet.nodes.is_empty() => {
            println(&format!("no node reports to {}", store.describe()))
        }
        OutputFormat::Text => println(&text(&fleet)),
        OutputFormat::Json => {
            let nodes: Vec<Value> = fleet.nodes.iter().map(|node| entry(&fleet, node)).collect();
            let json = json!({"revision": fleet.revision, "converged": is_converged, "nodes": nodes});
            println(&json.to_string());
        }
    }
    let is_held_to_it = args.check || args.wait.is_asked_for();
    Ok(if is_held_to_it && !is_converged {
        NOT_CONVERGED
    } else {
        DONE
    })
}

impl Fleet {
    async fn read(store: &dyn PolicyArchive) -> anyhow::Result<Self> {
        // The documents first: a node may be further than what was read of the store, and not behind it.
        let listing = store.list().await?;
        let (mut expected, mut unreadable) = (BTreeMap::new(), Vec::new());
        for document in &listing.documents {
            match Expected::of(document) {
                Ok(one) => drop(expected.insert(document.name.clone(), one)),
                Err(error) => unreadable.push((document.name.clone(), error)),
            }
        }
        Ok(Self {
            revision: listing.revision,
            expected,
            unreadable,
            nodes: views(store.nodes().await?),
        })
    }

    fn rows<'a>(&'a self, status: &'a NodeStatus) -> impl Iterator<Item = Row<'a>> {
        status.policies.iter().map(|policy| {
            let expected = self.expected.get(&policy.name);
            let standing = match expected {
                Some(expected) => expected.held_against(status),
                None => without_document(policy),
            };
            Row {
                policy,
                expected,
                standing,
            }
        })
    }

    /// What the store has and a node says nothing of.
    fn missing<'a>(&'a self, status: &'a NodeStatus) -> impl Iterator<Item = (&'a Expected, Standing)> {
        let is_told = |name: &str| status.policies.iter().any(|policy| policy.name == name);
        let untold = self
            .expected
            .values()
            .filter(move |expected| !is_told(&expected.name));
        untold.map(|expected| (expected, expected.held_against(status)))
    }

    fn is_node_converged(&self, status: &NodeStatus) -> bool {
        self.rows(status).all(|row| row.standing.is_reached())
            && self.missing(status).all(|(_, standing)| standing.is_reached())
    }

    /// Whether there are nodes, and each runs what the store says.
    fn is_converged(&self) -> bool {
        let is_converged = |node: &NodeView| {
            let status = node.status.as_ref();
            status.is_ok_and(|status| self.is_node_converged(status))
        };
        !self.nodes.is_empty() && self.unreadable.is_empty() && self.nodes.iter().all(is_converged)
    }
}

fn text(fleet: &Fleet) -> String {
    let header = [
        "NODE", "POLICY", "STATE", "SEQUENCE", "VERSION", "DIGEST", "STORED",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let mut remarks = Vec::new();
    for NodeView { node, status } in &fleet.nodes {
        match status {
            Err(error) => rows.push(vec![node.clone(), format!("unreadable: {error}")]),
            Ok(status) if status.policies.is_empty() && fleet.expected.is_empty() => {
                rows.push(vec![
                    node.clone(),
                    format!("no policy (revision {})", status.revision),
                ]);
            }
            Ok(status) => {
                for one in fleet.rows(status) {
                    rows.push(row(node, &one));
                    remarks.extend(quarantine(node, one.policy));
                    remarks.extend(candidate(node, one.policy));
                    remarks.extend(refusal(node, one.policy));
                    remarks.extend(retirement(node, one.policy));
                }
                for (expected, standing) in fleet
                    .missing(status)
                    .filter(|(_, standing)| !standing.is_reached())
                {
                    let mut cells = vec![node.clone(), expected.name.clone(), standing_text(&standing)];
                    cells.extend(["-", "-", "-"].map(str::to_owned));
                    cells.push(format!("{} (differs)", expected.sequence));
                    rows.push(cells);
                }
                if status.left_out > 0 {
                    remarks.push(format!(
                        "{node} leaves out {} policies that are in force",
                        status.left_out
                    ));
                }
            }
        }
    }
    for (name, error) in &fleet.unreadable {
        remarks.push(format!("the document of {name} cannot be read: {error}"));
    }
    remarks.push(if fleet.is_converged() {
        format!(
            "converged: every node runs what the store says at revision {}",
            fleet.revision
        )
    } else {
        format!("not converged with the store at revision {}", fleet.revision)
    });
    let mut text = table(&rows);
    for remark in remarks {
        text.push('\n');
        text.push_str(&remark);
    }
    text
}

fn row(node: &str, row: &Row<'_>) -> Vec<String> {
    let policy = row.policy;
    let state = match (policy.state, policy.sequence.is_some()) {
        (NodePolicyState::InForce, _) => "in force",
        (NodePolicyState::Refused, true) if row.standing == Standing::Gone => "in force, document gone",
        (NodePolicyState::Refused, true) => "in force, newer refused",
        (NodePolicyState::Refused, false) => "refused",
        (NodePolicyState::Quarantined, _) if policy.error.is_some() => "quarantined, newer refused",
        (NodePolicyState::Quarantined, _) => "quarantined",
        (NodePolicyState::Loading, true) if policy.quarantine.is_some() => "quarantined, newer loading",
        (NodePolicyState::Loading, true) => "in force, newer loading",
        (NodePolicyState::Loading, false) => "loading",
        (NodePolicyState::Retired, _) => "retired",
    };
    let retired = policy.retired.as_ref().map(|retired| retired.sequence);
    let dash = || "-".to_owned();
    let stored = row
        .expected
        .map_or_else(dash, |expected| expected.sequence.to_string());
    let version = policy.version.as_ref();
    let digest = policy.digest.as_ref();
    vec![
        node.to_owned(),
        policy.name.clone(),
        state.to_owned(),
        policy
            .sequence
            .or(retired)
            .map_or_else(dash, |sequence| sequence.to_string()),
        version.map_or_else(dash, |version| version.as_str().to_owned()),
        digest.map_or_else(dash, |digest| short_digest(&digest.to_string())),
        if row.standing.is_reached() {
            stored
        } else {
            format!("{stored} (differs)")
        },
    ]
}

fn retirement(node: &str, policy: &NodePolicy) -> Option<String> {
    let reason = policy.retired.as_ref()?.reason.as_ref()?;
    Some(format!("{node} retired {}: {reason}", policy.name))
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

fn candidate(node: &str, policy: &NodePolicy) -> Option<String> {
    let NodeCandidate {
        version,
        stage,
        percent,
        since,
        evaluations,
        faults,
        p99_us,
        compared,
        differing,
        gate,
        reason,
        ..
    } = policy.candidate.as_ref()?;
    let name = &policy.name;
    let version = version.as_ref().map_or("", |version| version.as_str());
    let state = match (gate, reason) {
        (Some(gate), Some(reason)) => format!("sent back at {since} by {gate}: {reason}"),
        _ => format!("running since {since}"),
    };
    let p99 = p99_us.map_or(String::new(), |p99_us| format!(", p99 {p99_us} µs"));
    Some(format!(
        "{node} has candidate {version} of {name} in {stage} at {percent} %, {state}; {faults} of {evaluations} evaluations faulted{p99}, {differing} of {compared} payments decided otherwise"
    ))
}

fn refusal(node: &str, policy: &NodePolicy) -> Option<String> {
    let error = policy.error.as_ref()?;
    if error.code == DOCUMENT_GONE {
        return Some(format!("{node} runs {}, and {}", policy.name, error.message));
    }
    let sequence = error
        .sequence
        .map_or(String::new(), |sequence| format!(" sequence {sequence}"));
    let name = &policy.name;
    Some(format!(
        "{node} refused {name}{sequence} ({}): {}",
        error.code, error.message
    ))
}

/// The node's report as it is, and of each policy what the store says and whether that is so.
fn entry(fleet: &Fleet, view: &NodeView) -> Value {
    let node = &view.node;
    let status = match &view.status {
        Ok(status) => status,
        Err(error) => return json!({"node": node, "error": error, "converged": false}),
    };
    let report = status.to_json().map_err(|error| error.to_string());
    let report = report.and_then(|json| serde_json::from_slice(&json).map_err(|error| error.to_string()));
    let mut report: Value = match report {
        Ok(report) => report,
        Err(error) => return json!({"node": node, "error": error, "converged": false}),
    };
    let policies = report.get_mut("policies").and_then(Value::as_array_mut);
    for (policy, row) in policies.into_iter().flatten().zip(fleet.rows(status)) {
        if let Some(fields) = policy.as_object_mut() {
            let stored = row.expected.map(|expected| expected.sequence);
            fields.insert("stored_sequence".to_owned(), json!(stored));
            fields.insert("stands".to_owned(), json!(standing_name(&row.standing)));
        }
    }
    if let Some(fields) = report.as_object_mut() {
        let missing = fleet
            .missing(status)
            .filter(|(_, standing)| !standing.is_reached());
        let missing: Vec<&str> = missing.map(|(expected, _)| expected.name.as_str()).collect();
        fields.insert("missing".to_owned(), json!(missing));
        fields.insert("converged".to_owned(), json!(fleet.is_node_converged(status)));
    }
    report
}
