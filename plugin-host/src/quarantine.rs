//! Taking a release that faults too often out of service, and letting it back in.
//!
//! Each release counts its evaluations and faults in a sliding window. Where the share of faults is too high, the release is
//! *quarantined*: it decides nothing until a number of probes in a row have answered. A probe is an evaluation of a real
//! payment whose result is counted and goes nowhere else. While a release is healthy this costs a reading of the clock and
//! two relaxed operations on atomics; a lock is taken only where a quarantine begins, ends or is shown.

mod config;
mod monotonic;
mod window;

use config::MILLION;
pub use config::{QuarantineConfig, QuarantineConfigError};
pub(crate) use monotonic::{MachineTime, Monotonic};

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use application::ports::Clock;
use domain::Timestamp;
use domain::risk::FaultKind;
use tokio::sync::Notify;

use window::{Totals, Window};

/// The least that something is concluded from, however long each takes.
const FEWEST_EVALUATIONS: u32 = 5;

/// What the quarantines of a node have in common.
pub(crate) struct Supervision {
    config: QuarantineConfig,
    time: Box<dyn Monotonic>,
    clock: Arc<dyn Clock>,
    changed: Arc<Notify>,
    /// The share of faults that is too much, in millionths: exact where it is met exactly.
    too_many_ppm: u64,
}

impl Supervision {
    /// `changed` is told whenever a quarantine begins or ends.
    pub(crate) fn new(
        config: QuarantineConfig,
        time: Box<dyn Monotonic>,
        clock: Arc<dyn Clock>,
        changed: Arc<Notify>,
    ) -> Self {
        Self {
            too_many_ppm: config.fault_ratio_ppm(),
            config,
            time,
            clock,
            changed,
        }
    }

    /// Whether releases are quarantined on this node at all.
    pub(crate) const fn is_enabled(&self) -> bool {
        self.config.enabled
    }
}

/// The quarantine of one release: whether it is in it, and the counts by which it gets there and back.
pub(crate) struct Quarantine {
    supervision: Arc<Supervision>,
    /// Nothing is concluded from fewer evaluations.
    minimum_evaluations: u32,
    window: Window,
    /// Odd while quarantined; one more with every beginning and end, so that what belongs to an earlier one is known.
    phase: AtomicU32,
    /// Probes in a row that answered.
    answered: AtomicU32,
    /// From when on a probe may be made, in milliseconds; `u64::MAX` while one is under way.
    next_probe_ms: AtomicU64,
    episode: Mutex<Option<Episode>>,
}

/// Why a release is quarantined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Episode {
    /// Since when.
    pub(crate) since: Timestamp,
    /// Evaluations that were counted when it began.
    pub(crate) evaluations: u32,
    /// Those of them that were faults.
    pub(crate) faults: u32,
    /// The last of these.
    pub(crate) last_fault: FaultKind,
}

/// The right to run a quarantined release once. Where it is dropped without a result, as if nothing had been.
pub(crate) struct Probe {
    quarantine: Arc<Quarantine>,
    phase: u32,
}

/// What came of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProbeResult {
    /// The release answered.
    Answered,
    /// It faulted.
    Faulted,
    /// The node had no room to run it, which says nothing about it.
    Unavailable,
}

impl ProbeResult {
    /// All of them, in the order of their declaration.
    pub(crate) const ALL: [Self; 3] = [Self::Answered, Self::Faulted, Self::Unavailable];

    /// The stable name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Faulted => "faulted",
            Self::Unavailable => "unavailable",
        }
    }

    /// What an evaluation is to a probe.
    pub(crate) fn of(fault: Option<FaultKind>) -> Self {
        match fault {
            None => Self::Answered,
            Some(kind) if speaks_against_the_release(kind) => Self::Faulted,
            Some(_) => Self::Unavailable,
        }
    }
}

/// Whether a fault speaks against the release: where the node had no room, or did not run it, nothing was learned.
pub(crate) const fn speaks_against_the_release(kind: FaultKind) -> bool {
    !matches!(kind, FaultKind::Unavailable | FaultKind::Quarantined)
}

impl Quarantine {
    /// A release that is new, and therefore healthy, and whose evaluations may take up to so long.
    pub(crate) fn new(supervision: Arc<Supervision>, deadline: Duration) -> Self {
        let config = &supervision.config;
        // One that burns a long deadline is never evaluated as often as others: where a thread gets fewer done in half a
        // window, so many tell enough.
        let deadline_ms = deadline.as_millis().max(1);
        let done = u128::from(config.window_ms / 2) / deadline_ms;
        let done = u32::try_from(done).unwrap_or(u32::MAX).max(FEWEST_EVALUATIONS);
        Self {
            minimum_evaluations: config.minimum_evaluations.min(done),
            window: Window::new(supervision.config.window_ms),
            supervision,
            phase: AtomicU32::new(0),
            answered: AtomicU32::new(0),
            next_probe_ms: AtomicU64::new(0),
            episode: Mutex::new(None),
        }
    }

    /// Whether the release is quarantined.
    pub(crate) fn holds(&self) -> bool {
        is_quarantined(self.phase.load(Ordering::Relaxed))
    }

    /// Why, if it is.
    pub(crate) fn episode(&self) -> Option<Episode> {
        *self.lock()
    }

    /// Counts an evaluation that stands. Says so where the quarantine begins with it.
    pub(crate) fn evaluated(&self, fault: Option<FaultKind>) -> Option<Episode> {
        let phase = self.phase.load(Ordering::Relaxed);
        let counts = fault.is_none_or(speaks_against_the_release);
        // What was under way when the quarantine began says nothing new.
        if !self.supervision.config.enabled || is_quarantined(phase) || !counts {
            return None;
        }
        let now_ms = self.supervision.time.now_ms();
        self.window.count(now_ms, fault.is_some());
        let last_fault = fault?;
        let totals = self.window.totals(now_ms);
        if !self.is_too_much(totals) {
            return None;
        }
        self.begin(phase, now_ms, totals, last_fault)
    }

    fn is_too_much(&self, totals: Totals) -> bool {
        let too_many_ppm = self.supervision.too_many_ppm;
        totals.evaluations >= self.minimum_evaluations
            && u64::from(totals.faults) * MILLION >= u64::from(totals.evaluations) * too_many_ppm
    }

    fn begin(&self, phase: u32, now_ms: u64, totals: Totals, last_fault: FaultKind) -> Option<Episode> {
        let mut shown = self.lock();
        // Of several payments that meet the last straw at once, one begins it.
        if self.phase.load(Ordering::Relaxed) != phase {
            return None;
        }
        self.answered.store(0, Ordering::Relaxed);
        self.next_probe_ms
            .store(self.after_interval(now_ms), Ordering::Relaxed);
        let episode = Episode {
            since: self.supervision.clock.now(),
            evaluations: totals.evaluations,
            faults: totals.faults,
            last_fault,
        };
        *shown = Some(episode);
        self.phase.store(phase.wrapping_add(1), Ordering::Release);
        drop(shown);
        self.supervision.changed.notify_one();
        Some(episode)
    }

    /// The right to make a probe, if one is due and none is under way.
    pub(crate) fn probe(self: &Arc<Self>) -> Option<Probe> {
        let phase = self.phase.load(Ordering::Acquire);
        let next_ms = self.next_probe_ms.load(Ordering::Relaxed);
        let due = is_quarantined(phase) && self.supervision.time.now_ms() >= next_ms;
        let claimed = due
            && self
                .next_probe_ms
                .compare_exchange(next_ms, u64::MAX, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        claimed.then(|| Probe {
            quarantine: Arc::clone(self),
            phase,
        })
    }

    fn probed(&self, phase: u32, result: ProbeResult) -> Option<Episode> {
        // One that began in an earlier quarantine says nothing about this one.
        if self.phase.load(Ordering::Relaxed) != phase {
            return None;
        }
        match result {
            ProbeResult::Unavailable => return None,
            ProbeResult::Faulted => {
                self.answered.store(0, Ordering::Relaxed);
                return None;
            }
            ProbeResult::Answered => {}
        }
        let answered = self.answered.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if answered < self.supervision.config.probes_to_recover {
            return None;
        }
        let mut shown = self.lock();
        if self.phase.load(Ordering::Relaxed) != phase {
            return None;
        }
        let ended = shown.take();
        self.window.clear();
        self.phase.store(phase.wrapping_add(1), Ordering::Release);
        drop(shown);
        self.supervision.changed.notify_one();
        ended
    }

    fn after_interval(&self, now_ms: u64) -> u64 {
        // One below the mark of a probe under way.
        now_ms
            .saturating_add(self.supervision.config.probe_interval_ms)
            .min(u64::MAX - 1)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Episode>> {
        self.episode.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn is_quarantined(phase: u32) -> bool {
    !phase.is_multiple_of(2)
}

impl Probe {
    /// Counts what came of it. Gives the episode that ends with it, if one does.
    pub(crate) fn finish(self, result: ProbeResult) -> Option<Episode> {
        self.quarantine.probed(self.phase, result)
    }
}

impl Drop for Probe {
    /// The next one may follow an interval after this one has ended, so that a release that takes its time is not at it
    /// all the time.
    fn drop(&mut self) {
        let quarantine = &self.quarantine;
        let next_ms = quarantine.after_interval(quarantine.supervision.time.now_ms());
        quarantine.next_probe_ms.store(next_ms, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
