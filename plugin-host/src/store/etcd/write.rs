//! Writing artifacts and documents to etcd.

use etcd_client::{Compare, CompareOp, GetOptions, Txn, TxnOp, TxnOpResponse, TxnResponse};

use crate::artifact::Artifact;
use crate::store::{DocumentWrite, HistoryWrite, StoreError, Transaction};

use super::call::{CALL_TIMEOUT, CHUNK_TIMEOUT, Call, Right, of_etcd, revision};
use super::{EtcdPolicyStore, kv};

/// How often artifacts are written again that somebody collected before a document named them. Whoever collects waits a
/// moment between looking and deleting, so once is enough where nobody is very slow.
const REWRITES: u32 = 5;

impl EtcdPolicyStore {
    /// Writes every chunk that is not there with the same bytes, one a request: two would be more than etcd takes.
    pub(super) async fn write_artifacts(&self, artifacts: &[Artifact]) -> Result<(), StoreError> {
        for artifact in artifacts {
            for (index, bytes) in artifact.chunks() {
                let key = self.layout.chunk(artifact.reference().digest(), index);
                let present = self.value("read a chunk", CHUNK_TIMEOUT, &key).await?;
                if present.is_some_and(|present| present.value() == bytes) {
                    continue;
                }
                let call = Call {
                    what: "write a chunk",
                    bound: CHUNK_TIMEOUT,
                    right: Right::Write(&key),
                };
                self.connection
                    .ask(&call, |client| {
                        let (mut kv, key, bytes) = (kv(&client), key.as_str(), bytes.clone());
                        async move { kv.put(key, bytes, None).await }
                    })
                    .await?;
            }
        }
        Ok(())
    }

    /// Writes documents and their history in one transaction, on the condition that their artifacts are still there: what was
    /// written a moment ago may have been collected, since no document named it.
    pub(super) async fn write_documents(&self, transaction: &Transaction) -> Result<u64, StoreError> {
        for _ in 0..REWRITES {
            match self.try_write_documents(transaction).await? {
                Some(revision) => return Ok(revision),
                None => self.write_artifacts(&transaction.artifacts).await?,
            }
        }
        Err(StoreError::Unavailable {
            store: self.connection.peer.store.clone(),
            detail: format!(
                "publish: an artifact was collected {REWRITES} times before a document could name it; end `policy gc` and publish again"
            ),
        })
    }

    /// The revision at which the documents are there; none where an artifact is not there any more.
    ///
    /// An answer may be lost after etcd has written, and the next attempt then finds its own conditions broken. So before a
    /// conflict is told, the history is asked whether what is there is ours.
    async fn try_write_documents(&self, transaction: &Transaction) -> Result<Option<u64>, StoreError> {
        let documents = &transaction.documents;
        let txn = self.transaction(documents, &transaction.artifacts);
        let call = Call {
            what: "publish",
            bound: CALL_TIMEOUT,
            right: Right::ReadAndWriteBelow(&[
                self.layout.policies(),
                self.layout.all_histories(),
                self.layout.artifacts(),
            ]),
        };
        let answer = self.txn(&call, &txn).await?;
        if answer.succeeded() {
            return Ok(Some(
                answer.header().map_or(0, |header| revision(header.revision())),
            ));
        }
        if let Some(first) = documents.first() {
            let key = self.layout.history(&first.name, first.sequence);
            let ours = self.value("read a history", CALL_TIMEOUT, &key).await?;
            if let Some(ours) = ours.filter(|entry| entry.value() == first.value) {
                return Ok(Some(revision(ours.mod_revision())));
            }
        }
        let found = found(&answer);
        let (read, artifacts) = found.split_at(documents.len().min(found.len()));
        let is_unchanged = documents
            .iter()
            .zip(read)
            .all(|(document, found)| document.expected == *found);
        if is_unchanged && artifacts.contains(&None) {
            return Ok(None);
        }
        Err(StoreError::Conflict {
            name: conflicting(documents, read),
        })
    }

    fn transaction(&self, documents: &[DocumentWrite], artifacts: &[Artifact]) -> Txn {
        let mut conditions = Vec::with_capacity(documents.len() * 2 + artifacts.len());
        let mut writes = Vec::with_capacity(documents.len() * 2);
        let mut reads = Vec::with_capacity(documents.len() + artifacts.len());
        for document in documents {
            let key = self.layout.policy(&document.name);
            let history = self.layout.history(&document.name, document.sequence);
            conditions.push(match document.expected {
                Some(read) => Compare::mod_revision(key.as_str(), CompareOp::Equal, of_etcd(read)),
                None => Compare::version(key.as_str(), CompareOp::Equal, 0),
            });
            if document.history == HistoryWrite::Appended {
                conditions.push(Compare::version(history.as_str(), CompareOp::Equal, 0));
            }
            reads.push(TxnOp::get(key.as_str(), Some(GetOptions::new().with_keys_only())));
            writes.push(TxnOp::put(key, document.value.clone(), None));
            writes.push(TxnOp::put(history, document.value.clone(), None));
        }
        for artifact in artifacts {
            // All chunks of an artifact are deleted at once, so the first stands for every one.
            let chunk = self.layout.chunk(artifact.reference().digest(), 0);
            conditions.push(Compare::version(chunk.as_str(), CompareOp::Greater, 0));
            reads.push(TxnOp::get(chunk, Some(GetOptions::new().with_keys_only())));
        }
        Txn::new().when(conditions).and_then(writes).or_else(reads)
    }
}

/// The revisions of what a transaction that did not succeed looked at, in its order; none of what is not there.
fn found(answer: &TxnResponse) -> Vec<Option<u64>> {
    let found = answer.op_responses().into_iter().map(|response| match response {
        TxnOpResponse::Get(mut get) => get.take_kvs().first().map(|entry| revision(entry.mod_revision())),
        _ => None,
    });
    found.collect()
}

/// The policies that are not as they were read; all of the transaction where only a history was in the way.
fn conflicting(documents: &[DocumentWrite], found: &[Option<u64>]) -> String {
    let changed: Vec<&str> = documents
        .iter()
        .zip(found)
        .filter(|(document, found)| document.expected != **found)
        .map(|(document, _)| document.name.as_str())
        .collect();
    if changed.is_empty() {
        let all: Vec<&str> = documents.iter().map(|document| document.name.as_str()).collect();
        all.join("`, `")
    } else {
        changed.join("`, `")
    }
}
