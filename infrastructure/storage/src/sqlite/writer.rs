//! The one thread that writes. It takes whatever waits, up to a bound, into one transaction: the disk is waited for once
//! for all of them.

mod batch;
mod thread;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::{ListItem, Timestamp};
use rusqlite::Connection;
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::connection::SqliteOpenError;
use super::lists::{ListRefusal, ListRemoval};
use super::row::PaymentRow;
use super::worker::{NotTaken, Worker};
use crate::config::SqliteConfig;
use crate::record::{ApiKeyColumns, DecisionColumns};

/// Why the store did not end in good order.
#[derive(Debug, Error)]
pub enum CloseError {
    /// The log could not be copied into the database; the next start does it.
    #[error("the write-ahead log was not copied into the database: {reason}")]
    Checkpoint {
        /// For the operator.
        reason: String,
    },
    /// The writer had broken off before; what it had acknowledged is stored.
    #[error("the writer had broken off")]
    WriterGone,
}

/// What the thread is to do.
#[derive(Debug)]
pub(super) enum Work {
    /// Write a payment, new or over the version that it was read in, with all that goes with it.
    Save(Box<PaymentRow>),
    /// Write a key to the HTTP interface, new or over the version before.
    SaveApiKey(Box<ApiKeyColumns>),
    /// Forget idempotency keys that came before a time, at most so many.
    ForgetKeys {
        /// The time.
        created_before: Timestamp,
        /// How many.
        limit: usize,
    },
    /// Put an item on a list.
    PutListItem(Box<ListItem>),
    /// Take a value off a list.
    RemoveListItem(Box<ListRemoval>),
    /// Write bare decisions; those that are there stay as they are.
    RecordDecisions(Arc<[DecisionColumns]>),
    /// Forget bare decisions that were asked for before a time, at most so many.
    ForgetDecisions {
        /// The time.
        created_before: Timestamp,
        /// How many.
        limit: usize,
    },
    /// Do something else in the transaction of the others.
    Other(Statements),
    /// Show that a write goes through, without changing anything.
    Check,
}

type RunStatements = dyn Fn(&Connection) -> rusqlite::Result<()> + Send;

/// What is done in a transaction. It may be done a second time where the first one was undone.
pub(super) struct Statements(pub(super) Box<RunStatements>);

impl std::fmt::Debug for Statements {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Statements(…)")
    }
}

/// Why it was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WriteError {
    /// The payment, or the API key, is there although it is new, or is not there in the version that it was read in.
    OtherVersion,
    /// The idempotency key is not as it was expected.
    KeyTaken,
    /// The list, or the item, cannot be changed as it was asked.
    List(ListRefusal),
    Unavailable(String),
}

/// What is said of an answer that does not go with what was asked.
pub(super) const OTHER_ANSWER: &str = "the writer answered something else than it was asked";

/// How many things are gone, where that is what was asked for.
pub(super) type WriteResult = Result<usize, WriteError>;

/// Work, and who waits for it.
#[derive(Debug)]
pub(super) struct Job {
    work: Work,
    claim: Claim,
    reply: oneshot::Sender<WriteResult>,
    /// Where whoever waits for it runs.
    runtime: Handle,
}

/// Who decides about a job: the writer that takes it up, or the caller that gives it up, whoever comes first. So a caller
/// that gave its job up can rely on it that nothing was written. Only of a commit that failed nobody can say so.
#[derive(Clone, Debug, Default)]
struct Claim(Arc<AtomicBool>);

impl Claim {
    /// Whether the decision was still open.
    fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// The thread, as its callers see it.
#[derive(Debug)]
pub(super) struct Writer {
    worker: Worker<Job, Result<(), CloseError>>,
    patience: Duration,
}

impl Writer {
    pub(super) fn start(connection: Connection, config: &SqliteConfig) -> Result<Self, SqliteOpenError> {
        Ok(Self {
            worker: thread::start(connection, config)?,
            patience: Duration::from_millis(config.save_timeout_ms),
        })
    }

    /// Has the work done; when it returns `Ok`, it is on the disk.
    pub(super) async fn write(&self, work: Work) -> WriteResult {
        let deadline = Instant::now() + self.patience;
        let claim = Claim::default();
        let (reply, mut answer) = oneshot::channel();
        let job = || Job {
            work,
            claim: claim.clone(),
            reply,
            runtime: Handle::current(),
        };
        self.worker
            .send(deadline, job)
            .await
            .map_err(|reason| match reason {
                NotTaken::Closed => unavailable("the store is closed"),
                NotTaken::Full => unavailable("too many payments wait to be written"),
            })?;
        let answered = match timeout_at(deadline, &mut answer).await {
            Ok(answered) => answered,
            Err(_elapsed) if claim.take() => {
                return Err(unavailable("the writer did not come to it in time"));
            }
            // The writer has it: only the commit can tell how it ends.
            Err(_elapsed) => answer.await,
        };
        answered.unwrap_or_else(|_gone| Err(unavailable("the writer has broken off")))
    }

    /// Ends the thread after all that waits is done.
    pub(super) async fn close(&self) -> Result<(), CloseError> {
        match self.worker.close().await {
            None => Ok(()),
            Some(Ok(ended)) => ended,
            Some(Err(_)) => Err(CloseError::WriterGone),
        }
    }
}

fn unavailable(reason: &str) -> WriteError {
    WriteError::Unavailable(reason.to_owned())
}
