//! Where the records of rollouts are kept, for the next start of this node.

use std::sync::Arc;

use bytes::Bytes;

use crate::document::PolicyName;
use crate::node_state::{NodeState, RecordError, RecordKind};

/// Their kind among the records of a node.
const KIND: RecordKind = RecordKind::named("rollout");

/// Keeps one record for each policy that has a candidate on trial.
pub(crate) trait RolloutRecords: Send + Sync {
    /// What was kept last of a policy. Blocks: call it off the async threads.
    fn read(&self, name: &PolicyName) -> Option<Bytes>;

    /// Keeps a record in place of the one before, without waiting.
    fn write(&self, name: &PolicyName, record: Bytes);

    /// Forgets a policy's record, without waiting.
    fn remove(&self, name: &PolicyName);
}

/// Of a node that keeps no state: a rollout begins anew when it starts.
pub(crate) struct NoRecords;

impl RolloutRecords for NoRecords {
    fn read(&self, _: &PolicyName) -> Option<Bytes> {
        None
    }

    fn write(&self, _: &PolicyName, _: Bytes) {}

    fn remove(&self, _: &PolicyName) {}
}

/// In the folder of the node's state.
pub(crate) struct KeptRecords(pub(crate) Arc<NodeState>);

impl RolloutRecords for KeptRecords {
    fn read(&self, name: &PolicyName) -> Option<Bytes> {
        self.0.read_record(KIND, name)
    }

    fn write(&self, name: &PolicyName, record: Bytes) {
        told(name, self.0.write_record(KIND, name, record));
    }

    fn remove(&self, name: &PolicyName) {
        told(name, self.0.remove_record(KIND, name));
    }
}

/// What is lost is the place in the rollout, at a restart before the next record.
fn told(name: &PolicyName, kept: Result<(), RecordError>) {
    if let Err(error) = kept {
        tracing::warn!(policy.name = name.as_str(), %error, "how the candidate does is not kept");
    }
}
