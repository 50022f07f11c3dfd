//! How urgent a thread of this crate is to the system's scheduler. All of it is a wish: where it is not granted, everything works
//! as well as the machine is idle.

use std::io;
use std::time::Duration;

/// What a thread wants of the processor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Priority {
    /// How nice it is to others.
    pub(crate) niceness: i32,
    /// How long it would like to run once it runs. Linux since 6.12 lets a thread that wakes up take over at once from one with
    /// a longer slice; otherwise it waits until that has had its own, some 3 ms where nothing is said.
    pub(crate) slice: Duration,
}

impl Priority {
    /// A thread that computes for long, beside those that serve payments.
    pub(crate) const fn background(niceness: i32) -> Self {
        Self {
            niceness,
            // Longer than what threads have that say nothing, and not much longer: what it computed beyond its share it has
            // to wait for.
            slice: Duration::from_millis(5),
        }
    }

    /// A thread that has little to do, on time.
    pub(crate) const PUNCTUAL: Self = Self {
        niceness: 0,
        // The shortest that there is.
        slice: Duration::from_micros(100),
    };

    /// Asks for it, for the calling thread and those that it starts.
    pub(crate) fn of_this_thread(self, thread: &str) {
        if let Err(error) = self.ask() {
            tracing::debug!(thread, priority = ?self, %error, "a thread keeps its priority");
        }
    }

    #[cfg(target_os = "linux")]
    fn ask(self) -> io::Result<()> {
        let nanos = u64::try_from(self.slice.as_nanos()).unwrap_or(u64::MAX);
        let attributes = libc::sched_attr {
            size: u32::try_from(size_of::<libc::sched_attr>()).unwrap_or_default(),
            sched_policy: u32::try_from(libc::SCHED_OTHER).unwrap_or_default(),
            sched_flags: 0,
            sched_nice: self.niceness,
            sched_priority: 0,
            sched_runtime: nanos,
            sched_deadline: 0,
            sched_period: 0,
        };
        const THIS_THREAD: libc::pid_t = 0;
        const NO_FLAGS: libc::c_uint = 0;
        #[expect(
            unsafe_code,
            reason = "no crate has a safe call for it; it reads one structure of the size that is stated in it"
        )]
        // SAFETY: the structure lives until the call returns, is of the system's own layout, and is only read.
        let status = unsafe {
            libc::syscall(
                libc::SYS_sched_setattr,
                THIS_THREAD,
                &raw const attributes,
                NO_FLAGS,
            )
        };
        if status == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn ask(self) -> io::Result<()> {
        Ok(rustix::process::setpriority_process(None, self.niceness)?)
    }
}
