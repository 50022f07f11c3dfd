//! The store that policy documents and artifacts come from: one port, two adapters, one layout (`docs/policy-store.md`).

pub mod archive;
pub mod directory;
pub mod etcd;
pub mod layout;
mod location;

pub use archive::{HistoryEntry, PolicyArchive, StoredArtifact};
pub use directory::DirectoryPolicyStore;
pub use etcd::{EtcdConfig, EtcdConfigError, EtcdOptions, EtcdPolicyStore};
pub use location::{LocationError, OpenError, StoreLocation};

use async_trait::async_trait;
use bytes::Bytes;

use crate::artifact::Artifact;
use crate::digest::Digest;
use crate::document::PolicyName;
use crate::node_status::NodeId;

/// The most documents that a store may hold; a listing with more is refused rather than cut.
pub const MAX_DOCUMENTS: usize = 4_096;

/// The most documents of one transaction: etcd takes 128 conditions, and each document may have three (itself, its history and
/// its artifact).
pub const MAX_TRANSACTION_DOCUMENTS: usize = 42;

/// The most bytes of the documents of one transaction, each counted twice for its history: what etcd takes in one request,
/// less room for keys and conditions.
pub const MAX_TRANSACTION_BYTES: usize = 1_500_000;

/// After this long without a report a node counts as gone, in seconds.
pub const NODE_TTL_SECONDS: u64 = 10;

/// Where policies are kept. Both adapters give the same promises, held by one suite of tests.
#[async_trait]
pub trait PolicyStore: Send + Sync {
    /// Every policy document, and the revision they were read at, in one consistent view: a transaction is in it as a
    /// whole or not at all. Sorted by name.
    ///
    /// # Errors
    /// When the store cannot be read, or holds more than [`MAX_DOCUMENTS`].
    async fn list(&self) -> Result<StoreListing, StoreError>;

    /// One document, if there is one of this name.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn get(&self, name: &PolicyName) -> Result<Option<StoredDocument>, StoreError>;

    /// The highest sequence in the history of this name, 0 where there is none. Above it a new document is free to count,
    /// also after the last one was deleted.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn last_sequence(&self, name: &PolicyName) -> Result<u64, StoreError>;

    /// Every change after this revision, as it comes. The revision is that of a listing or of an event.
    ///
    /// # Errors
    /// When the store cannot be read, and where [`StoreError::must_list_again`].
    async fn watch(&self, after: u64) -> Result<Box<dyn PolicyWatch>, StoreError>;

    /// One chunk of an artifact, as it is stored: nothing of it was checked.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn chunk(&self, digest: &Digest, index: u32) -> Result<Option<Bytes>, StoreError>;

    /// Writes artifacts, then all documents and their history at once, and tells the revision at which they are there. Chunks
    /// that are there with the same bytes are left alone. Nothing is written when a condition does not hold, but for
    /// artifacts, which nobody looks at until a document names them. An artifact of the transaction is there when its documents
    /// are, also where somebody collects artifacts meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a document is not as it was read; otherwise when the store cannot be written.
    async fn put(&self, transaction: Transaction) -> Result<u64, StoreError>;

    /// Says how a node stands. Called every three seconds or so; a node that stops is gone after [`NODE_TTL_SECONDS`].
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn report(&self, node: &NodeId, status: &[u8]) -> Result<(), StoreError>;

    /// The reports of all nodes that are there, by id.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn nodes(&self) -> Result<Vec<(String, Bytes)>, StoreError>;

    /// Which store this is, for logs, such as `etcd://127.0.0.1:2379 prefix /portcullis/v1` or `dir:/var/lib/portcullis`.
    fn describe(&self) -> String;
}

/// Changes of documents, in the order in which they were made.
#[async_trait]
pub trait PolicyWatch: Send {
    /// Waits for the next event. May be dropped while it waits: nothing is lost, the next call goes on.
    ///
    /// # Errors
    /// When the watch has ended. Open another one after the last revision seen, or list again where
    /// [`StoreError::must_list_again`].
    async fn next(&mut self) -> Result<WatchEvent, StoreError>;
}

/// Every document at one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreListing {
    /// The revision.
    pub revision: u64,
    /// The documents, by name.
    pub documents: Vec<StoredDocument>,
}

/// A document as it is stored: nothing of it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDocument {
    /// The key's last part. Usually the policy's name; what somebody stored by hand may be called anything.
    pub name: String,
    /// The envelope, or whatever is there.
    pub value: Bytes,
    /// Another number whenever the value was written again. Only ever compared for equality: etcd counts up, a folder
    /// derives it from the bytes.
    pub mod_revision: u64,
    /// The same for documents that were last written in one transaction. A folder does not know which were, and says the same of
    /// all of them.
    pub transaction: u64,
}

/// What a watch tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchEvent {
    /// Documents were written or deleted.
    Changed {
        /// The revision at which they are so.
        revision: u64,
        /// All changes of one transaction, by key; none where the document was deleted.
        documents: Vec<(String, Option<Bytes>)>,
    },
    /// Nothing was missed up to this revision, and the store is alive.
    Progress {
        /// The revision.
        revision: u64,
    },
}

/// What is written at once.
#[derive(Clone, Debug, Default)]
pub struct Transaction {
    /// What the documents name; written first. With documents at most [`MAX_TRANSACTION_DOCUMENTS`].
    pub artifacts: Vec<Artifact>,
    /// At most [`MAX_TRANSACTION_DOCUMENTS`], each name once.
    pub documents: Vec<DocumentWrite>,
}

/// One document of a transaction.
#[derive(Clone, Debug)]
pub struct DocumentWrite {
    /// Under which name.
    pub name: PolicyName,
    /// Its sequence, under which it goes into the history.
    pub sequence: u64,
    /// What becomes of the history.
    pub history: HistoryWrite,
    /// The envelope.
    pub value: Bytes,
    /// The `mod_revision` it was read with; none where there must be no document of this name.
    pub expected: Option<u64>,
}

/// What becomes of a policy's history when a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryWrite {
    /// It has one document more. There must not be one of this sequence yet.
    Appended,
    /// The same document, signed by others as well, takes the place of the one with this sequence.
    Signed,
}

impl Transaction {
    /// What either store asks of a transaction before it looks at its own state.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let count = self.documents.len();
        if count > MAX_TRANSACTION_DOCUMENTS {
            return Err(StoreError::TooLarge {
                what: "documents in one transaction".to_owned(),
                found: count as u64,
                max: MAX_TRANSACTION_DOCUMENTS as u64,
            });
        }
        let artifacts = self.artifacts.len();
        if count > 0 && artifacts > MAX_TRANSACTION_DOCUMENTS {
            return Err(StoreError::TooLarge {
                what: "artifacts in one transaction".to_owned(),
                found: artifacts as u64,
                max: MAX_TRANSACTION_DOCUMENTS as u64,
            });
        }
        let bytes: usize = self
            .documents
            .iter()
            .map(|document| document.value.len() * 2)
            .sum();
        if bytes > MAX_TRANSACTION_BYTES {
            return Err(StoreError::TooLarge {
                what: "bytes of documents and their history in one transaction".to_owned(),
                found: bytes as u64,
                max: MAX_TRANSACTION_BYTES as u64,
            });
        }
        let mut names: Vec<_> = self.documents.iter().map(|document| &document.name).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair.first() == pair.last()) {
            Some([name, ..]) => Err(StoreError::Invalid {
                detail: format!("`{name}` is twice in one transaction, expected each policy once"),
            }),
            _ => Ok(()),
        }
    }
}

/// Why a store did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It does not answer, or not in time. Try again later.
    #[error("{store} is unavailable: {detail}")]
    Unavailable {
        /// Which store.
        store: String,
        /// What was tried and what came of it.
        detail: String,
    },
    /// Somebody published meanwhile. Read again and decide anew.
    #[error("`{name}` was published by somebody else meanwhile; nothing was written")]
    Conflict {
        /// Which policy, or several.
        name: String,
    },
    /// What changed after this revision is not known any more. List again.
    #[error(
        "changes after revision {after} are not known any more (the oldest known is {oldest}); list again"
    )]
    Compacted {
        /// From where it was to go on.
        after: u64,
        /// From where it can.
        oldest: u64,
    },
    /// The store is older than what was seen of it: it was restored or replaced. List again.
    #[error(
        "the store is at revision {current}, before {after}, which was seen: it was restored or replaced; list again"
    )]
    Rewound {
        /// What was seen.
        after: u64,
        /// Where it is.
        current: u64,
    },
    /// More than the store or the gateway takes.
    #[error("too large: {found} {what}, expected at most {max}")]
    TooLarge {
        /// What is too large.
        what: String,
        /// How large it is.
        found: u64,
        /// How large it may be.
        max: u64,
    },
    /// The store knows us and does not allow it, or does not know us.
    #[error("{store} denied access: {detail}")]
    Denied {
        /// Which store.
        store: String,
        /// What was denied, and what would help.
        detail: String,
    },
    /// What was asked for makes no sense, or the store holds something that no store of ours wrote.
    #[error("{detail}")]
    Invalid {
        /// What, and what would.
        detail: String,
    },
}

impl StoreError {
    /// The stable name of what is wrong.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "store_unavailable",
            Self::Conflict { .. } => "store_conflict",
            Self::Compacted { .. } => "store_compacted",
            Self::Rewound { .. } => "store_rewound",
            Self::TooLarge { .. } => "store_too_large",
            Self::Denied { .. } => "store_denied",
            Self::Invalid { .. } => "store_invalid",
        }
    }

    /// Whether a watch cannot go on from where it was, so that everything has to be listed again.
    #[must_use]
    pub const fn must_list_again(&self) -> bool {
        matches!(self, Self::Compacted { .. } | Self::Rewound { .. })
    }
}
