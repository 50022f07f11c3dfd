//! What the store and the nodes say of a policy before something is published.

use std::collections::HashMap;

use crate::document::{MAX_SEQUENCE, PolicyDocument, PolicyName, Statement};
use crate::envelope::Envelope;
use crate::node_status::NodeStatus;
use crate::store::{PolicyArchive, PolicyStore, StoreError, StoredDocument};

use super::{PublishError, Terms, signatures};

/// A policy as it is found.
pub(super) struct Present {
    pub(super) name: PolicyName,
    pub(super) stored: Option<StoredDocument>,
    /// What is stored, where it can be read and is of this name.
    pub(super) read: Option<(Envelope, Statement)>,
    /// The highest sequence that anybody has seen.
    pub(super) last: u64,
}

/// The highest sequence that live nodes have taken, by policy. After an older store was restored it is above what the store
/// knows, and a node would take a document below it for a replay.
pub(super) struct Seen(HashMap<String, u64>);

impl Seen {
    pub(super) async fn by_nodes(store: &dyn PolicyStore) -> Result<Self, StoreError> {
        let reports = match store.nodes().await {
            // Whoever publishes may have no right to read reports; then the store's own count is all that is known.
            Err(StoreError::Denied { detail, .. }) => {
                tracing::debug!(detail, "the nodes' reports cannot be read");
                Vec::new()
            }
            reports => reports?,
        };
        let mut seen = HashMap::new();
        for (_, report) in reports {
            // What cannot be read says nothing.
            let Ok(status) = NodeStatus::parse(&report) else {
                continue;
            };
            for policy in status.policies {
                let highest = policy.highest_sequence.max(policy.sequence).unwrap_or(0);
                let known: &mut u64 = seen.entry(policy.name).or_default();
                *known = highest.max(*known);
            }
        }
        Ok(Self(seen))
    }
}

impl Present {
    pub(super) async fn read(
        store: &dyn PolicyArchive,
        name: &PolicyName,
        seen: &Seen,
    ) -> Result<Self, PublishError> {
        let stored = store.get(name).await?;
        let read = stored
            .as_ref()
            .and_then(read)
            .filter(|(_, statement)| statement.name() == name);
        let last = store.last_sequence(name).await?;
        let stored_sequence = read.as_ref().map_or(0, |(_, statement)| statement.sequence());
        // A number that no document can have is somebody's slip, and must not stop everybody else.
        let seen = seen
            .0
            .get(name.as_str())
            .copied()
            .filter(|seen| *seen <= MAX_SEQUENCE);
        let last = last.max(stored_sequence).max(seen.unwrap_or(0));
        if last >= MAX_SEQUENCE {
            return Err(PublishError::SequenceExhausted {
                name: name.clone(),
                last,
            });
        }
        Ok(Self {
            name: name.clone(),
            stored,
            read,
            last,
        })
    }

    /// The next sequence.
    pub(super) const fn next(&self) -> u64 {
        self.last + 1
    }

    pub(super) fn statement(&self) -> Option<&Statement> {
        self.read.as_ref().map(|(_, statement)| statement)
    }

    /// The release that is stored, to go on from. Its signatures have to hold: whoever publishes signs what he takes over, and must
    /// not vouch for what somebody else slipped into the store.
    pub(super) fn release(&self, terms: &Terms<'_>) -> Result<&PolicyDocument, PublishError> {
        if self.stored.is_none() {
            return Err(PublishError::NotStored {
                name: self.name.clone(),
            });
        }
        let possible = |reason: &str| PublishError::not_possible(&self.name, reason);
        match &self.read {
            None => Err(possible(
                "the document that is stored cannot be read; publish a release with `portcullis policy push`",
            )),
            Some((_, Statement::Retirement(_))) => Err(possible(
                "it is retired; publish a release with `portcullis policy push`, or an older one with `portcullis policy rollback`",
            )),
            Some((envelope, Statement::Release(document))) => {
                signatures::check(envelope, &self.name, terms)?;
                Ok(document)
            }
        }
    }
}

pub(super) fn read(stored: &StoredDocument) -> Option<(Envelope, Statement)> {
    let envelope = Envelope::parse(&stored.value).ok()?;
    let statement = envelope.statement().ok()?;
    Some((envelope, statement))
}
