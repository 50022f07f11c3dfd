//! History and artifacts in etcd.

use async_trait::async_trait;
use bytes::Bytes;
use etcd_client::{Compare, CompareOp, DeleteOptions, GetOptions, KeyValue, Txn, TxnOp};

use crate::digest::Digest;
use crate::document::PolicyName;
use crate::store::archive::{MAX_ARCHIVE_KEYS, sort, too_many};
use crate::store::{HistoryEntry, PolicyArchive, StoreError, StoredArtifact};

use super::call::{CALL_TIMEOUT, CHUNK_TIMEOUT, Call, Right, of_etcd, revision};
use super::{EtcdPolicyStore, kv, prefix_end};

/// Keys without values that are asked for at once.
const KEYS: i64 = 4_096;

/// Deletions of one transaction; etcd takes 128.
const DELETIONS: usize = 128;

impl EtcdPolicyStore {
    /// Every key below a prefix, without values, at whatever revision each page was read at.
    async fn keys(&self, what: &'static str, prefix: &str) -> Result<Vec<KeyValue>, StoreError> {
        let call = Call {
            what,
            bound: CHUNK_TIMEOUT,
            right: Right::ReadBelow(prefix),
        };
        let end = prefix_end(prefix);
        let mut from = prefix.as_bytes().to_vec();
        let mut keys = Vec::new();
        loop {
            let options = GetOptions::new()
                .with_range(end.clone())
                .with_keys_only()
                .with_limit(KEYS);
            let mut page = self
                .connection
                .ask(&call, |client| {
                    let (mut kv, from, options) = (kv(&client), from.clone(), options.clone());
                    async move { kv.get(from, Some(options)).await }
                })
                .await?;
            let more = page.more();
            keys.append(&mut page.take_kvs());
            if keys.len() > MAX_ARCHIVE_KEYS {
                return Err(too_many(&format!("keys below {prefix}")));
            }
            match keys.last().filter(|_| more) {
                Some(last) => from = [last.key(), &[0]].concat(),
                None => return Ok(keys),
            }
        }
    }
}

/// What follows a prefix in a key, where that is text.
fn rest<'a>(entry: &'a KeyValue, prefix: &str) -> Option<&'a str> {
    let rest = entry.key().strip_prefix(prefix.as_bytes())?;
    std::str::from_utf8(rest).ok()
}

#[async_trait]
impl PolicyArchive for EtcdPolicyStore {
    async fn history(&self, name: Option<&PolicyName>) -> Result<Vec<HistoryEntry>, StoreError> {
        let all = self.layout.all_histories();
        let prefix = name.map_or_else(|| all.clone(), |name| self.layout.histories(name));
        let keys = self.keys("list a history", &prefix).await?;
        // What somebody stored there under another key is no entry.
        let entry = |key: &KeyValue| {
            let (name, sequence) = rest(key, &all)?.split_once('/')?;
            Some(HistoryEntry {
                name: PolicyName::parse(name).ok()?,
                sequence: sequence.parse().ok()?,
            })
        };
        let mut entries: Vec<HistoryEntry> = keys.iter().filter_map(entry).collect();
        sort(&mut entries);
        Ok(entries)
    }

    async fn past(&self, entry: &HistoryEntry) -> Result<Option<Bytes>, StoreError> {
        let key = self.layout.history(&entry.name, entry.sequence);
        let stored = self.value("read a history", CALL_TIMEOUT, &key).await?;
        Ok(stored.map(|stored| Bytes::from(stored.into_key_value().1)))
    }

    async fn trim(&self, entries: &[HistoryEntry]) -> Result<(), StoreError> {
        for some in entries.chunks(DELETIONS) {
            let deletions = some.iter().map(|entry| {
                let key = self.layout.history(&entry.name, entry.sequence);
                TxnOp::delete(key, None)
            });
            let txn = Txn::new().and_then(deletions.collect::<Vec<_>>());
            let call = Call {
                what: "trim a history",
                bound: CALL_TIMEOUT,
                right: Right::ReadAndWriteBelow(&[self.layout.all_histories()]),
            };
            self.txn(&call, &txn).await?;
        }
        Ok(())
    }

    async fn artifacts(&self) -> Result<Vec<StoredArtifact>, StoreError> {
        let prefix = self.layout.artifacts();
        let keys = self.keys("list artifacts", &prefix).await?;
        let mut artifacts: Vec<StoredArtifact> = Vec::new();
        for key in &keys {
            let Some((digest, chunk)) = rest(key, &prefix).and_then(|rest| rest.split_once('/')) else {
                continue;
            };
            let (Ok(digest), Ok(chunk)) = (Digest::parse(digest), chunk.parse::<u32>()) else {
                continue;
            };
            let written = revision(key.mod_revision());
            match artifacts.last_mut().filter(|last| last.digest == digest) {
                Some(artifact) => {
                    artifact.last_chunk = artifact.last_chunk.max(chunk);
                    artifact.mark = artifact.mark.max(written);
                }
                None => artifacts.push(StoredArtifact {
                    digest,
                    last_chunk: chunk,
                    mark: written,
                }),
            }
        }
        Ok(artifacts)
    }

    async fn delete(&self, artifact: &StoredArtifact, if_unchanged_since: u64) -> Result<bool, StoreError> {
        let documents = self.layout.policies();
        let chunks = self.layout.artifact(&artifact.digest);
        // Each holds of every key below the prefix, and of none at all.
        let no_later_than = |prefix: &str, revision: u64| {
            let next = of_etcd(revision.saturating_add(1));
            Compare::mod_revision(prefix, CompareOp::Less, next).with_range(prefix_end(prefix))
        };
        let conditions = [
            no_later_than(&documents, if_unchanged_since),
            no_later_than(&chunks, artifact.mark),
        ];
        let options = DeleteOptions::new().with_range(prefix_end(&chunks));
        let deletion = TxnOp::delete(chunks.as_str(), Some(options));
        let txn = Txn::new().when(conditions).and_then([deletion]);
        // Made twice it deletes nothing more.
        let call = Call {
            what: "delete an artifact",
            bound: CALL_TIMEOUT,
            right: Right::ReadAndWriteBelow(&[documents.clone(), self.layout.artifacts()]),
        };
        let answer = self.txn(&call, &txn).await?;
        Ok(answer.succeeded())
    }
}
