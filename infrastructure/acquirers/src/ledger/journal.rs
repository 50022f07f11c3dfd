//! The file beside a ledger: one line of JSON an event, on the disk before anybody is answered, and read again at the start.
//!
//! An event is written for whatever is answered, also where nothing changes: an answer that is read from memory may rest on
//! an event that is not on the disk yet, and waits behind it for its turn.

mod event;
mod replay;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use super::{Ledger, WhenFull};
pub(crate) use event::Event;

/// Events that may wait for the disk; whoever has one more waits with it. As many as there may be connections.
const MAX_WAITING: usize = 1_024;

/// Events that share one sync at most: some 64 KB.
const MAX_BATCH: usize = 256;

/// Why a ledger cannot be opened.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// The file cannot be used.
    #[error("the ledger `{path}` cannot be {action}: {cause}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        cause: io::Error,
    },
    /// Another process has it open.
    #[error("the ledger `{path}` is in use by another process: each simulator needs one of its own")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A line is none that a simulator wrote.
    #[error("the ledger `{path}`, line {line}: {problem}")]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from one.
        line: usize,
        /// What was found, and what was expected.
        problem: String,
    },
}

/// The ledger can no longer be written. Nothing more is answered then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the ledger can no longer be written")]
pub(crate) struct JournalLost;

/// A ledger of which nothing is lost.
#[derive(Debug)]
pub(crate) struct DurableLedger {
    ledger: Mutex<Ledger>,
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
}

struct Job {
    line: Vec<u8>,
    done: oneshot::Sender<()>,
}

impl DurableLedger {
    /// Opens a file, or makes it, and reads it.
    pub(crate) fn open(path: &Path, max_operations: usize) -> Result<Self, LedgerError> {
        let failed = |action| {
            move |cause| LedgerError::Io {
                path: path.to_owned(),
                action,
                cause,
            }
        };
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(failed("opened"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LedgerError::InUse {
                    path: path.to_owned(),
                });
            }
            Err(TryLockError::Error(cause)) => return Err(failed("locked")(cause)),
        }
        let mut ledger = Ledger::new(max_operations, WhenFull::Refuse);
        replay::replay(path, &file, &mut ledger)?;
        sync_folder(path).map_err(failed("made durable"))?;
        let (jobs, waiting) = mpsc::channel(MAX_WAITING);
        let writer = thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || write(file, waiting))
            .map_err(failed("given a thread"))?;
        Ok(Self {
            ledger: Mutex::new(ledger),
            jobs: Some(jobs),
            writer: Some(writer),
        })
    }

    /// Changes the ledger, and comes back when the event that tells of it, and all before it, are on the disk. Whoever stops
    /// waiting has changed it all the same.
    pub(crate) async fn commit<T>(
        &self,
        change: impl FnOnce(&mut Ledger) -> (T, Event),
    ) -> Result<T, JournalLost> {
        let jobs = self.jobs.as_ref().ok_or(JournalLost)?;
        let place = jobs.reserve().await.map_err(|_| JournalLost)?;
        let (done, written) = oneshot::channel();
        let value = {
            // The order of the events is that of the changes: both happen under the lock.
            let mut ledger = self.read();
            let (value, event) = change(&mut ledger);
            place.send(Job {
                line: event.line(),
                done,
            });
            value
        };
        written.await.map_err(|_| JournalLost)?;
        Ok(value)
    }

    /// The ledger as it stands in memory.
    pub(crate) fn read(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for DurableLedger {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            drop(writer.join());
        }
    }
}

/// Writes what waits, as much of it at once as there is, until nobody can send any more or the disk does not take it.
fn write(mut file: File, mut waiting: mpsc::Receiver<Job>) {
    let mut batch = Vec::with_capacity(MAX_BATCH);
    let mut lines = Vec::new();
    while waiting.blocking_recv_many(&mut batch, MAX_BATCH) > 0 {
        lines.clear();
        for job in &batch {
            lines.extend_from_slice(&job.line);
        }
        if let Err(error) = file.write_all(&lines).and_then(|()| file.sync_data()) {
            tracing::error!(%error, "the ledger can no longer be written; nothing more is answered");
            return;
        }
        for job in batch.drain(..) {
            // Nobody may be waiting any more: a connection that was closed.
            job.done.send(()).ok();
        }
    }
}

/// A new file is in its folder for good when the folder is on the disk.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}
