//! Where the records of rollouts are kept, for the next start of this node.

use bytes::Bytes;

use crate::document::PolicyName;

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
