//! Keys to the HTTP interface: a store in memory, and secrets in a row.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use application::ports::{ApiKeySecrets, ApiKeyStore, ApiKeyStoreError, NoRandomness, Page};
use async_trait::async_trait;
use domain::ApiKeyId;
use domain::access::{ApiKey, SecretDigest};

#[derive(Default)]
struct Stored {
    keys: BTreeMap<String, ApiKey>,
    revision: u64,
}

/// Keeps keys in memory; told to, does not answer.
#[derive(Default)]
pub struct InMemoryApiKeyStore {
    stored: Mutex<Stored>,
    is_away: AtomicBool,
    listings: AtomicU64,
}

impl InMemoryApiKeyStore {
    /// Whether it answers from now on.
    pub fn set_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
    }

    /// How many pages were asked for.
    pub fn listings(&self) -> u64 {
        self.listings.load(Ordering::SeqCst)
    }

    fn check(&self) -> Result<(), ApiKeyStoreError> {
        if self.is_away.load(Ordering::SeqCst) {
            return Err(ApiKeyStoreError::Unavailable {
                reason: "away".to_owned(),
            });
        }
        Ok(())
    }
}

#[async_trait]
impl ApiKeyStore for InMemoryApiKeyStore {
    async fn save(&self, key: &mut ApiKey) -> Result<(), ApiKeyStoreError> {
        self.check()?;
        let mut stored = self.stored.lock().unwrap();
        let found = stored.keys.get(key.id.as_str()).map_or(0, |found| found.version);
        let id = key.id.clone();
        if found != key.version {
            return Err(match key.version {
                0 => ApiKeyStoreError::AlreadyExists { id },
                _ => ApiKeyStoreError::Conflict { id },
            });
        }
        key.version += 1;
        stored.revision += 1;
        stored.keys.insert(id.to_string(), key.clone());
        Ok(())
    }

    async fn find(&self, id: &ApiKeyId) -> Result<Option<ApiKey>, ApiKeyStoreError> {
        self.check()?;
        Ok(self.stored.lock().unwrap().keys.get(id.as_str()).cloned())
    }

    async fn list(&self, after: Option<&ApiKeyId>, limit: usize) -> Result<Page<ApiKey>, ApiKeyStoreError> {
        self.check()?;
        self.listings.fetch_add(1, Ordering::SeqCst);
        let stored = self.stored.lock().unwrap();
        let mut behind = stored
            .keys
            .values()
            .filter(|key| after.is_none_or(|after| key.id.as_str() > after.as_str()));
        let items = behind.by_ref().take(limit).cloned().collect();
        Ok(Page {
            items,
            has_more: behind.next().is_some(),
        })
    }

    async fn revision(&self) -> Result<u64, ApiKeyStoreError> {
        self.check()?;
        Ok(self.stored.lock().unwrap().revision)
    }
}

/// Makes `key_00…1`, `key_00…2`, and secrets of the bytes 1, 2…
#[derive(Debug, Default)]
pub struct CountingApiKeySecrets {
    ids: AtomicU64,
    secrets: AtomicU64,
}

impl ApiKeySecrets for CountingApiKeySecrets {
    fn api_key_id(&self) -> ApiKeyId {
        let count = self.ids.fetch_add(1, Ordering::SeqCst) + 1;
        ApiKeyId::parse(&format!("key_{count:032x}")).unwrap()
    }

    fn secret(&self) -> Result<[u8; 32], NoRandomness> {
        let count = self.secrets.fetch_add(1, Ordering::SeqCst) + 1;
        Ok([u8::try_from(count % 251).unwrap(); 32])
    }

    fn digest(&self, secret: &[u8; 32]) -> SecretDigest {
        let mut digest = [0; 32];
        for (position, bytes) in digest.chunks_mut(8).enumerate() {
            let mut hasher = DefaultHasher::new();
            (position, secret).hash(&mut hasher);
            bytes.copy_from_slice(&hasher.finish().to_le_bytes());
        }
        SecretDigest(digest)
    }
}
