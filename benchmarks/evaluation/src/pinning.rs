//! Which core a thread runs on.

use rustix::thread::{CpuSet, sched_setaffinity};

/// Keeps this thread on one core. Threads that it starts from here on are kept there too.
///
/// # Panics
/// When there is no such core.
pub(crate) fn pin(core: usize) {
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).unwrap_or_else(|error| panic!("core {core}: {error}"));
}
