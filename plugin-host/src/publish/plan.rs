//! What would be written, with every check done that a node makes.

use bytes::Bytes;

use crate::document::{Statement, ValidityError};
use crate::envelope::Envelope;
use crate::store::{DocumentWrite, HistoryWrite, PolicyArchive, StoreError, Transaction};

use super::examination::{Examiner, examine};
use super::present::{Present, Seen};
use super::signatures::{check, fresh, sign, signed_by};
use super::{Change, Proposal, PublishError, PublishOutcome, PublishedPolicy, Terms};

/// Documents that are ready to be written together.
#[derive(Debug)]
pub struct Plan {
    /// What comes of each proposal, in their order.
    pub policies: Vec<PublishedPolicy>,
    transaction: Transaction,
}

impl Plan {
    /// Reads the store and makes of each proposal what is to be written. Writes nothing.
    ///
    /// # Errors
    /// When the store cannot be read, when what it holds does not allow what is proposed, and when a node would not take a document.
    pub async fn make(
        store: &dyn PolicyArchive,
        proposals: &[Proposal],
        terms: &Terms<'_>,
        examiner: &mut dyn Examiner,
    ) -> Result<Self, PublishError> {
        let seen = Seen::by_nodes(store).await?;
        let mut plan = Self {
            policies: Vec::with_capacity(proposals.len()),
            transaction: Transaction::default(),
        };
        for proposal in proposals {
            let present = Present::read(store, proposal.name(), &seen).await?;
            plan.add(store, proposal, present, terms, examiner).await?;
        }
        Ok(plan)
    }

    async fn add(
        &mut self,
        store: &dyn PolicyArchive,
        proposal: &Proposal,
        present: Present,
        terms: &Terms<'_>,
        examiner: &mut dyn Examiner,
    ) -> Result<(), PublishError> {
        let draft = proposal.draft(store, &present, terms).await?;
        let before = present.statement().cloned();
        let (after, envelope, change) = match same(&present, &draft.statement, terms)? {
            Some(same) => same,
            None => {
                let envelope = fresh(&draft.statement, terms)?;
                (draft.statement, envelope, Change::Published)
            }
        };
        check(&envelope, &present.name, terms)?;
        if let (Statement::Release(document), Change::Published) = (&after, change) {
            // One whose time is still to come is published ahead of it; one whose time is over never comes into force.
            if let Err(error) = document.validity(terms.now)
                && matches!(error, ValidityError::Expired { .. })
            {
                return Err(PublishError::Refused {
                    name: present.name,
                    code: error.code(),
                    message: error.to_string(),
                });
            }
            examine(store, document, &draft.artifacts, examiner).await?;
        }
        let history = match change {
            Change::Nothing => None,
            Change::Signed => Some(HistoryWrite::Signed),
            Change::Published => Some(HistoryWrite::Appended),
        };
        self.transaction
            .documents
            .extend(history.map(|history| DocumentWrite {
                name: present.name.clone(),
                sequence: after.sequence(),
                history,
                value: Bytes::from(envelope.to_json()),
                expected: present.stored.as_ref().map(|stored| stored.mod_revision),
            }));
        self.transaction.artifacts.extend(draft.artifacts);
        self.policies.push(PublishedPolicy {
            name: present.name,
            sequence: after.sequence(),
            before,
            after,
            change,
            signed_by: signed_by(&envelope),
        });
        Ok(())
    }

    /// Writes it, if the store is as it was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is not; otherwise when the store cannot be written.
    pub async fn put(self, store: &dyn PolicyArchive) -> Result<PublishOutcome, StoreError> {
        let changed = !self.transaction.documents.is_empty();
        let revision = store.put(self.transaction).await?;
        Ok(PublishOutcome {
            revision: changed.then_some(revision),
            policies: self.policies,
        })
    }
}

/// What is stored, with the signatures that it lacks, where it says what is to be said. None where another document is needed: also
/// where the one that is there has no room for a signature, and where it is older than what was in force before, which every node
/// refuses that saw that.
fn same(
    present: &Present,
    wanted: &Statement,
    terms: &Terms<'_>,
) -> Result<Option<(Statement, Envelope, Change)>, PublishError> {
    let Some((envelope, statement)) = &present.read else {
        return Ok(None);
    };
    let says_the_same = match (statement, wanted) {
        (Statement::Release(stored), Statement::Release(wanted)) => stored.says_the_same_as(wanted),
        (Statement::Retirement(stored), Statement::Retirement(wanted)) => {
            wanted.reason.is_none() || stored.reason == wanted.reason
        }
        _ => false,
    };
    if !says_the_same || statement.sequence() != present.last {
        return Ok(None);
    }
    let signed = sign(envelope.clone(), terms.signers)?;
    Ok(signed.map(|(envelope, added)| {
        let change = if added == 0 {
            Change::Nothing
        } else {
            Change::Signed
        };
        (statement.clone(), envelope, change)
    }))
}
