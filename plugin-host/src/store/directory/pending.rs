//! The file `pending`: a transaction that was begun. It is written whole before the first document is touched, and deleted
//! after the last one, so that a process that dies in between is finished by the next one that looks.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::document::PolicyName;
use crate::document::strict::from_json;
use crate::store::{DocumentWrite, MAX_TRANSACTION_BYTES, StoreError};

/// A transaction.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pending {
    /// The revision that it makes.
    pub(super) revision: u64,
    /// What it writes.
    pub(super) documents: Vec<PendingDocument>,
}

/// One document of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PendingDocument {
    /// Its name; checked when it is read, as it becomes the name of a file.
    pub(super) name: PolicyName,
    /// Its sequence.
    pub(super) sequence: u64,
    /// The envelope in base64.
    value: String,
}

impl Pending {
    /// The largest file, in bytes: the largest transaction in base64, and room for names.
    pub(super) const MAX_BYTES: usize = 2 * MAX_TRANSACTION_BYTES;

    pub(super) fn new(revision: u64, writes: &[DocumentWrite]) -> Self {
        let documents = writes
            .iter()
            .map(|write| PendingDocument {
                name: write.name.clone(),
                sequence: write.sequence,
                value: STANDARD.encode(&write.value),
            })
            .collect();
        Self { revision, documents }
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        // Cannot fail: texts and numbers only.
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Self, StoreError> {
        from_json(bytes).map_err(|error| StoreError::Invalid {
            detail: format!(
                "{}: {error}; the file holds an unfinished transaction and was damaged: delete it, then publish again",
                path.display()
            ),
        })
    }
}

impl PendingDocument {
    pub(super) fn value(&self) -> Result<Vec<u8>, StoreError> {
        STANDARD.decode(&self.value).map_err(|error| StoreError::Invalid {
            detail: format!("pending transaction: `{}`: {error}", self.name),
        })
    }
}
