//! The clock of deadlines: a thread that advances the engine's epoch once a millisecond.
//!
//! It is an operating-system thread and not a task: a task would wait behind the very guest that it is to interrupt. It keeps to
//! a schedule: a tick that came late does not put off those after it, so that a deadline is one of the clock on the wall.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use wasmtime::EngineWeak;

use crate::priority;

/// How long one epoch lasts. A deadline is exceeded by at most one of these: 10 % of the default deadline of 10 ms.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// How nice the thread is, where the system allows it: before everything else of the gateway, since it computes for some
/// microseconds a tick, and all deadlines wait for it.
const NICENESS: i32 = -10;

/// Where the epoch stands, and where it should.
#[derive(Debug)]
pub(crate) struct EpochClock {
    origin: Instant,
    ticks: AtomicU64,
}

impl EpochClock {
    fn new() -> Self {
        Self {
            origin: Instant::now(),
            ticks: AtomicU64::new(0),
        }
    }

    /// The tick that is due at this time.
    fn due(&self, at: Instant) -> u64 {
        let ticks = at.saturating_duration_since(self.origin).as_nanos() / TICK.as_nanos();
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }

    /// How many ticks are still to come before all of this time is over: never early, at most one tick late.
    pub(crate) fn ticks_until(&self, end: Instant) -> u64 {
        let last = self.due(end).saturating_add(1);
        last.saturating_sub(self.ticks.load(Ordering::Relaxed)).max(1)
    }

    /// When the tick after those that were made is due.
    fn next(&self) -> Instant {
        let next = self.ticks.load(Ordering::Relaxed).saturating_add(1);
        self.origin
            + Duration::from_nanos(next.saturating_mul(u64::try_from(TICK.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// Owns the thread; dropping it stops and joins the thread.
pub(crate) struct EpochTicker {
    clock: Arc<EpochClock>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl EpochTicker {
    /// Starts to tick. The thread ends by itself when the engine is gone.
    pub(crate) fn start(engine: EngineWeak) -> io::Result<Self> {
        let clock = Arc::new(EpochClock::new());
        let stop = Arc::new(AtomicBool::new(false));
        let thread = thread::Builder::new().name("epoch-ticker".to_owned()).spawn({
            let (clock, stop) = (Arc::clone(&clock), Arc::clone(&stop));
            move || {
                priority::of_this_thread("epoch-ticker", NICENESS);
                while !stop.load(Ordering::Relaxed) {
                    thread::sleep(clock.next().saturating_duration_since(Instant::now()));
                    let Some(engine) = engine.upgrade() else { return };
                    let due = clock.due(Instant::now());
                    while clock.ticks.load(Ordering::Relaxed) < due {
                        engine.increment_epoch();
                        clock.ticks.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        })?;
        Ok(Self {
            clock,
            stop,
            thread: Some(thread),
        })
    }

    /// Where it stands.
    pub(crate) fn clock(&self) -> &EpochClock {
        &self.clock
    }
}

impl Drop for EpochTicker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the epoch ticker had panicked");
        }
    }
}

#[cfg(test)]
mod tests;
