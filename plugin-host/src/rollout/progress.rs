//! How a candidate does: its counts, its gates, and whether it was sent back.
//!
//! Counted on the path of the payments that it decides about, so all of it is additions to atomics: no lock, no allocation, no reading
//! of the clock. Only a bad evaluation looks at a gate.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::Timestamp;

use super::differences::Differences;
use super::durations::Durations;
use super::gate::{Crossed, Gate, SentBack};
use super::record::Counts;
use super::window::{Counted, Share, Window};
use crate::document::{Gates, Moment, Ratio};
use crate::fault_log::LogPace;

/// The share of evaluations that may take longer than the 99th percentile: one in a hundred, by its name.
const SLOW: Ratio = Ratio::from_millionths(10_000);

/// Counts of one trial. Documents that only move the share of cards share one.
#[derive(Debug)]
pub(crate) struct Progress {
    since: Timestamp,
    gates: Gates,
    evaluations: AtomicU64,
    faults: AtomicU64,
    compared: AtomicU64,
    differing: AtomicU64,
    /// Those with the same outcome and another score.
    rescored: AtomicU64,
    dropped: AtomicU64,
    durations: Durations,
    fault_window: Window,
    slow_window: Window,
    drift_window: Window,
    sent_back: OnceLock<SentBack>,
    pub(super) differences: Differences,
    pub(super) fault_log: LogPace,
}

/// What comparing a payment showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compared {
    /// The same outcome and score.
    Same,
    /// The same outcome and another score.
    Rescored,
    /// Another outcome.
    Differs,
}

impl Progress {
    /// A trial that begins, or goes on with what was counted.
    pub(super) fn counting_on(gates: Gates, counts: &Counts, sent_back: Option<SentBack>) -> Self {
        let window =
            |most: Ratio, counted: Counted| Window::counting_on(most, gates.minimum_evaluations, counted);
        // Without a gate nothing is too much.
        let drift = gates
            .max_decision_drift
            .unwrap_or(Ratio::from_millionths(Ratio::WHOLE));
        let progress = Self {
            since: counts.since.0,
            gates,
            evaluations: AtomicU64::new(counts.evaluations),
            faults: AtomicU64::new(counts.faults),
            compared: AtomicU64::new(counts.compared),
            differing: AtomicU64::new(counts.differing),
            rescored: AtomicU64::new(counts.rescored),
            dropped: AtomicU64::new(counts.dropped),
            durations: Durations::counting_on(&counts.durations),
            fault_window: window(gates.max_fault_ratio, counts.fault_window),
            slow_window: window(SLOW, counts.slow_window),
            drift_window: window(drift, counts.drift_window),
            sent_back: OnceLock::new(),
            differences: Differences::default(),
            fault_log: LogPace::new(),
        };
        if let Some(sent_back) = sent_back {
            // It is empty.
            let _first = progress.sent_back.set(sent_back);
        }
        progress
    }

    /// Why it was sent back, where it was.
    pub(super) fn sent_back(&self) -> Option<&SentBack> {
        self.sent_back.get()
    }

    /// Counts an evaluation of the candidate. Gives the gate that is crossed with it.
    pub(super) fn evaluated(&self, is_fault: bool, took: Duration) -> Option<Crossed> {
        if self.sent_back().is_some() {
            // It was under way: the numbers stay those by which it was judged.
            return None;
        }
        self.evaluations.fetch_add(1, Ordering::Relaxed);
        self.durations.count(took);
        if is_fault {
            self.faults.fetch_add(1, Ordering::Relaxed);
        }
        let faulty = self
            .fault_window
            .count(is_fault)
            .map(|share| self.crossed(Gate::FaultRatio, &self.fault_window, share));
        let p99_us = self.gates.max_p99_us;
        let is_slow = p99_us.is_some_and(|most| took > Duration::from_micros(u64::from(most)));
        let slow = p99_us
            .and_then(|_| self.slow_window.count(is_slow))
            .map(|share| self.crossed(Gate::P99, &self.slow_window, share));
        faulty.or(slow)
    }

    /// Counts a payment about which both gave an answer.
    pub(super) fn compared(&self, compared: Compared) -> Option<Crossed> {
        if self.sent_back().is_some() {
            return None;
        }
        self.compared.fetch_add(1, Ordering::Relaxed);
        match compared {
            Compared::Same => {}
            Compared::Rescored => {
                self.rescored.fetch_add(1, Ordering::Relaxed);
            }
            Compared::Differs => {
                self.differing.fetch_add(1, Ordering::Relaxed);
            }
        }
        let drift = self.drift_window.count(compared == Compared::Differs);
        drift.map(|share| self.crossed(Gate::DecisionDrift, &self.drift_window, share))
    }

    /// Counts an evaluation beside a payment for which there was no room.
    pub(super) fn dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// What the quarantine counted is too much for any release.
    pub(super) fn quarantined(&self, evaluations: u32, faults: u32) -> Crossed {
        let share = Share {
            bad: u64::from(faults),
            of: u64::from(evaluations),
        };
        self.crossed(Gate::Quarantine, &self.fault_window, share)
    }

    /// Sends the candidate back. Of several that would at the same time, one does, and is given what stands now.
    pub(super) fn send_back(&self, crossed: Crossed, now: Timestamp) -> Option<&SentBack> {
        let sent_back = SentBack {
            gate: crossed.gate,
            since: now,
            reason: crossed.to_string().into(),
        };
        self.sent_back.set(sent_back).ok()?;
        self.sent_back()
    }

    fn crossed(&self, gate: Gate, window: &Window, share: Share) -> Crossed {
        Crossed {
            gate,
            share,
            most: window.most(),
            minimum: window.minimum(),
            p99_us: self.gates.max_p99_us.unwrap_or_default(),
        }
    }

    /// The time within which 99 of 100 evaluations ended, in microseconds.
    pub(super) fn p99_us(&self) -> Option<u64> {
        self.durations.p99_us()
    }

    /// All counts.
    pub(super) fn counts(&self) -> Counts {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            since: Moment(self.since),
            evaluations: count(&self.evaluations),
            faults: count(&self.faults),
            compared: count(&self.compared),
            differing: count(&self.differing),
            rescored: count(&self.rescored),
            dropped: count(&self.dropped),
            durations: self.durations.counted(),
            fault_window: self.fault_window.counted(),
            slow_window: self.slow_window.counted(),
            drift_window: self.drift_window.counted(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_millis(1_770_000_000_000);

    fn gates(otherwise: &serde_json::Value) -> Gates {
        serde_json::from_value(otherwise.clone()).unwrap()
    }

    fn progress(otherwise: &serde_json::Value) -> Progress {
        Progress::counting_on(gates(otherwise), &Counts::none_since(NOW), None)
    }

    const QUICK: Duration = Duration::from_micros(20);

    #[test]
    fn the_99th_percentile_is_crossed_when_more_than_one_in_a_hundred_takes_longer() {
        let progress = progress(&serde_json::json!({"max_p99_us": 500, "minimum_evaluations": 100}));
        let slow = Duration::from_nanos(500_001);
        for _ in 0..98 {
            assert!(progress.evaluated(false, Duration::from_micros(500)).is_none());
        }
        assert!(
            progress.evaluated(false, slow).is_none(),
            "one in a hundred is allowed"
        );
        let crossed = progress.evaluated(false, slow).unwrap();
        assert_eq!(
            crossed.to_string(),
            "p99: 2 of 100 evaluations took longer than 500 µs, expected at most 1 in 100"
        );
    }

    #[test]
    fn without_a_gate_nothing_is_too_slow_or_too_different() {
        let progress = progress(&serde_json::json!({}));
        for _ in 0..1_000 {
            assert!(progress.evaluated(false, Duration::from_secs(1)).is_none());
            assert!(progress.compared(Compared::Differs).is_none());
        }
    }

    #[test]
    fn drift_is_of_outcomes_and_not_of_scores() {
        let progress = progress(&serde_json::json!({"max_decision_drift": 0.0}));
        assert!(progress.compared(Compared::Rescored).is_none());
        assert!(progress.compared(Compared::Same).is_none());
        let crossed = progress.compared(Compared::Differs).unwrap();
        assert_eq!(crossed.gate, Gate::DecisionDrift);
        let counts = progress.counts();
        assert_eq!((counts.compared, counts.differing, counts.rescored), (3, 1, 1));
    }

    #[test]
    fn of_many_that_would_one_sends_it_back_and_nothing_is_counted_any_more() {
        let progress = progress(&serde_json::json!({"max_fault_ratio": 0.5, "minimum_evaluations": 8}));
        let sent_back: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        (0..10_000)
                            .filter_map(|_| progress.evaluated(true, QUICK))
                            .filter_map(|crossed| progress.send_back(crossed, NOW))
                            .count()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(sent_back, 1);
        let counts = progress.counts();
        // Each thread may have been within one evaluation when that happened.
        assert!((5..=5 + 4).contains(&counts.evaluations), "{counts:?}");
        assert!(progress.evaluated(true, QUICK).is_none());
        assert!(progress.compared(Compared::Differs).is_none());
        assert_eq!(progress.counts(), counts);
    }

    #[test]
    fn counting_goes_on_from_what_was_noted() {
        let gates = serde_json::json!({"max_fault_ratio": 0.1, "max_p99_us": 500, "minimum_evaluations": 10});
        let first = progress(&gates);
        for _ in 0..9 {
            assert!(first.evaluated(false, QUICK).is_none());
        }
        assert!(first.evaluated(true, QUICK).is_none());
        first.dropped();
        let second = Progress::counting_on(self::gates(&gates), &first.counts(), None);
        assert_eq!(second.counts(), first.counts());
        let crossed = second.evaluated(true, QUICK).unwrap();
        assert_eq!(crossed.share, Share { bad: 2, of: 11 });
        let sent_back = second.send_back(crossed, NOW).unwrap().clone();
        let third = Progress::counting_on(self::gates(&gates), &second.counts(), Some(sent_back.clone()));
        assert_eq!(third.sent_back(), Some(&sent_back));
    }
}
