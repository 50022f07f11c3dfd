//! Waiting for a state.

use std::time::{Duration, Instant};

/// How long a state may take to come: far longer than it does, so that only a defect runs into it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a state is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// Looks until there is something to see.
///
/// # Panics
/// When it does not come; says what was waited for.
pub fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    eventually_within(PATIENCE, what, look)
}

/// The same for what may take longer than anything else does.
///
/// # Panics
/// When it does not come; says what was waited for.
pub fn eventually_within<T>(patience: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(
            started.elapsed() < patience,
            "waited {patience:?} in vain for: {what}"
        );
        std::thread::sleep(GLANCE);
    }
}
