//! What a node does at load, for whoever publishes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use async_trait::async_trait;

use crate::digest::Digest;
use crate::document::PolicyDocument;
use crate::load_error::LoadError;
use crate::publish::Examiner;

use super::{LoadedPolicy, Workbench};

/// A workbench that compiles each component once, however many documents it is held against.
pub struct Examination {
    workbench: Workbench,
    loaded: HashMap<Digest, LoadedPolicy>,
}

impl Examination {
    /// Examines on this workbench.
    #[must_use]
    pub fn on(workbench: Workbench) -> Self {
        Self {
            workbench,
            loaded: HashMap::new(),
        }
    }

    /// Loads a component, where it is not loaded yet.
    ///
    /// # Errors
    /// Why a node would refuse it.
    pub async fn load(&mut self, component: &[u8]) -> Result<&LoadedPolicy, LoadError> {
        match self.loaded.entry(Digest::of(component)) {
            Entry::Occupied(loaded) => Ok(loaded.into_mut()),
            Entry::Vacant(place) => Ok(place.insert(self.workbench.load(component).await?)),
        }
    }
}

#[async_trait]
impl Examiner for Examination {
    async fn examine(&mut self, document: &PolicyDocument, component: &[u8]) -> Result<(), LoadError> {
        self.load(component).await?.verify(document).map(drop)
    }
}
