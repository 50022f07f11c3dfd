//! Policies in etcd.
//!
//! Every call ends within a named bound and is tried again where that is harmless. Keys are those of `docs/policy-store.md`.

mod access;
mod archive;
mod call;
mod connection;
mod lease;
mod watch;
mod write;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use etcd_client::{Client, GetOptions, KeyValue, KvClient, SortOrder, SortTarget, Txn, TxnResponse};

use super::layout::Layout;
use super::{MAX_DOCUMENTS, PolicyStore, PolicyWatch, StoreError, StoreListing, StoredDocument, Transaction};
use crate::digest::Digest;
use crate::document::PolicyName;
use crate::node_status::NodeId;

pub use access::{EtcdConfig, EtcdConfigError, EtcdOptions, EtcdTls};
use call::{CALL_TIMEOUT, CHUNK_TIMEOUT, Call, Right, revision};
use connection::Connection;
use lease::Reporter;
use watch::EtcdWatch;

/// Keys asked for at once. Sixteen of etcd's largest values are 24 MiB.
const PAGE: i64 = 16;

/// The largest answer taken, in bytes: a page of the largest values, and some room. The client's own bound is 4 MiB.
const MAX_ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// How often a listing begins anew when etcd compacts between its pages.
const LISTINGS: u32 = 3;

/// Entries of a history that are looked at for the highest sequence; they are written in order, so the newest few do.
const NEWEST_HISTORY: i64 = 128;

/// The most nodes that are listed.
const MAX_NODES: usize = 1_024;

/// A policy store in etcd.
pub struct EtcdPolicyStore {
    connection: Connection,
    layout: Layout,
    reporter: Reporter,
    /// The cluster that was listed last; another one behind the same address knows nothing of our revisions.
    cluster: AtomicU64,
}

impl fmt::Debug for EtcdPolicyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EtcdPolicyStore")
            .field(&self.connection.peer.store)
            .finish()
    }
}

impl EtcdPolicyStore {
    /// Prepares connections to every endpoint (`host:port`). They are made when they are first used: an etcd that is away is no
    /// error here, also where there are credentials that it cannot check then.
    ///
    /// # Errors
    /// When an endpoint is none, or etcd refuses the credentials.
    pub async fn connect(
        endpoints: &[String],
        layout: Layout,
        options: EtcdOptions,
    ) -> Result<Self, StoreError> {
        let description = format!("etcd://{} prefix {}", endpoints.join(","), layout.prefix());
        if options.tls.is_none() && options.credentials.is_some() {
            tracing::warn!(
                store = description,
                "the password for etcd is sent in the clear; set `policies.etcd.ca_file` for TLS"
            );
        }
        let connection = Connection::new(description, endpoints, &options);
        match connection.client().await {
            // Asked again with the first call.
            Ok(_) | Err(StoreError::Unavailable { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(Self {
            connection,
            layout,
            reporter: Reporter::default(),
            cluster: AtomicU64::new(0),
        })
    }

    async fn value(
        &self,
        what: &'static str,
        bound: Duration,
        key: &str,
    ) -> Result<Option<KeyValue>, StoreError> {
        let right = Right::Read(key);
        let mut answer = self
            .connection
            .ask(&Call { what, bound, right }, |client| {
                let mut kv = kv(&client);
                async move { kv.get(key, None).await }
            })
            .await?;
        Ok(answer.take_kvs().pop())
    }

    /// A transaction that may be made twice.
    async fn txn(&self, call: &Call<'_>, txn: &Txn) -> Result<TxnResponse, StoreError> {
        self.connection
            .ask(call, |client| {
                let (mut kv, txn) = (kv(&client), txn.clone());
                async move { kv.txn(txn).await }
            })
            .await
    }

    /// Every key below a prefix at one revision, page by page.
    async fn range(&self, what: &'static str, prefix: &str, max: usize) -> Result<Range, StoreError> {
        let call = Call {
            what,
            bound: CHUNK_TIMEOUT,
            right: Right::ReadBelow(prefix),
        };
        let end = prefix_end(prefix);
        let mut from = prefix.as_bytes().to_vec();
        let (mut at, mut cluster) = (0, 0);
        let mut entries = Vec::new();
        loop {
            let options = GetOptions::new()
                .with_range(end.clone())
                .with_limit(PAGE)
                .with_revision(at);
            let mut page = self
                .connection
                .ask(&call, |client| {
                    let (mut kv, from, options) = (kv(&client), from.clone(), options.clone());
                    async move { kv.get(from, Some(options)).await }
                })
                .await?;
            if let Some(header) = page.header().filter(|_| at == 0) {
                at = header.revision();
                cluster = header.cluster_id();
            }
            let more = page.more();
            entries.append(&mut page.take_kvs());
            if entries.len() > max {
                return Err(StoreError::TooLarge {
                    what: format!("keys below {prefix}"),
                    found: entries.len() as u64,
                    max: max as u64,
                });
            }
            match entries.last().filter(|_| more) {
                Some(last) => from = [last.key(), &[0]].concat(),
                None => {
                    return Ok(Range {
                        revision: revision(at),
                        cluster,
                        entries,
                    });
                }
            }
        }
    }

    fn stored(&self, entry: KeyValue) -> StoredDocument {
        let mod_revision = revision(entry.mod_revision());
        let (key, value) = entry.into_key_value();
        let prefix = self.layout.policies();
        let name = key.strip_prefix(prefix.as_bytes()).unwrap_or(&key);
        StoredDocument {
            name: String::from_utf8_lossy(name).into_owned(),
            value: Bytes::from(value),
            mod_revision,
            transaction: mod_revision,
        }
    }
}

/// Reads and writes, with answers as large as ours are.
fn kv(client: &Client) -> KvClient {
    client.kv_client().max_decoding_message_size(MAX_ANSWER_BYTES)
}

/// The revision that the store is at, as a majority of its members has it.
async fn current_revision(connection: &Connection, prefix: &str) -> Result<u64, StoreError> {
    let call = Call {
        what: "read the revision",
        bound: CALL_TIMEOUT,
        right: Right::ReadBelow(prefix),
    };
    let answer = connection
        .ask(&call, |client| {
            let mut kv = kv(&client);
            let options = GetOptions::new().with_prefix().with_count_only();
            async move { kv.get(prefix, Some(options)).await }
        })
        .await?;
    Ok(answer.header().map_or(0, |header| revision(header.revision())))
}

/// Every key below a prefix at one revision of one cluster.
struct Range {
    revision: u64,
    cluster: u64,
    entries: Vec<KeyValue>,
}

/// The first key that does not begin with this prefix. Ours end in a slash, so the last byte has a successor.
fn prefix_end(prefix: &str) -> Vec<u8> {
    let mut end = prefix.as_bytes().to_vec();
    if let Some(last) = end.last_mut() {
        *last = last.saturating_add(1);
    }
    end
}

#[async_trait]
impl PolicyStore for EtcdPolicyStore {
    async fn list(&self) -> Result<StoreListing, StoreError> {
        let prefix = self.layout.policies();
        let mut attempt = 1;
        let range = loop {
            match self.range("list policies", &prefix, MAX_DOCUMENTS).await {
                Err(StoreError::Compacted { .. }) if attempt < LISTINGS => attempt += 1,
                result => break result?,
            }
        };
        self.cluster.store(range.cluster, Ordering::Relaxed);
        Ok(StoreListing {
            revision: range.revision,
            documents: range
                .entries
                .into_iter()
                .map(|entry| self.stored(entry))
                .collect(),
        })
    }

    async fn get(&self, name: &PolicyName) -> Result<Option<StoredDocument>, StoreError> {
        let entry = self
            .value("read a policy", CALL_TIMEOUT, &self.layout.policy(name))
            .await?;
        Ok(entry.map(|entry| self.stored(entry)))
    }

    async fn last_sequence(&self, name: &PolicyName) -> Result<u64, StoreError> {
        let prefix = self.layout.histories(name);
        let options = GetOptions::new()
            .with_prefix()
            .with_keys_only()
            .with_sort(SortTarget::Create, SortOrder::Descend)
            .with_limit(NEWEST_HISTORY);
        let call = Call {
            what: "read a history",
            bound: CALL_TIMEOUT,
            right: Right::ReadBelow(&prefix),
        };
        let answer = self
            .connection
            .ask(&call, |client| {
                let (mut kv, prefix, options) = (kv(&client), prefix.clone(), options.clone());
                async move { kv.get(prefix, Some(options)).await }
            })
            .await?;
        let sequence = |entry: &KeyValue| {
            let number = entry.key().strip_prefix(prefix.as_bytes())?;
            std::str::from_utf8(number).ok()?.parse::<u64>().ok()
        };
        Ok(answer.kvs().iter().filter_map(sequence).max().unwrap_or(0))
    }

    async fn watch(&self, after: u64) -> Result<Box<dyn PolicyWatch>, StoreError> {
        if self.connection.has_token() {
            // A watch is not opened again by itself when its token has expired, so it begins with a fresh one.
            self.connection.refresh_token().await?;
        }
        let cluster = self.cluster.load(Ordering::Relaxed);
        let watch = EtcdWatch::open(&self.connection, self.layout.policies(), after, cluster).await?;
        Ok(Box::new(watch))
    }

    async fn chunk(&self, digest: &Digest, index: u32) -> Result<Option<Bytes>, StoreError> {
        let key = self.layout.chunk(digest, index);
        let entry = self.value("read a chunk", CHUNK_TIMEOUT, &key).await?;
        Ok(entry.map(|entry| Bytes::from(entry.into_key_value().1)))
    }

    async fn put(&self, transaction: Transaction) -> Result<u64, StoreError> {
        transaction.check()?;
        self.write_artifacts(&transaction.artifacts).await?;
        if transaction.documents.is_empty() {
            return current_revision(&self.connection, &self.layout.policies()).await;
        }
        self.write_documents(&transaction).await
    }

    async fn report(&self, node: &NodeId, status: &[u8]) -> Result<(), StoreError> {
        let key = self.layout.node(node);
        self.reporter.report(&self.connection, node, &key, status).await
    }

    async fn nodes(&self) -> Result<Vec<(String, Bytes)>, StoreError> {
        let prefix = self.layout.nodes();
        let range = self.range("list nodes", &prefix, MAX_NODES).await?;
        let node = |entry: KeyValue| {
            let (key, value) = entry.into_key_value();
            let id = key.strip_prefix(prefix.as_bytes()).unwrap_or(&key);
            (String::from_utf8_lossy(id).into_owned(), Bytes::from(value))
        };
        Ok(range.entries.into_iter().map(node).collect())
    }

    fn describe(&self) -> String {
        self.connection.peer.store.clone()
    }
}
