//! Nodes, as this one knows them: itself.

use std::collections::BTreeMap;

use application::use_cases::ListedPolicies;
use serde::Serialize;

use super::policies::state;
use super::scalar::Rfc3339;
use crate::api_state::ThisNode;

/// The answer to `GET /v1/nodes`.
#[derive(Serialize)]
pub(crate) struct NodesView<'a> {
    data: [NodeView<'a>; 1],
}

#[derive(Serialize)]
struct NodeView<'a> {
    id: &'a str,
    version: &'static str,
    started_at: Rfc3339,
    policy_revision: Option<u64>,
    /// How many policies stand how.
    policies: BTreeMap<&'static str, usize>,
}

impl<'a> NodesView<'a> {
    pub(crate) fn new(node: &'a ThisNode, listed: &ListedPolicies) -> Self {
        let mut policies = BTreeMap::new();
        for policy in &listed.policies {
            *policies.entry(state(policy)).or_default() += 1;
        }
        Self {
            data: [NodeView {
                id: &node.id,
                version: node.version,
                started_at: Rfc3339(node.started_at),
                policy_revision: listed.revision,
                policies,
            }],
        }
    }
}
