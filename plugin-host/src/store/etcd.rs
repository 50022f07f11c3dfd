//! Policies in etcd.
//!
//! Every call ends within a named bound and is tried again where that is harmless. Keys are those of `docs/policy-store.md`.

mod archive;
mod call;
mod lease;
mod watch;
mod write;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use etcd_client::{Client, ConnectOptions, GetOptions, KeyValue, KvClient, SortOrder, SortTarget};

use super::layout::Layout;
use super::{MAX_DOCUMENTS, PolicyStore, PolicyWatch, StoreError, StoreListing, StoredDocument, Transaction};
use crate::digest::Digest;
use crate::document::PolicyName;
use crate::node_status::NodeId;

use call::{CALL_TIMEOUT, CHUNK_TIMEOUT, idempotent, revision, within};
use lease::Reporter;
use watch::EtcdWatch;

/// How often a quiet connection is pinged. etcd closes connections that are pinged more often than every five seconds.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(5);

/// After this long without an answer to a ping the connection counts as dead.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a TCP connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

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

/// How to connect, beside where.
#[derive(Clone, Default)]
pub struct EtcdOptions {
    /// Name and password, where etcd asks for them.
    pub credentials: Option<(String, String)>,
}

impl fmt::Debug for EtcdOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.credentials.as_ref().map(|(user, _)| user);
        f.debug_struct("EtcdOptions")
            .field("user", &user)
            .finish_non_exhaustive()
    }
}

/// A policy store in etcd.
pub struct EtcdPolicyStore {
    client: Client,
    layout: Layout,
    description: String,
    authenticated: bool,
    reporter: Reporter,
    /// The cluster that was listed last; another one behind the same address knows nothing of our revisions.
    cluster: AtomicU64,
}

impl fmt::Debug for EtcdPolicyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EtcdPolicyStore").field(&self.description).finish()
    }
}

impl EtcdPolicyStore {
    /// Prepares connections to every endpoint (`host:port`). They are made when they are first used: an etcd that is away
    /// is no error here, unless there are credentials to check.
    ///
    /// # Errors
    /// When an endpoint is none, or the credentials are refused or cannot be checked.
    pub async fn connect(
        endpoints: &[String],
        layout: Layout,
        options: EtcdOptions,
    ) -> Result<Self, StoreError> {
        let description = format!("etcd://{} prefix {}", endpoints.join(","), layout.prefix());
        let authenticated = options.credentials.is_some();
        let mut connect = ConnectOptions::new()
            .with_keep_alive(KEEP_ALIVE_INTERVAL, KEEP_ALIVE_TIMEOUT)
            .with_keep_alive_while_idle(true)
            .with_connect_timeout(CONNECT_TIMEOUT)
            .with_require_leader(true);
        if let Some((user, password)) = options.credentials {
            connect = connect.with_user(user, password).with_auto_token_refresh(true);
        }
        let client = idempotent(&description, "connect", CALL_TIMEOUT, || {
            Client::connect(endpoints, Some(connect.clone()))
        })
        .await?;
        Ok(Self {
            client,
            layout,
            description,
            authenticated,
            reporter: Reporter::default(),
            cluster: AtomicU64::new(0),
        })
    }

    fn kv(&self) -> KvClient {
        self.client
            .kv_client()
            .max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    async fn value(&self, what: &str, key: &str, bound: Duration) -> Result<Option<KeyValue>, StoreError> {
        let mut answer = idempotent(&self.description, what, bound, || {
            let mut kv = self.kv();
            async move { kv.get(key, None).await }
        })
        .await?;
        Ok(answer.take_kvs().pop())
    }

    /// Every key below a prefix at one revision, page by page.
    async fn range(&self, what: &str, prefix: &str, max: usize) -> Result<Range, StoreError> {
        let end = prefix_end(prefix);
        let mut from = prefix.as_bytes().to_vec();
        let (mut at, mut cluster) = (0, 0);
        let mut entries = Vec::new();
        loop {
            let options = GetOptions::new()
                .with_range(end.clone())
                .with_limit(PAGE)
                .with_revision(at);
            let mut page = idempotent(&self.description, what, CHUNK_TIMEOUT, || {
                let (mut kv, from, options) = (self.kv(), from.clone(), options.clone());
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
            .value("read a policy", &self.layout.policy(name), CALL_TIMEOUT)
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
        let answer = idempotent(&self.description, "read a history", CALL_TIMEOUT, || {
            let (mut kv, prefix, options) = (self.kv(), prefix.clone(), options.clone());
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
        if self.authenticated {
            // A watch is not opened again by itself when its token has expired, so it begins with a fresh one.
            let refresh = self.client.refresh_token();
            within(&self.description, "refresh the token", CALL_TIMEOUT, refresh).await?;
        }
        let watch = EtcdWatch::open(
            &self.description,
            self.client.watch_client(),
            self.layout.policies(),
            after,
            self.cluster.load(Ordering::Relaxed),
        )
        .await?;
        Ok(Box::new(watch))
    }

    async fn chunk(&self, digest: &Digest, index: u32) -> Result<Option<Bytes>, StoreError> {
        let key = self.layout.chunk(digest, index);
        let entry = self.value("read a chunk", &key, CHUNK_TIMEOUT).await?;
        Ok(entry.map(|entry| Bytes::from(entry.into_key_value().1)))
    }

    async fn put(&self, transaction: Transaction) -> Result<u64, StoreError> {
        transaction.check()?;
        self.write_artifacts(&transaction.artifacts).await?;
        if transaction.documents.is_empty() {
            return self.current_revision().await;
        }
        self.write_documents(&transaction).await
    }

    async fn report(&self, node: &NodeId, status: &[u8]) -> Result<(), StoreError> {
        let key = self.layout.node(node);
        self.reporter
            .report(&self.description, &self.client, node, &key, status)
            .await
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
        self.description.clone()
    }
}
