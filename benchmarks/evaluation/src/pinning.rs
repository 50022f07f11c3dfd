//! Which core a thread runs on.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// A thread that is kept on one core, and goes where it could before when this is dropped. Threads that it starts meanwhile are
/// kept there too, and stay.
pub(crate) struct Pinned {
    before: CpuSet,
}

impl Pinned {
    /// Keeps this thread on a core.
    ///
    /// # Panics
    /// When there is no such core.
    pub(crate) fn to(core: usize) -> Self {
        let before = sched_getaffinity(None).expect("the cores of this thread");
        let mut cores = CpuSet::new();
        cores.set(core);
        sched_setaffinity(None, &cores).unwrap_or_else(|error| panic!("core {core}: {error}"));
        Self { before }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // It could go there before.
        sched_setaffinity(None, &self.before).expect("the cores that it had");
    }
}
