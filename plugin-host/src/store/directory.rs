//! Policies in a folder: the same layout as in etcd, as files. The embedded default, and what a single machine needs.
//!
//! Several processes may use one folder. A lock keeps readers from seeing half a transaction, and a file `revision` counts
//! transactions; it also holds a fingerprint of the documents, so that a file that was copied in or edited by hand is
//! noticed and given a revision of its own. Links among the documents are followed (that is how a mounted ConfigMap looks),
//! so whoever may write to the folder decides which files the gateway reads.

mod archive;
mod artifacts;
mod files;
mod folder;
mod pending;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::{
    NODE_TTL_SECONDS, PolicyStore, PolicyWatch, StoreError, StoreListing, StoredDocument, Transaction,
};
use crate::artifact::CHUNK_BYTES;
use crate::digest::Digest;
use crate::document::PolicyName;
use crate::node_status::{MAX_STATUS_BYTES, NodeId};

use folder::{Folder, mod_revision};
use watch::DirectoryWatch;

/// A policy store in a folder.
#[derive(Clone, Debug)]
pub struct DirectoryPolicyStore {
    folder: Arc<Folder>,
}

impl DirectoryPolicyStore {
    /// Opens a folder, and makes what is missing of it.
    ///
    /// # Errors
    /// When the path is no folder, or the folder cannot be made or read.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let folder = Folder::open(path.into())?;
        Ok(Self {
            folder: Arc::new(folder),
        })
    }

    async fn with_folder<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let folder = Arc::clone(&self.folder);
        blocking(move || work(&folder)).await
    }
}

/// Runs work that blocks where it holds up nobody.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(StoreError::Unavailable {
            store: "dir".to_owned(),
            detail: format!("reading the folder did not end: {error}"),
        }),
    }
}

fn live_nodes(folder: &Folder) -> Result<Vec<(String, Bytes)>, StoreError> {
    let now = files::file_system_time(&folder.nodes().join(".clock"))?;
    let mut nodes = Vec::new();
    for (id, _) in files::stamps(&folder.nodes())? {
        let path = folder.nodes().join(&id);
        let Some(reported) = files::modified(&path)? else {
            continue;
        };
        // A report from the future is one from a moment ago.
        let age = now.duration_since(reported).unwrap_or_default();
        if age > Duration::from_secs(NODE_TTL_SECONDS) {
            continue;
        }
        if let Some(status) = files::read(&path, MAX_STATUS_BYTES)? {
            nodes.push((id, status));
        }
    }
    Ok(nodes)
}

fn last_sequence(folder: &Folder, name: &PolicyName) -> Result<u64, StoreError> {
    let history = folder.history(name);
    let entries = match std::fs::read_dir(&history) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(files::failed("read the folder", &history, &error)),
    };
    let mut last = 0;
    for entry in entries {
        let entry = entry.map_err(|error| files::failed("read the folder", &history, &error))?;
        let sequence = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u64>().ok());
        last = last.max(sequence.unwrap_or(0));
    }
    Ok(last)
}

#[async_trait]
impl PolicyStore for DirectoryPolicyStore {
    async fn list(&self) -> Result<StoreListing, StoreError> {
        let snapshot = self.with_folder(Folder::snapshot).await?;
        let documents = snapshot
            .documents
            .into_iter()
            .map(|(name, value)| StoredDocument {
                name,
                mod_revision: mod_revision(&value),
                transaction: snapshot.revision,
                value,
            })
            .collect();
        Ok(StoreListing {
            revision: snapshot.revision,
            documents,
        })
    }

    async fn get(&self, name: &PolicyName) -> Result<Option<StoredDocument>, StoreError> {
        // A single file would do, but not while a transaction is half written.
        let listing = self.list().await?;
        let mut documents = listing.documents.into_iter();
        Ok(documents.find(|document| document.name == name.as_str()))
    }

    async fn last_sequence(&self, name: &PolicyName) -> Result<u64, StoreError> {
        let name = name.clone();
        self.with_folder(move |folder| last_sequence(folder, &name)).await
    }

    async fn watch(&self, after: u64) -> Result<Box<dyn PolicyWatch>, StoreError> {
        let watch = DirectoryWatch::open(Arc::clone(&self.folder), after).await?;
        Ok(Box::new(watch))
    }

    async fn chunk(&self, digest: &Digest, index: u32) -> Result<Option<Bytes>, StoreError> {
        let digest = *digest;
        self.with_folder(move |folder| files::read(&folder.chunk(&digest, index), CHUNK_BYTES))
            .await
    }

    async fn put(&self, transaction: Transaction) -> Result<u64, StoreError> {
        transaction.check()?;
        self.with_folder(move |folder| {
            for artifact in &transaction.artifacts {
                folder.write_artifact(artifact)?;
            }
            folder.put(&transaction.documents, &transaction.artifacts)
        })
        .await
    }

    async fn report(&self, node: &NodeId, status: &[u8]) -> Result<(), StoreError> {
        let (node, status) = (node.clone(), Bytes::copy_from_slice(status));
        self.with_folder(move |folder| files::write(&folder.nodes().join(node.as_str()), &status))
            .await
    }

    async fn nodes(&self) -> Result<Vec<(String, Bytes)>, StoreError> {
        self.with_folder(live_nodes).await
    }

    fn describe(&self) -> String {
        format!("dir:{}", self.folder.root().display())
    }
}
