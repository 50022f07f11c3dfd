//! Whether every node runs what the store says: each node's report held against the documents.

mod follow;

pub use follow::{End, Followed, follow};

use bytes::Bytes;

use crate::digest::Digest;
use crate::document::Statement;
use crate::envelope::Envelope;
use crate::node_status::{NodePolicy, NodePolicyState, NodeStatus};
use crate::store::StoredDocument;

/// The code under which a node tells that it runs a release whose document is gone from the store.
pub const DOCUMENT_GONE: &str = "document_gone";

/// What the store says of one policy, and so every node is to come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The policy.
    pub name: String,
    /// The sequence of its document.
    pub sequence: u64,
    /// The artifact of its release; none where the document retires it.
    pub digest: Option<Digest>,
    /// The store's revision with the document in it.
    pub revision: u64,
}

/// How one node stands to what the store says of one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As the store says: that release is in force, or the policy is retired.
    AsStored,
    /// Further than what was asked for: a later document of the policy was taken.
    Later(u64),
    /// The document is being loaded.
    Loading,
    /// The node has not taken notice of the document yet.
    Behind,
    /// The document was refused.
    Refused {
        /// The stable name of the check that failed.
        code: String,
        /// Why.
        message: String,
    },
    /// The release is in force, and not run, since it faulted too often.
    Quarantined {
        /// The kind of the last fault.
        last_fault: String,
    },
    /// A release is in force whose document is gone from the store.
    Gone,
}

impl Standing {
    /// Whether the node has come to what was asked for.
    #[must_use]
    pub const fn is_reached(&self) -> bool {
        matches!(self, Self::AsStored | Self::Later(_))
    }

    /// Whether it will not change unless somebody does something.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        !matches!(self, Self::Loading | Self::Behind)
    }
}

/// One node's report, held against what is expected of it.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeView {
    /// Which node.
    pub node: String,
    /// What it reported, or why that cannot be read.
    pub status: Result<NodeStatus, String>,
}

impl Expected {
    /// What a stored document says.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(stored: &StoredDocument) -> Result<Self, String> {
        let envelope = Envelope::parse(&stored.value).map_err(|error| error.to_string())?;
        let statement = envelope.statement().map_err(|error| error.to_string())?;
        let digest = match &statement {
            Statement::Release(document) => Some(*document.artifact.digest()),
            Statement::Retirement(_) => None,
        };
        Ok(Self {
            name: stored.name.clone(),
            sequence: statement.sequence(),
            digest,
            revision: stored.transaction,
        })
    }

    /// How a node stands to it.
    #[must_use]
    pub fn held_against(&self, status: &NodeStatus) -> Standing {
        let has_seen = status.revision >= self.revision;
        let policy = status.policies.iter().find(|policy| policy.name == self.name);
        let Some(policy) = policy else {
            // A status that is cut leaves out what is as it should be.
            return if has_seen && status.left_out > 0 {
                Standing::AsStored
            } else {
                Standing::Behind
            };
        };
        let retired = policy.retired.as_ref().map(|retired| retired.sequence);
        let taken = retired.or(policy.sequence);
        let is_taken = taken == Some(self.sequence)
            && match self.digest {
                Some(_) => policy.digest == self.digest,
                None => retired.is_some(),
            };
        if is_taken {
            return match &policy.quarantine {
                Some(quarantine) => Standing::Quarantined {
                    last_fault: quarantine.last_fault.clone(),
                },
                None => Standing::AsStored,
            };
        }
        if let Some(taken) = taken.filter(|taken| *taken > self.sequence) {
            return Standing::Later(taken);
        }
        match &policy.error {
            // Where the sequence could not be read, it is of this document only if the node has seen that.
            Some(error)
                if error
                    .sequence
                    .map_or(has_seen, |sequence| sequence == self.sequence) =>
            {
                of_error(policy).unwrap_or(Standing::Behind)
            }
            _ if policy.state == NodePolicyState::Loading => Standing::Loading,
            _ => Standing::Behind,
        }
    }
}

/// How a node stands to a policy of which the store has no document that can be read.
#[must_use]
pub fn without_document(policy: &NodePolicy) -> Standing {
    if let Some(standing) = of_error(policy) {
        return standing;
    }
    match policy.state {
        NodePolicyState::Retired => Standing::AsStored,
        NodePolicyState::Loading => Standing::Loading,
        _ => Standing::Behind,
    }
}

fn of_error(policy: &NodePolicy) -> Option<Standing> {
    let error = policy.error.as_ref()?;
    Some(if error.code == DOCUMENT_GONE {
        Standing::Gone
    } else {
        Standing::Refused {
            code: error.code.clone(),
            message: error.message.clone(),
        }
    })
}

/// The reports of all nodes, read.
#[must_use]
pub fn views(reports: Vec<(String, Bytes)>) -> Vec<NodeView> {
    let view = |(node, report): (String, Bytes)| NodeView {
        status: NodeStatus::parse(&report).map_err(|error| error.to_string()),
        node,
    };
    reports.into_iter().map(view).collect()
}

#[cfg(test)]
mod tests;
