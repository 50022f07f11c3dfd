//! Artifacts: the bytes of components, stored in chunks and named by their digest.

use std::fmt;

use bytes::Bytes;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::digest::{Digest, Hasher};
use crate::document::strict::bounded;
use crate::store::{PolicyStore, StoreError};

/// Bytes of a chunk; only the last one is shorter. etcd takes requests of 1.5 MiB, so a chunk is one request.
pub const CHUNK_BYTES: usize = 1024 * 1024;

/// The largest artifact, in bytes: 64 MiB, three times an interpreter of Python with a policy in it.
pub const MAX_ARTIFACT_BYTES: u64 = 64 * 1024 * 1024;

/// An artifact as a document names it. The number of chunks follows from the size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ArtifactRef {
    digest: Digest,
    size: u64,
}

/// A size that no artifact has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("found an artifact of {found} bytes, expected 1 to {MAX_ARTIFACT_BYTES}")]
pub struct ArtifactSizeError {
    /// The size.
    pub found: u64,
}

impl ArtifactRef {
    /// Names an artifact of a possible size.
    ///
    /// # Errors
    /// When it is empty or larger than [`MAX_ARTIFACT_BYTES`].
    pub const fn new(digest: Digest, size: u64) -> Result<Self, ArtifactSizeError> {
        if size == 0 || size > MAX_ARTIFACT_BYTES {
            return Err(ArtifactSizeError { found: size });
        }
        Ok(Self { digest, size })
    }

    /// Its digest.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// How many bytes it has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// How many chunks it is stored in.
    #[must_use]
    pub fn chunks(&self) -> u32 {
        // At most 64, because the size is bounded.
        u32::try_from(self.size.div_ceil(CHUNK_BYTES as u64)).unwrap_or(u32::MAX)
    }

    /// How many bytes this chunk has.
    fn chunk_bytes(&self, index: u32) -> u64 {
        let before = u64::from(index) * CHUNK_BYTES as u64;
        self.size.saturating_sub(before).min(CHUNK_BYTES as u64)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ArtifactRefWire {
    digest: Digest,
    #[serde(deserialize_with = "size")]
    size: u64,
    #[serde(deserialize_with = "chunks")]
    chunks: u32,
}

fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    bounded(deserializer, 1, MAX_ARTIFACT_BYTES)
}

fn chunks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let chunks = bounded(deserializer, 1, MAX_ARTIFACT_BYTES.div_ceil(CHUNK_BYTES as u64))?;
    u32::try_from(chunks).map_err(D::Error::custom)
}

impl Serialize for ArtifactRef {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ArtifactRefWire {
            digest: self.digest,
            size: self.size,
            chunks: self.chunks(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ArtifactRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = ArtifactRefWire::deserialize(deserializer)?;
        let artifact = Self::new(wire.digest, wire.size).map_err(D::Error::custom)?;
        if artifact.chunks() != wire.chunks {
            return Err(D::Error::custom(format!(
                "found chunks {}, expected {} for a size of {} at {CHUNK_BYTES} bytes a chunk",
                wire.chunks,
                artifact.chunks(),
                wire.size
            )));
        }
        Ok(artifact)
    }
}

/// An artifact in memory, with its name.
#[derive(Clone, PartialEq, Eq)]
pub struct Artifact {
    reference: ArtifactRef,
    bytes: Bytes,
}

impl Artifact {
    /// Names these bytes.
    ///
    /// # Errors
    /// When there are none, or more than [`MAX_ARTIFACT_BYTES`].
    pub fn new(bytes: impl Into<Bytes>) -> Result<Self, ArtifactSizeError> {
        let bytes = bytes.into();
        // The size first: nothing is hashed that is too large anyway.
        ArtifactRef::new(Digest::from_bytes([0; 32]), bytes.len() as u64)?;
        let reference = ArtifactRef::new(Digest::of(&bytes), bytes.len() as u64)?;
        Ok(Self { reference, bytes })
    }

    /// Bytes that were found to be those that this names.
    pub(crate) const fn verified(reference: ArtifactRef, bytes: Bytes) -> Self {
        Self { reference, bytes }
    }

    /// How a document names it.
    #[must_use]
    pub const fn reference(&self) -> &ArtifactRef {
        &self.reference
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Its chunks with their numbers, in order; nothing is copied.
    pub fn chunks(&self) -> impl Iterator<Item = (u32, Bytes)> + '_ {
        (0..self.reference.chunks()).map(|index| {
            let start = (index as usize * CHUNK_BYTES).min(self.bytes.len());
            let end = (start + CHUNK_BYTES).min(self.bytes.len());
            (index, self.bytes.slice(start..end))
        })
    }
}

impl fmt::Debug for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.reference, f)
    }
}

/// Why an artifact could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// A chunk is not in the store.
    #[error("chunk {index} of {digest} is missing: the artifact was not stored completely; publish it again")]
    ChunkMissing {
        /// Of which artifact.
        digest: Digest,
        /// Which chunk, from 0.
        index: u32,
    },
    /// A chunk is longer or shorter than the size in the document says.
    #[error("chunk {index} of {digest} has {found} bytes, expected {expected}")]
    ChunkSize {
        /// Of which artifact.
        digest: Digest,
        /// Which chunk, from 0.
        index: u32,
        /// How many bytes it should have.
        expected: u64,
        /// How many it has.
        found: u64,
    },
    /// The bytes are others than those that the document names.
    #[error("the stored bytes are {found}, expected {expected}")]
    DigestMismatch {
        /// What the document names.
        expected: Digest,
        /// What is stored.
        found: Digest,
    },
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ArtifactError {
    /// The stable name of what is wrong.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ChunkMissing { .. } => "chunk_missing",
            Self::ChunkSize { .. } => "chunk_size",
            Self::DigestMismatch { .. } => "digest_mismatch",
            Self::Store(error) => error.code(),
        }
    }
}

/// Brings an artifact from the store, chunk by chunk, and gives it out only when size and digest are those of the document:
/// nobody looks at bytes that nobody vouched for. Takes no more memory than the size that the document states, and one
/// chunk.
///
/// # Errors
/// When a chunk is missing or has another size, when the digest differs, and when the store does not answer.
pub async fn fetch(store: &dyn PolicyStore, artifact: &ArtifactRef) -> Result<Vec<u8>, ArtifactError> {
    let digest = *artifact.digest();
    // Bounded by MAX_ARTIFACT_BYTES, which fits any usize the gateway is built for.
    let mut bytes = Vec::with_capacity(usize::try_from(artifact.size()).unwrap_or(0));
    let mut hasher = Hasher::new();
    for index in 0..artifact.chunks() {
        let chunk = store
            .chunk(&digest, index)
            .await?
            .ok_or(ArtifactError::ChunkMissing { digest, index })?;
        let expected = artifact.chunk_bytes(index);
        let found = chunk.len() as u64;
        if found != expected {
            return Err(ArtifactError::ChunkSize {
                digest,
                index,
                expected,
                found,
            });
        }
        hasher.update(&chunk);
        bytes.extend_from_slice(&chunk);
    }
    let found = hasher.finish();
    if found != digest {
        return Err(ArtifactError::DigestMismatch {
            expected: digest,
            found,
        });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
