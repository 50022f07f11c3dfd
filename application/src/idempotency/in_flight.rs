//! The keys that this node is at work on, so that a second request with one of them is told so before it costs anything.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::MerchantId;

use crate::ports::IdempotencyKey;

/// No more than requests may be in flight.
type Keys = HashSet<(MerchantId, IdempotencyKey)>;

/// All of them.
#[derive(Debug, Default)]
pub(super) struct KeysInFlight(Mutex<Keys>);

impl KeysInFlight {
    /// A place for the key, unless somebody has it.
    pub(super) fn take(self: &Arc<Self>, tenant: &MerchantId, key: &IdempotencyKey) -> Option<Place> {
        let name = (tenant.clone(), key.clone());
        self.keys().insert(name.clone()).then(|| Place {
            keys: Arc::clone(self),
            name,
        })
    }

    /// A set stays whole, whatever panicked meanwhile.
    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds a key until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    keys: Arc<KeysInFlight>,
    name: (MerchantId, IdempotencyKey),
}

impl Drop for Place {
    fn drop(&mut self) {
        self.keys.keys().remove(&self.name);
    }
}
