//! The clock of deadlines: a thread that advances the engine's epoch twice a millisecond.
//!
//! It is an operating-system thread and not a task: a task would wait behind the very guest that it is to interrupt. It keeps to
//! a schedule and makes up for ticks that came late, so that a deadline is one of the clock on the wall; unless it came so late
//! that the system had taken the machine away, from guests as well, which is no fault of theirs.
//!
//! While no guest runs, nobody looks at the clock, and the thread sleeps: an idle gateway wakes no machine.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use wasmtime::EngineWeak;

use crate::document::limits::MAX_DEADLINE_MS;
use crate::priority::Priority;

/// How long one epoch lasts. A deadline is exceeded by at most one of these: 5 % of the default deadline of 10 ms. Shorter ones
/// would wake an idle machine more often than a late answer is worth.
pub(crate) const TICK: Duration = Duration::from_micros(TICK_MICROS as u64);
const TICK_MICROS: u32 = 500;

/// Ticks that are made up for at a time: what the scheduler lets another thread run before this one, on a machine that has time
/// for the gateway: 4 ms. The thread has the priority of the gateway's own, so that it falls behind where they do, and not before.
pub(crate) const MAX_MADE_UP: u64 = 8;

/// After so many ticks in which no guest began, the thread sleeps: twice as long as any guest may run, so that whoever began
/// before is over. In ticks, as deadlines are.
const TICKS_TO_SLEEP: u64 = 2 * (MAX_DEADLINE_MS * 1_000 / TICK_MICROS) as u64;

/// How often a sleeping thread looks whether its engine is still there.
const LOOK: Duration = Duration::from_secs(1);

/// Where the epoch stands, and where it should.
#[derive(Debug)]
pub(crate) struct EpochClock {
    origin: Instant,
    /// A guest began since the thread last looked. Read by every guest and seldom written.
    wanted: AtomicBool,
    sleeps: AtomicBool,
    /// The thread that ticks.
    thread: OnceLock<Thread>,
    /// Ticks that were made.
    made: AtomicU64,
    /// Ticks that were due and never will be made.
    skipped: AtomicU64,
}

impl EpochClock {
    fn new() -> Self {
        Self {
            origin: Instant::now(),
            wanted: AtomicBool::new(true),
            sleeps: AtomicBool::new(false),
            thread: OnceLock::new(),
            made: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
        }
    }

    /// How many ticks should have been made by this time.
    fn due(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.origin).as_nanos() / TICK.as_nanos();
        let since = u64::try_from(since).unwrap_or(u64::MAX);
        since.saturating_sub(self.skipped.load(Ordering::Relaxed))
    }

    /// Which tick is the first after so much time from now: never early, at most one tick late. Of ticks that are late already
    /// those are counted that will be made up for.
    pub(crate) fn tick_after(&self, now: Instant, time: Duration) -> u64 {
        self.want();
        let (made, due) = (self.made.load(Ordering::Acquire), self.due(now));
        let late = due.saturating_sub(made).min(MAX_MADE_UP);
        let ahead = self.due(now + time).saturating_sub(due);
        made + late + ahead + 1
    }

    /// Sees that the clock runs. A sleeping thread sees the wish before it sleeps, or is seen to sleep here.
    fn want(&self) {
        if self.wanted.load(Ordering::Relaxed) {
            return;
        }
        self.wanted.store(true, Ordering::SeqCst);
        if self.sleeps.load(Ordering::SeqCst)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }

    /// Sleeps until a guest begins, or for a while. Only the ticking thread does.
    fn sleep(&self) {
        self.sleeps.store(true, Ordering::SeqCst);
        if !self.wanted.load(Ordering::SeqCst) {
            thread::park_timeout(LOOK);
        }
        self.sleeps.store(false, Ordering::SeqCst);
    }

    /// The last tick that was made.
    pub(crate) fn tick(&self) -> u64 {
        self.made.load(Ordering::Acquire)
    }

    /// When the next tick is due.
    fn next(&self) -> Instant {
        let past = self.made.load(Ordering::Relaxed) + self.skipped.load(Ordering::Relaxed);
        let nanos = u64::try_from(TICK.as_nanos()).unwrap_or(u64::MAX);
        self.origin + Duration::from_nanos(past.saturating_add(1).saturating_mul(nanos))
    }

    /// How many ticks to make at this time; those beyond are skipped for good. Only the ticking thread asks.
    fn take_due(&self, now: Instant) -> u64 {
        let late = self.due(now).saturating_sub(self.made.load(Ordering::Relaxed));
        let make = late.min(MAX_MADE_UP);
        self.skipped.fetch_add(late - make, Ordering::Relaxed);
        make
    }

    /// A tick was made. Counted after the epoch has advanced: who looks in between ends a tick late, and never early.
    fn was_made(&self) {
        self.made.fetch_add(1, Ordering::Release);
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
                Priority::PUNCTUAL.of_this_thread("epoch-ticker");
                let _first = clock.thread.set(thread::current());
                tick(&engine, &clock, &stop);
            }
        })?;
        Ok(Self {
            clock,
            stop,
            thread: Some(thread),
        })
    }

    /// Where it stands.
    pub(crate) fn clock(&self) -> &Arc<EpochClock> {
        &self.clock
    }
}

/// Ticks until it is told to stop, or the engine is gone.
fn tick(engine: &EngineWeak, clock: &EpochClock, stop: &AtomicBool) {
    let mut looked = clock.tick();
    while !stop.load(Ordering::SeqCst) {
        if clock.tick() >= looked + TICKS_TO_SLEEP {
            if !clock.wanted.swap(false, Ordering::SeqCst) {
                clock.sleep();
                if engine.upgrade().is_none() {
                    return;
                }
                continue;
            }
            looked = clock.tick();
        }
        thread::sleep(clock.next().saturating_duration_since(Instant::now()));
        let Some(engine) = engine.upgrade() else { return };
        for _ in 0..clock.take_due(Instant::now()) {
            engine.increment_epoch();
            clock.was_made();
        }
    }
}

impl Drop for EpochTicker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let Some(thread) = self.thread.take() else { return };
        thread.thread().unpark();
        if thread.join().is_err() {
            tracing::error!("the epoch ticker had panicked");
        }
    }
}

#[cfg(test)]
mod tests;
