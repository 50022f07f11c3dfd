//! Time that a test moves by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::quarantine::Monotonic;

/// Stands at zero until it is moved; every clone shows the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hand(Arc<AtomicU64>);

impl Hand {
    /// Lets so many milliseconds pass.
    pub(crate) fn forward(&self, milliseconds: u64) {
        self.0.fetch_add(milliseconds, Ordering::Relaxed);
    }
}

impl Monotonic for Hand {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
