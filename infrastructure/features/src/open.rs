//! The feature store that the configuration asks for.

use std::sync::Arc;

use application::ports::FeatureStore;

use crate::config::{Config, ConfigError, StoreKind};
use crate::lists::SubjectLists;
use crate::memory::MemoryFeatureStore;
use crate::redis::{RedisFeatureStore, SubjectKey};

/// What came of it.
#[derive(Clone)]
pub struct OpenedFeatures {
    /// The store.
    pub store: Arc<dyn FeatureStore>,
    /// The lists that it looks up, to be followed.
    pub lists: Arc<SubjectLists>,
    /// The same store where it is one in memory, which begins empty and can be told of the past; none where it is Redis,
    /// which remembers by itself.
    pub to_be_told: Option<Arc<MemoryFeatureStore>>,
}

/// Makes the store, with the lists of the configuration. Called inside a tokio runtime; waits for nobody, so that a gateway
/// starts without Redis too.
///
/// # Errors
/// When a list or the address of Redis cannot be used as it is written.
pub fn open(config: &Config, key: SubjectKey) -> Result<OpenedFeatures, ConfigError> {
    let lists = Arc::new(SubjectLists::new(&config.lists).map_err(ConfigError::Lists)?);
    let memory = match config.store {
        StoreKind::Memory => Arc::new(MemoryFeatureStore::with_lists(config, Arc::clone(&lists))),
        StoreKind::Redis => {
            let store = RedisFeatureStore::open(config, key, Arc::clone(&lists));
            return Ok(OpenedFeatures {
                store: Arc::new(store.map_err(ConfigError::Redis)?),
                lists,
                to_be_told: None,
            });
        }
    };
    Ok(OpenedFeatures {
        store: Arc::clone(&memory) as _,
        lists,
        to_be_told: Some(memory),
    })
}
