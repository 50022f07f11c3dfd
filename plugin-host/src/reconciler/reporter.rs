//! Telling the store how this node stands. A task of its own, so that a long compile does not make the node look gone.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{PolicyStatus, QuarantineInForce};
use domain::Timestamp;
use domain::risk::PolicyIdentity;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::digest::Digest;
use crate::document::{Moment, PolicyVersion};
use crate::node_status::{
    NodeId, NodePolicy, NodePolicyError, NodePolicyState, NodeQuarantine, NodeRelease, NodeRetirement,
    NodeStatus,
};
use crate::store::PolicyStore;

/// How often a node says that it is there: three times within the time after which it counts as gone.
const INTERVAL: Duration = Duration::from_secs(3);

/// Keeps the node's status and reports it.
pub(super) struct Reporter {
    store: Arc<dyn PolicyStore>,
    node: NodeId,
    started_at: Timestamp,
    status: watch::Sender<Vec<u8>>,
}

impl Reporter {
    pub(super) fn new(store: Arc<dyn PolicyStore>, node: NodeId, started_at: Timestamp) -> Self {
        Self {
            store,
            node,
            started_at,
            status: watch::Sender::new(Vec::new()),
        }
    }

    /// Takes a new status; it is reported soon.
    pub(super) fn update(&self, revision: u64, statuses: &[PolicyStatus]) {
        let policies = statuses
            .iter()
            .map(|status| node_policy(status, self.started_at))
            .collect();
        let started_at = Moment(self.started_at);
        let status = NodeStatus {
            node: self.node.clone(),
            started_at,
            revision,
            policies,
            left_out: 0,
        };
        let json = status.to_json().or_else(|error| {
            // Too large to be told whole. An old status that stays would tell what is not so any more.
            tracing::warn!(%error, "this node's status is cut: it names only the policies that are not as they should be");
            cut(status).to_json()
        });
        match json {
            Ok(json) => {
                self.status.send_if_modified(|old| {
                    let changed = *old != json;
                    *old = json;
                    changed
                });
            }
            Err(error) => tracing::error!(%error, "this node's status cannot be written"),
        }
    }

    /// Reports until told to stop.
    pub(super) fn task(&self, stop: CancellationToken) -> impl Future<Output = ()> + Send + use<> {
        let store = Arc::clone(&self.store);
        let node = self.node.clone();
        let mut status = self.status.subscribe();
        async move {
            let mut reached = true;
            loop {
                let json = status.borrow_and_update().clone();
                if !json.is_empty() {
                    let reported = tokio::select! {
                        () = stop.cancelled() => return,
                        reported = store.report(&node, &json) => reported,
                    };
                    match &reported {
                        Err(error) if reached => {
                            tracing::warn!(%error, "this node's status was not reported")
                        }
                        _ => {}
                    }
                    reached = reported.is_ok();
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    changed = status.changed() => if changed.is_err() { return },
                    () = tokio::time::sleep(INTERVAL) => {}
                }
            }
        }
    }
}

/// The same with those policies alone that somebody has to look at, and the first words of what is wrong with them.
fn cut(mut status: NodeStatus) -> NodeStatus {
    /// Policies that are told: with everything about one below two kilobytes, below the largest status.
    const TOLD: usize = 500;
    let all = status.policies.len();
    status
        .policies
        .retain(|policy| policy.state != NodePolicyState::InForce);
    // Where others were left out as well, a policy that is not named may stand in any way.
    if status.policies.len() <= TOLD {
        status.left_out = all - status.policies.len();
    }
    status.policies.truncate(TOLD);
    status
}

fn node_policy(status: &PolicyStatus, started_at: Timestamp) -> NodePolicy {
    let in_force = status.in_force.as_ref();
    let refused = status.refused.as_ref();
    let quarantine = status.quarantine.as_ref();
    let retired = status.retired.as_ref();
    let state = match (status.loading, quarantine, refused) {
        (true, _, _) => NodePolicyState::Loading,
        (false, Some(_), _) => NodePolicyState::Quarantined,
        (false, None, Some(_)) => NodePolicyState::Refused,
        (false, None, None) if status.retired.is_some() => NodePolicyState::Retired,
        (false, None, None) => NodePolicyState::InForce,
    };
    let since = quarantine
        .map(|quarantine| quarantine.since)
        .or(refused.map(|refused| refused.since))
        .or(in_force.map(|release| release.since))
        .or(retired.map(|retired| retired.since))
        .unwrap_or(started_at);
    NodePolicy {
        name: status.name.to_string(),
        state,
        sequence: in_force.map(|release| release.identity.sequence),
        digest: in_force.and_then(|release| Digest::parse(&release.identity.digest).ok()),
        version: in_force.and_then(|release| PolicyVersion::parse(&release.identity.version).ok()),
        error: refused.map(|refused| NodePolicyError::new(refused.code, &refused.message, refused.sequence)),
        quarantine: quarantine.map(node_quarantine),
        retired: retired.map(|retired| NodeRetirement {
            sequence: retired.sequence,
            reason: retired.reason.as_deref().map(str::to_owned),
        }),
        highest_sequence: Some(status.highest_sequence).filter(|sequence| *sequence > 0),
        since: Moment(since),
    }
}

fn node_quarantine(quarantine: &QuarantineInForce) -> NodeQuarantine {
    NodeQuarantine {
        since: Moment(quarantine.since),
        evaluations: quarantine.evaluations,
        faults: quarantine.faults,
        last_fault: quarantine.last_fault.as_str().to_owned(),
        instead: quarantine.instead.as_deref().map(node_release),
    }
}

fn node_release(identity: &PolicyIdentity) -> NodeRelease {
    NodeRelease {
        sequence: identity.sequence,
        digest: Digest::parse(&identity.digest).ok(),
        version: PolicyVersion::parse(&identity.version).ok(),
    }
}
