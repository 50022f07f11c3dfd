//! The keys that work, in memory, so that no request waits for a database to learn who it is from.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use domain::access::{ApiKey, ApiKeyName, Grant, PreviousSecret, SecretDigest};
use domain::{ApiKeyId, Timestamp};

use super::token::ApiKeyToken;
use crate::ports::{ApiKeySecrets, ApiKeyStore, ApiKeyStoreError, Clock, Timer};

/// How often the store is asked whether a key has changed: twice in the second within which a revoked key has to stop working.
const REFRESH: Duration = Duration::from_millis(500);

/// For how long keys are taken that could not be compared with the store, in milliseconds. A store that restarts is back within it; one
/// that is away for longer may hold a revocation that this gateway does not know of.
const MAX_AGE_MS: u64 = 60_000;

/// How many keys are read at once.
const PAGE_KEYS: usize = 1_000;

/// How many keys work at most: some 300 bytes each. Further ones are left out, and that is logged.
const MAX_KEYS: usize = 100_000;

/// Whoever sent a request, by his key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The key's name.
    pub key_id: ApiKeyId,
    /// What its owner calls it.
    pub name: ApiKeyName,
    /// What it is good for.
    pub grant: Grant,
}

/// What is known of a key that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recognized {
    /// It works.
    Caller(Arc<Caller>),
    /// There is no such key, it has another secret, or it does not work any more.
    Unknown,
    /// It cannot be told: the keys could not be compared with the store for too long.
    OutOfDate,
}

/// A key, as far as requests need it.
struct Entry {
    caller: Arc<Caller>,
    digest: SecretDigest,
    previous: Option<PreviousSecret>,
    expires_at: Option<Timestamp>,
}

#[derive(Default)]
struct Keys {
    by_digits: HashMap<Box<str>, Entry>,
    /// Of the store, before it was read.
    revision: Option<u64>,
    /// Which of all refreshes brought them.
    refresh: u64,
    compared_at: Option<Timestamp>,
}

/// Every key that works.
pub struct ApiKeyRing {
    store: Arc<dyn ApiKeyStore>,
    secrets: Arc<dyn ApiKeySecrets>,
    clock: Arc<dyn Clock>,
    keys: RwLock<Keys>,
    refreshes: AtomicU64,
}

impl ApiKeyRing {
    /// An empty ring; [`refresh`](Self::refresh) fills it.
    #[must_use]
    pub fn new(store: Arc<dyn ApiKeyStore>, secrets: Arc<dyn ApiKeySecrets>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            secrets,
            clock,
            keys: RwLock::default(),
            refreshes: AtomicU64::new(0),
        }
    }

    /// Whose key this is. Costs one hash and one look-up whatever is sent, and allocates nothing.
    #[must_use]
    pub fn recognize(&self, token: &ApiKeyToken<'_>) -> Recognized {
        // Also of a key that nobody has, so that all take the same time.
        let digest = self.secrets.digest(token.secret());
        let now = self.clock.now();
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let age_ms = keys
            .compared_at
            .map(|at| now.unix_millis().saturating_sub(at.unix_millis()));
        if age_ms.is_none_or(|age_ms| age_ms > MAX_AGE_MS) {
            return Recognized::OutOfDate;
        }
        let Some(entry) = keys.by_digits.get(token.id_digits()) else {
            return Recognized::Unknown;
        };
        let is_previous = entry
            .previous
            .is_some_and(|previous| previous.digest.matches(&digest) && now < previous.valid_until);
        let is_alive = entry.expires_at.is_none_or(|end| now < end);
        if is_alive && (entry.digest.matches(&digest) || is_previous) {
            Recognized::Caller(Arc::clone(&entry.caller))
        } else {
            Recognized::Unknown
        }
    }

    /// Takes over what has changed in the store.
    ///
    /// # Errors
    /// When the store does not answer; what was known stays.
    pub async fn refresh(&self) -> Result<(), ApiKeyStoreError> {
        let refresh = self.refreshes.fetch_add(1, Ordering::AcqRel) + 1;
        let now = self.clock.now();
        // Before the keys: one that changes while they are read leads to another reading.
        let revision = self.store.revision().await?;
        {
            let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
            if keys.revision == Some(revision) {
                keys.compared_at = Some(now);
                return Ok(());
            }
        }
        let by_digits = self.read_all(now).await?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        // Of two that read at once, what the one read that began later is as new at the least.
        if keys.refresh < refresh {
            *keys = Keys {
                by_digits,
                revision: Some(revision),
                refresh,
                compared_at: Some(now),
            };
        }
        Ok(())
    }

    /// Refreshes for ever, twice a second. What goes wrong is logged when it begins and when it ends.
    pub async fn follow(&self, timer: &dyn Timer) {
        let mut is_failing = false;
        loop {
            let refreshed = self.refresh().await;
            match &refreshed {
                Ok(()) if is_failing => tracing::info!("the API keys are up to date again"),
                Err(error) if !is_failing => {
                    tracing::warn!(%error, "the API keys cannot be compared with the store");
                }
                Ok(()) | Err(_) => {}
            }
            is_failing = refreshed.is_err();
            timer.pause(REFRESH).await;
        }
    }

    async fn read_all(&self, now: Timestamp) -> Result<HashMap<Box<str>, Entry>, ApiKeyStoreError> {
        let mut entries = HashMap::new();
        let mut after: Option<ApiKeyId> = None;
        loop {
            let page = self.store.list(after.as_ref(), PAGE_KEYS).await?;
            after = page.items.last().map(|last| last.id.clone());
            for key in page.items.into_iter().filter(|key| key.is_valid_at(now)) {
                if entries.len() >= MAX_KEYS {
                    tracing::error!(keys = MAX_KEYS, "there are more API keys than are taken");
                    return Ok(entries);
                }
                if let Some(digits) = ApiKeyToken::digits_of(&key.id) {
                    entries.insert(digits.into(), Entry::from(key));
                }
            }
            if !page.has_more || after.is_none() {
                return Ok(entries);
            }
        }
    }
}

impl From<ApiKey> for Entry {
    fn from(key: ApiKey) -> Self {
        Self {
            digest: key.digest,
            previous: key.previous,
            expires_at: key.expires_at,
            caller: Arc::new(Caller {
                key_id: key.id,
                name: key.name,
                grant: key.grant,
            }),
        }
    }
}
