//! A store under test, and a way around it: what an operator does by hand.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use portcullis_plugin_host::digest::Digest;
use portcullis_plugin_host::store::layout::{Layout, chunk_name};
use portcullis_plugin_host::store::{DirectoryPolicyStore, EtcdOptions, EtcdPolicyStore, PolicyArchive};
use tempfile::TempDir;

use crate::etcd_process::{self, Etcd};

/// A store, and what it keeps its things in.
pub(crate) struct Backend {
    pub(crate) store: Arc<dyn PolicyArchive>,
    by_hand: ByHand,
}

enum ByHand {
    Etcd { etcd: Arc<Etcd>, prefix: String },
    Directory(TempDir),
}

/// A folder of its own.
pub(crate) fn directory() -> Backend {
    let folder = TempDir::new().unwrap();
    let store = DirectoryPolicyStore::open(folder.path().join("store")).unwrap();
    Backend {
        store: Arc::new(store),
        by_hand: ByHand::Directory(folder),
    }
}

/// Keys of its own in the shared etcd; none where there is no etcd.
pub(crate) async fn etcd() -> Option<Backend> {
    if !etcd_process::is_here() {
        return None;
    }
    let etcd = tokio::task::spawn_blocking(etcd_process::shared).await.unwrap();
    Some(in_etcd(etcd).await)
}

/// Keys of its own in this etcd.
pub(crate) async fn in_etcd(etcd: Arc<Etcd>) -> Backend {
    static PREFIXES: AtomicU32 = AtomicU32::new(0);
    let prefix = format!("/test/{}", PREFIXES.fetch_add(1, Ordering::Relaxed));
    let store = connect(&etcd, &prefix).await;
    Backend {
        store: Arc::new(store),
        by_hand: ByHand::Etcd { etcd, prefix },
    }
}

/// Connects anew, as another process would.
pub(crate) async fn connect(etcd: &Etcd, prefix: &str) -> EtcdPolicyStore {
    let layout = Layout::new(prefix).unwrap();
    EtcdPolicyStore::connect(&[etcd.endpoint()], layout, EtcdOptions::default())
        .await
        .unwrap()
}

impl Backend {
    /// The folder of the store.
    pub(crate) fn path(&self) -> PathBuf {
        match &self.by_hand {
            ByHand::Directory(folder) => folder.path().join("store"),
            ByHand::Etcd { .. } => panic!("not a folder"),
        }
    }

    /// The keys of the store.
    pub(crate) fn prefix(&self) -> &str {
        match &self.by_hand {
            ByHand::Directory(_) => panic!("not in etcd"),
            ByHand::Etcd { prefix, .. } => prefix,
        }
    }

    /// Stores a value as an operator would: `etcdctl put`, or `cp` to the folder.
    pub(crate) fn put_by_hand(&self, key: &str, value: &[u8]) {
        match &self.by_hand {
            ByHand::Etcd { etcd, prefix } => etcd.put(&format!("{prefix}/{key}"), value),
            ByHand::Directory(folder) => {
                let source = folder.path().join("source");
                fs::write(&source, value).unwrap();
                let target = self.path().join(key);
                fs::create_dir_all(target.parent().unwrap()).unwrap();
                assert!(
                    Command::new("cp")
                        .args([source, target])
                        .status()
                        .unwrap()
                        .success()
                );
            }
        }
    }

    /// Deletes a value as an operator would.
    pub(crate) fn delete_by_hand(&self, key: &str) {
        match &self.by_hand {
            ByHand::Etcd { etcd, prefix } => drop(etcd.ctl(&["del", &format!("{prefix}/{key}")])),
            ByHand::Directory(_) => fs::remove_file(self.path().join(key)).unwrap(),
        }
    }
}

/// Where a chunk is, below the prefix or the folder.
pub(crate) fn chunk_key(digest: &Digest, index: u32) -> String {
    format!("artifacts/{digest}/{}", chunk_name(index))
}
