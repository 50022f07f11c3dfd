//! How urgent a thread of this crate is to the system's scheduler.

/// Sets how nice the calling thread is. Without the right to it the thread keeps its priority, and all works as well as the
/// machine is idle.
pub(crate) fn of_this_thread(thread: &str, niceness: i32) {
    // On Linux this is the calling thread alone, whatever the name of the call says.
    if let Err(error) = rustix::process::setpriority_process(None, niceness) {
        tracing::debug!(thread, niceness, %error, "a thread keeps its priority");
    }
}
