//! Artifacts in a folder: written beside readers, and deleted by nobody who has not looked what is needed.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::ErrorKind;

use crate::artifact::{Artifact, CHUNK_BYTES};
use crate::digest::Digest;
use crate::store::archive::{MAX_ARCHIVE_KEYS, too_many};
use crate::store::{StoreError, StoredArtifact, layout};

use super::files::{self, LockKind};
use super::folder::Folder;

impl Folder {
    /// Writes the chunks that are not there with the same bytes. Needs no lock: nobody looks at them before a document names
    /// them, and a chunk is the same whoever writes it. What is deleted meanwhile is written again with the document.
    pub(super) fn write_artifact(&self, artifact: &Artifact) -> Result<(), StoreError> {
        for (index, bytes) in artifact.chunks() {
            self.write_chunk(artifact.reference().digest(), index, &bytes)?;
        }
        Ok(())
    }

    /// Writes again what was deleted since it was written, under a lock that is held alone.
    pub(super) fn complete_artifact(&self, artifact: &Artifact) -> Result<(), StoreError> {
        let digest = artifact.reference().digest();
        for (index, bytes) in artifact.chunks() {
            if files::stamp(&self.chunk(digest, index))?.is_none() {
                self.write_chunk(digest, index, &bytes)?;
            }
        }
        Ok(())
    }

    fn write_chunk(&self, digest: &Digest, index: u32, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.chunk(digest, index);
        if files::read(&path, CHUNK_BYTES)?.is_some_and(|present| present == bytes) {
            return Ok(());
        }
        let Some(chunks) = path.parent() else {
            return Ok(());
        };
        loop {
            files::create_folder(chunks)?;
            match files::write(&path, bytes) {
                // The folder was deleted since it was made, by somebody who deletes it once.
                Err(_) if !chunks.exists() => {}
                written => break written?,
            }
        }
        files::sync_folder(chunks.parent().unwrap_or(chunks))
    }

    /// Every artifact, by digest.
    pub(super) fn artifacts(&self) -> Result<Vec<StoredArtifact>, StoreError> {
        let mut artifacts = Vec::new();
        let mut chunks = 0;
        for name in files::names(&self.root().join(layout::ARTIFACTS))? {
            // What somebody stored there under another name is no artifact.
            let Ok(digest) = Digest::parse(&name) else {
                continue;
            };
            if let Some((artifact, found)) = self.artifact(digest)? {
                artifacts.push(artifact);
                chunks += found;
            }
            if chunks > MAX_ARCHIVE_KEYS {
                return Err(too_many("chunks of artifacts"));
            }
        }
        artifacts.sort_unstable_by_key(|artifact| artifact.digest);
        Ok(artifacts)
    }

    /// An artifact, and how many chunks of it there are; none where there is none.
    fn artifact(&self, digest: Digest) -> Result<Option<(StoredArtifact, usize)>, StoreError> {
        let path = self.root().join(layout::ARTIFACTS).join(digest.to_string());
        let stamps = match files::stamps(&path) {
            Ok(stamps) => stamps,
            // Deleted since it was listed.
            Err(_) if !path.exists() => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut hasher = DefaultHasher::new();
        let mut last_chunk = None;
        for (name, stamp) in &stamps {
            if let Ok(index) = name.parse::<u32>() {
                (index, stamp).hash(&mut hasher);
                last_chunk = last_chunk.max(Some(index));
            }
        }
        let artifact = last_chunk.map(|last_chunk| StoredArtifact {
            digest,
            last_chunk,
            mark: hasher.finish(),
        });
        Ok(artifact.map(|artifact| (artifact, stamps.len())))
    }

    /// Deletes an artifact, if it and the documents are as they were.
    pub(super) fn delete_artifact(
        &self,
        artifact: &StoredArtifact,
        revision: u64,
    ) -> Result<bool, StoreError> {
        let _lock = self.lock(LockKind::Exclusive)?;
        self.recover()?;
        if self.settle()?.revision != revision {
            return Ok(false);
        }
        match self.artifact(artifact.digest)? {
            None => return Ok(true),
            Some((found, _)) if found != *artifact => return Ok(false),
            Some(_) => {}
        }
        let artifacts = self.root().join(layout::ARTIFACTS);
        let path = artifacts.join(artifact.digest.to_string());
        match fs::remove_dir_all(&path) {
            // Somebody is writing it anew.
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => return Ok(false),
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(files::failed("delete the folder", &path, &error));
            }
            _ => {}
        }
        files::sync_folder(&artifacts)?;
        Ok(true)
    }
}
