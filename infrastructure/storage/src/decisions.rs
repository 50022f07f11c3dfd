//! Bare decisions: taken in at once, written in the background, read back.
//!
//! Whoever decides puts his decision into a bounded queue and goes on. One task takes what has gathered there, turns it into rows
//! where that holds nobody up, and writes many rows at once. Where the queue is full the decision is dropped and counted: no money
//! depends on it, and a log must never slow down what it writes about.

mod recorder;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use application::ports::{
    Clock, DecisionCursor, DecisionLog, DecisionLogError, DecisionQuery, Page, RecordedDecision,
    RepositoryError, Telemetry,
};
use async_trait::async_trait;
use domain::{DecisionId, Timestamp};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::config::DecisionsConfig;
use crate::record::DecisionColumns;
use recorder::Recorder;

/// How many decisions wait to be written: four seconds of as many as are written at most by default, some 2 KB each. A longer queue
/// would only hold more memory, since whoever sends more than is written all the time fills any.
const QUEUE_DECISIONS: usize = 4_096;

/// How many readers wait at once for what was taken in before them; the next one waits for one of them. They are people.
const WAITING_READERS: usize = 64;

/// Where rows are kept.
#[async_trait]
pub(crate) trait DecisionTable: Send + Sync {
    /// Writes rows, all or none. A row whose name is there stays as it is.
    async fn insert(&self, rows: Arc<[DecisionColumns]>) -> Result<(), DecisionLogError>;

    async fn find(&self, id: &DecisionId) -> Result<Option<RecordedDecision>, DecisionLogError>;

    /// The newest first.
    async fn page(
        &self,
        query: &DecisionQuery,
        after: Option<&DecisionCursor>,
        limit: usize,
    ) -> Result<Page<RecordedDecision>, DecisionLogError>;

    /// Forgets those that were asked for before a time, at most so many, the oldest first. Tells how many.
    async fn forget(&self, created_before: Timestamp, limit: usize) -> Result<usize, DecisionLogError>;
}

/// What the database said, to whoever reads or writes decisions.
pub(crate) fn unread(error: RepositoryError) -> DecisionLogError {
    DecisionLogError::Unavailable {
        reason: match error {
            RepositoryError::Unavailable { reason } => reason,
            other => other.to_string(),
        },
    }
}

/// What the task is asked for.
enum Ask {
    /// To say when what was taken in before is written.
    Written(oneshot::Sender<()>),
    /// To write what was taken in, and to end.
    Close(oneshot::Sender<()>),
}

/// Decisions that were not kept.
struct Lost {
    telemetry: Arc<dyn Telemetry>,
    /// Of which the log does not tell yet.
    untold: AtomicU64,
}

impl Lost {
    fn count(&self, decisions: usize) {
        for _ in 0..decisions {
            self.telemetry.decision_not_recorded();
        }
        let decisions = u64::try_from(decisions).unwrap_or(u64::MAX);
        self.untold.fetch_add(decisions, Ordering::Relaxed);
    }
}

/// The log over a table. Made where there is a runtime, on which its task runs until [`QueuedDecisionLog::close`].
pub(crate) struct QueuedDecisionLog {
    table: Arc<dyn DecisionTable>,
    queue: mpsc::Sender<Arc<RecordedDecision>>,
    /// Whether anything is to be kept.
    keeps: bool,
    asks: mpsc::Sender<Ask>,
    lost: Arc<Lost>,
    read_wait: Duration,
}

impl QueuedDecisionLog {
    pub(crate) fn start(
        table: Arc<dyn DecisionTable>,
        config: &DecisionsConfig,
        clock: Arc<dyn Clock>,
        telemetry: Arc<dyn Telemetry>,
    ) -> Self {
        let (queue, taken_in) = mpsc::channel(QUEUE_DECISIONS);
        let (asks, asked) = mpsc::channel(WAITING_READERS);
        let lost = Arc::new(Lost {
            telemetry,
            untold: AtomicU64::new(0),
        });
        let recorder = Recorder::new(
            Arc::clone(&table),
            taken_in,
            asked,
            Arc::clone(&lost),
            clock,
            config,
        );
        // It ends with `close`, or when nobody is left who could send it anything.
        drop(tokio::spawn(recorder.run()));
        Self {
            table,
            queue,
            keeps: config.keep_days > 0,
            asks,
            lost,
            read_wait: Duration::from_millis(config.read_wait_ms),
        }
    }

    /// Has everything written that was taken in. From the call on what comes is dropped and counted; a second call does nothing.
    pub(crate) async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self.asks.send(Ask::Close(reply)).await.is_ok() {
            // It answers, or has ended: either way there is nothing left to wait for.
            let _ended = closed.await;
        }
    }

    /// Waits until what was taken in before is written, and no longer than a reader may be kept waiting.
    async fn catch_up(&self) {
        let (reply, written) = oneshot::channel();
        let caught_up = timeout(self.read_wait, async {
            if self.asks.send(Ask::Written(reply)).await.is_ok() {
                // Where the task has ended, everything is written.
                let _ended = written.await;
            }
        });
        if caught_up.await.is_err() {
            tracing::debug!("decisions are read before all of them are written");
        }
    }
}

#[async_trait]
impl DecisionLog for QueuedDecisionLog {
    fn record(&self, decided: Arc<RecordedDecision>) {
        if self.keeps && self.queue.try_send(decided).is_err() {
            self.lost.count(1);
        }
    }

    async fn find(&self, id: &DecisionId) -> Result<Option<RecordedDecision>, DecisionLogError> {
        self.catch_up().await;
        self.table.find(id).await
    }

    async fn list(
        &self,
        query: &DecisionQuery,
        after: Option<&DecisionCursor>,
        limit: usize,
    ) -> Result<Page<RecordedDecision>, DecisionLogError> {
        // Behind a cursor there is only what is older.
        if after.is_none() {
            self.catch_up().await;
        }
        self.table.page(query, after, limit).await
    }
}
