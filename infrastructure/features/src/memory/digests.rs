//! Maps whose keys are digests already.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map by digests that were made with a key of this process: nobody outside can choose two that fall together, so that they need
/// not be hashed a second time.
pub(super) type ByDigest<T> = HashMap<u64, T, BuildHasherDefault<TakesDigests>>;

/// Takes the one digest that it is given for its hash.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TakesDigests(u64);

impl Hasher for TakesDigests {
    /// The halves change places: the keys of one shard have what the lower bits decide in common, and the map puts them by these.
    fn write_u64(&mut self, digest: u64) {
        self.0 = digest.rotate_left(32);
    }

    /// No key of these maps comes this way; it would be a poor hash, and a right one.
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
