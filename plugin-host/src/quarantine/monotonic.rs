//! Time that only goes forward. Tests drive theirs.

use std::time::Instant;

/// Tells how much time has passed since some moment.
pub(crate) trait Monotonic: Send + Sync {
    /// Milliseconds since that moment.
    fn now_ms(&self) -> u64;
}

/// The machine's own.
pub(crate) struct MachineTime(Instant);

impl MachineTime {
    /// Counts from now.
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }
}

impl Monotonic for MachineTime {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
