//! Artifacts on the disk of this node, each under its digest.

use std::path::PathBuf;
use std::sync::Arc;

use super::files::{self, Durability};
use super::folder::{ARTIFACTS, set_aside};
use super::writer::Place;
use crate::artifact::{Artifact, ArtifactRef};
use crate::digest::Digest;

/// Where the artifacts of the last good set are, and of those before it until they are cleared away.
#[derive(Clone)]
pub(crate) struct ArtifactShelf {
    place: Arc<Place>,
}

impl ArtifactShelf {
    pub(super) const fn new(place: Arc<Place>) -> Self {
        Self { place }
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.place.root.join(ARTIFACTS).join(digest.hexadecimal())
    }

    /// The bytes of an artifact, where they are here and are those that its digest names. Blocks.
    pub(crate) fn take(&self, artifact: &ArtifactRef) -> Option<Vec<u8>> {
        let path = self.path(artifact.digest());
        let problem = match files::read(&path, artifact.size()) {
            Ok(None) => return None,
            Ok(Some(bytes)) if Digest::of(&bytes) == *artifact.digest() => return Some(bytes),
            Ok(Some(_)) => "its bytes are not those that its digest names".to_owned(),
            Err(error) => error.to_string(),
        };
        tracing::error!(path = %path.display(), error = problem, "an artifact that this node kept is set aside");
        if let Err(error) = set_aside(&self.place.root, &path) {
            tracing::error!(path = %path.display(), %error, "it cannot be set aside");
        }
        None
    }

    /// Whether an artifact is here, by its length: its bytes are looked at when they are taken.
    pub(super) fn holds(&self, artifact: &ArtifactRef) -> bool {
        let found = std::fs::symlink_metadata(self.path(artifact.digest()));
        found.is_ok_and(|found| found.is_file() && found.len() == artifact.size())
    }

    /// Writes an artifact, where it is not there. Blocks.
    pub(super) fn put(&self, artifact: &Artifact) -> std::io::Result<()> {
        if self.holds(artifact.reference()) {
            return Ok(());
        }
        let path = self.path(artifact.reference().digest());
        files::create_folder(&self.place.root.join(ARTIFACTS))?;
        files::write(&path, &[artifact.bytes()], Durability::Durable)
    }
}
