//! Whether a node would take a release for what its component is.

use std::borrow::Cow;

use async_trait::async_trait;

use crate::artifact::{self, Artifact};
use crate::document::PolicyDocument;
use crate::load_error::LoadError;
use crate::store::PolicyStore;

use super::PublishError;

/// Does what a node does at load. [`crate::authoring::Examination`] is the one of the command line.
#[async_trait]
pub trait Examiner: Send {
    /// Holds a component against a document without a candidate.
    ///
    /// # Errors
    /// Why a node would refuse it.
    async fn examine(&mut self, document: &PolicyDocument, component: &[u8]) -> Result<(), LoadError>;
}

/// Holds every component of a document against what the document says of it. Those that are not given are fetched from the store.
pub(super) async fn examine(
    store: &dyn PolicyStore,
    document: &PolicyDocument,
    artifacts: &[Artifact],
    examiner: &mut dyn Examiner,
) -> Result<(), PublishError> {
    let name = &document.name;
    let parts = [Some(document.without_candidate()), document.promoted()];
    for part in parts.into_iter().flatten() {
        let given = artifacts
            .iter()
            .find(|artifact| artifact.reference() == &part.artifact);
        let component: Cow<'_, [u8]> = match given {
            Some(artifact) => Cow::Borrowed(artifact.bytes()),
            None => {
                let fetched = artifact::fetch(store, &part.artifact).await;
                Cow::Owned(fetched.map_err(|error| PublishError::artifact(name, error))?)
            }
        };
        let examined = examiner.examine(&part, &component).await;
        examined.map_err(|error| PublishError::load(name, &error))?;
    }
    Ok(())
}
