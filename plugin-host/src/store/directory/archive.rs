//! History and artifacts in a folder.

use async_trait::async_trait;
use bytes::Bytes;

use crate::document::PolicyName;
use crate::envelope::MAX_ENVELOPE_BYTES;
use crate::store::archive::{MAX_ARCHIVE_KEYS, sort, too_many};
use crate::store::{HistoryEntry, PolicyArchive, StoreError, StoredArtifact, layout};

use super::DirectoryPolicyStore;
use super::files::{self, LockKind};
use super::folder::Folder;

impl Folder {
    fn all_history(&self) -> Result<Vec<HistoryEntry>, StoreError> {
        let mut entries = Vec::new();
        for name in files::names(&self.root().join(layout::HISTORY))? {
            // What somebody stored there under another name is no history.
            if let Ok(name) = PolicyName::parse(&name) {
                entries.extend(self.history_of(&name)?);
            }
            if entries.len() > MAX_ARCHIVE_KEYS {
                return Err(too_many("entries of histories"));
            }
        }
        Ok(entries)
    }

    fn history_of(&self, name: &PolicyName) -> Result<Vec<HistoryEntry>, StoreError> {
        let path = self.history(name);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let sequences = files::names(&path)?.into_iter();
        let entry = |sequence: String| {
            Some(HistoryEntry {
                name: name.clone(),
                sequence: sequence.parse().ok()?,
            })
        };
        Ok(sequences.filter_map(entry).collect())
    }

    fn trim(&self, entries: &[HistoryEntry]) -> Result<(), StoreError> {
        // Not while a transaction is half written.
        let _lock = self.lock(LockKind::Exclusive)?;
        self.recover()?;
        for entry in entries {
            files::remove(&self.history(&entry.name).join(entry.sequence.to_string()))?;
        }
        Ok(())
    }
}

#[async_trait]
impl PolicyArchive for DirectoryPolicyStore {
    async fn history(&self, name: Option<&PolicyName>) -> Result<Vec<HistoryEntry>, StoreError> {
        let name = name.cloned();
        let mut entries = self
            .with_folder(move |folder| match name {
                Some(name) => folder.history_of(&name),
                None => folder.all_history(),
            })
            .await?;
        sort(&mut entries);
        Ok(entries)
    }

    async fn past(&self, entry: &HistoryEntry) -> Result<Option<Bytes>, StoreError> {
        let entry = entry.clone();
        self.with_folder(move |folder| {
            let path = folder.history(&entry.name).join(entry.sequence.to_string());
            files::read(&path, MAX_ENVELOPE_BYTES)
        })
        .await
    }

    async fn trim(&self, entries: &[HistoryEntry]) -> Result<(), StoreError> {
        let entries = entries.to_vec();
        self.with_folder(move |folder| folder.trim(&entries)).await
    }

    async fn artifacts(&self) -> Result<Vec<StoredArtifact>, StoreError> {
        self.with_folder(Folder::artifacts).await
    }

    async fn delete(&self, artifact: &StoredArtifact, if_unchanged_since: u64) -> Result<bool, StoreError> {
        let artifact = *artifact;
        self.with_folder(move |folder| folder.delete_artifact(&artifact, if_unchanged_since))
            .await
    }
}
