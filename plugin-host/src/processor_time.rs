//! How long a thread has had a processor. Unlike time on the wall it says nothing of what else the machine was busy with.

use std::time::Duration;

/// Of the calling thread, since it began; none where the system does not tell.
#[cfg(target_os = "linux")]
pub(crate) fn of_this_thread() -> Option<Duration> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    #[expect(
        unsafe_code,
        reason = "rustix has it behind a feature that would build the engine twice; the system writes one structure of its own layout"
    )]
    // SAFETY: `time` is a valid structure of the type that the call writes, and lives until it returns.
    let told = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).ok()?;
    let nanos = u32::try_from(time.tv_nsec).ok()?;
    (told == 0).then(|| Duration::new(seconds, nanos))
}

/// Of the calling thread: not told on this system.
#[cfg(not(target_os = "linux"))]
pub(crate) const fn of_this_thread() -> Option<Duration> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_while_the_thread_computes_and_never_faster_than_the_wall() {
        let wall = std::time::Instant::now();
        let first = of_this_thread().unwrap();
        let mut last = first;
        while last < first + Duration::from_millis(2) {
            last = of_this_thread().unwrap();
        }
        assert!(last - first <= wall.elapsed() + Duration::from_millis(1));
    }
}
