//! The task that writes decisions down, at a pace that leaves the machine to those who decide, and forgets old ones.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use application::ports::{Clock, DecisionLogError, RecordedDecision};
use domain::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

use super::{Ask, DecisionTable, Lost};
use crate::config::DecisionsConfig;
use crate::record::{Damage, DecisionColumns};

/// How many rows are written at once. In SQLite payments wait for the one writer meanwhile, which is to be milliseconds.
const BATCH_ROWS: usize = 64;

/// For how long decisions gather before they are written, so that a busy gateway wakes the task some fifty times a second and not
/// once a decision.
const GATHER: Duration = Duration::from_millis(20);

/// What may be written beyond the pace: one second's worth.
const BURST: Duration = Duration::from_secs(1);

/// How often rows are tried to be written, and how long it is waited in between: a server that fails over is back by then, or
/// stays away for long.
const TRIES: usize = 3;
const PAUSE_BETWEEN_TRIES: Duration = Duration::from_secs(1);

/// How many decisions are forgotten at once, and how soon the next ones where there are more: 2,500 a second, faster than they come.
const FORGET_ROWS: usize = 250;
const FORGET_ON: Duration = Duration::from_millis(100);

/// How soon it is looked for old ones again where there were no more.
const FORGET_AGAIN: Duration = Duration::from_secs(60);

/// How often at most the log tells of decisions that were lost.
const TELL_OF_LOST: Duration = Duration::from_secs(10);

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

pub(super) struct Recorder {
    table: Arc<dyn DecisionTable>,
    taken_in: mpsc::Receiver<Arc<RecordedDecision>>,
    asked: mpsc::Receiver<Ask>,
    lost: Arc<Lost>,
    clock: Arc<dyn Clock>,
    keep_ms: u64,
    /// For a row.
    interval: Duration,
    /// Up to when the pace is used up.
    used_up_to: Instant,
    /// Who waits until what was taken in before him is written.
    readers: Vec<oneshot::Sender<()>>,
    /// Whether one of them came since it was last looked how much is waiting.
    has_new_readers: bool,
    /// From when on nothing is waited for.
    is_closing: bool,
    /// Who waits for the end.
    closer: Option<oneshot::Sender<()>>,
    forget_at: Instant,
    lost_told_at: Option<Instant>,
    /// Why some were lost of which the log does not tell yet; none where the queue was full.
    refusal: Option<String>,
}

/// Why it is time to do something.
enum Due {
    /// There is something to write, or somebody who waits for it.
    Write,
    Forget,
}

impl Recorder {
    pub(super) fn new(
        table: Arc<dyn DecisionTable>,
        taken_in: mpsc::Receiver<Arc<RecordedDecision>>,
        asked: mpsc::Receiver<Ask>,
        lost: Arc<Lost>,
        clock: Arc<dyn Clock>,
        config: &DecisionsConfig,
    ) -> Self {
        Self {
            table,
            taken_in,
            asked,
            lost,
            clock,
            keep_ms: u64::from(config.keep_days) * DAY_MS,
            interval: Duration::from_secs(1) / config.max_per_second.max(1),
            used_up_to: Instant::now(),
            readers: Vec::new(),
            has_new_readers: false,
            is_closing: false,
            closer: None,
            forget_at: Instant::now(),
            lost_told_at: None,
            refusal: None,
        }
    }

    pub(super) async fn run(mut self) {
        let mut rows = Vec::with_capacity(BATCH_ROWS);
        loop {
            match self.due(&mut rows).await {
                Due::Write => self.write_all(&mut rows).await,
                Due::Forget => self.forget().await,
            }
            for reader in self.readers.drain(..) {
                // He may have left.
                let _left = reader.send(());
            }
            self.tell_of_lost();
            if self.is_closing {
                if let Some(closer) = self.closer.take() {
                    let _left = closer.send(());
                }
                return;
            }
        }
    }

    /// Waits for the first decision and lets others gather, or for somebody who asks.
    async fn due(&mut self, rows: &mut Vec<Arc<RecordedDecision>>) -> Due {
        tokio::select! {
            biased;
            ask = self.asked.recv() => {
                self.hear(ask);
                return Due::Write;
            }
            () = sleep_until(self.forget_at) => return Due::Forget,
            first = self.taken_in.recv() => rows.extend(first),
        }
        self.pause_until(Instant::now() + GATHER).await;
        Due::Write
    }

    /// Waits, or less where somebody asks.
    async fn pause_until(&mut self, moment: Instant) {
        tokio::select! {
            () = sleep_until(moment) => {}
            ask = self.asked.recv() => self.hear(ask),
        }
    }

    /// None says that nobody is left who could ask.
    fn hear(&mut self, ask: Option<Ask>) {
        self.closer = match ask {
            Some(Ask::Written(reader)) => {
                // Those who have given up make room: there are never more than requests in flight.
                self.readers.retain(|reader| !reader.is_closed());
                self.readers.push(reader);
                self.has_new_readers = true;
                return;
            }
            Some(Ask::Close(closer)) => Some(closer),
            None => None,
        };
        // What was taken in is still received; what comes from now on is refused.
        self.taken_in.close();
        self.is_closing = true;
    }

    /// Writes what has been taken in by now, at its pace, and what was taken in before somebody asked meanwhile.
    async fn write_all(&mut self, rows: &mut Vec<Arc<RecordedDecision>>) {
        let mut waiting = self.taken_in.len();
        loop {
            if std::mem::take(&mut self.has_new_readers) || self.is_closing {
                waiting = self.taken_in.len();
            }
            let room = BATCH_ROWS.saturating_sub(rows.len()).min(waiting);
            if room > 0 {
                // As many are there, so this does not wait.
                waiting = waiting.saturating_sub(self.taken_in.recv_many(rows, room).await);
            }
            if rows.is_empty() {
                return;
            }
            self.keep_pace(rows.len()).await;
            let written = self.write(std::mem::take(rows)).await;
            if self.is_closing && !written {
                // Whoever closes waits for one refusal, and not for each.
                return self.lost.count(self.taken_in.len());
            }
        }
    }

    async fn keep_pace(&mut self, rows: usize) {
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        self.used_up_to = self.used_up_to.max(Instant::now()) + self.interval * rows;
        // Readers may ask meanwhile, which makes it no faster.
        while !self.is_closing
            && let Some(moment) = self.used_up_to.checked_sub(BURST)
            && moment > Instant::now()
        {
            self.pause_until(moment).await;
        }
    }

    /// Tells whether they are written.
    async fn write(&mut self, decisions: Vec<Arc<RecordedDecision>>) -> bool {
        let count = decisions.len();
        // Off the threads that serve requests. It also lets go of the decisions there.
        let refusal = match spawn_blocking(move || encode(&decisions)).await {
            Ok(Ok(rows)) => match self.insert(rows).await {
                Ok(()) => return true,
                Err(error) => error.to_string(),
            },
            Ok(Err(damage)) => damage.to_string(),
            Err(error) => error.to_string(),
        };
        self.lost.count(count);
        self.refusal = Some(refusal);
        false
    }

    async fn insert(&mut self, rows: Arc<[DecisionColumns]>) -> Result<(), DecisionLogError> {
        let mut tries = 1;
        loop {
            match self.table.insert(Arc::clone(&rows)).await {
                Err(_) if tries < TRIES && !self.is_closing => tries += 1,
                done => return done,
            }
            let again_at = Instant::now() + PAUSE_BETWEEN_TRIES;
            while !self.is_closing && Instant::now() < again_at {
                self.pause_until(again_at).await;
            }
        }
    }

    async fn forget(&mut self) {
        let now = self.clock.now().unix_millis();
        let before = Timestamp::from_unix_millis(now.saturating_sub(self.keep_ms));
        let pause = match self.table.forget(before, FORGET_ROWS).await {
            Ok(gone) if gone >= FORGET_ROWS => FORGET_ON,
            Ok(_) => FORGET_AGAIN,
            Err(DecisionLogError::Unavailable { reason } | DecisionLogError::Corrupt { reason }) => {
                tracing::warn!(error = reason, "old decisions were not forgotten");
                FORGET_AGAIN
            }
        };
        self.forget_at = Instant::now() + pause;
    }

    fn tell_of_lost(&mut self) {
        let told_lately = self
            .lost_told_at
            .is_some_and(|told_at| told_at.elapsed() < TELL_OF_LOST);
        if told_lately && !self.is_closing || self.lost.untold.load(Ordering::Relaxed) == 0 {
            return;
        }
        let decisions = self.lost.untold.swap(0, Ordering::Relaxed);
        let error = self.refusal.take();
        let error = error
            .as_deref()
            .unwrap_or("more came than storage.decisions.max_per_second");
        tracing::warn!(decisions, error, "decisions were not recorded");
        self.lost_told_at = Some(Instant::now());
    }
}

fn encode(decisions: &[Arc<RecordedDecision>]) -> Result<Arc<[DecisionColumns]>, Damage> {
    decisions
        .iter()
        .map(|decision| DecisionColumns::of(decision))
        .collect()
}
