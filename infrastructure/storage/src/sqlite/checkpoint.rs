//! Copying the write-ahead log into the database, beside the commits.
//!
//! SQLite would do it inside a commit, which then takes tens of milliseconds. Here a thread with a connection of its own
//! does it while commits go on. Under unbroken load there is always a commit that it has not copied yet, and the log
//! cannot start anew; so when the log is long, the writer finishes the copy between two commits, which is short work
//! right after the thread's. Where the thread cannot keep up, the writer waits for it: a payment then waits for the disk,
//! and the disk does not fill.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::{Connection, Row};

use super::connection::{self, SqliteOpenError};
use crate::config::SqliteConfig;

const NAME: &str = "wal-checkpoint";

/// What precedes every page in the log, in bytes.
const FRAME_HEADER_BYTES: u64 = 24;

/// At how many times the length at which the writer finishes the copy it waits for the thread's.
const WAIT_AT_LIMITS: u64 = 2;

/// How often it waits then, until it goes on all the same.
const MAX_WAITS: u32 = 8;

/// Watches the log's length for the writer.
#[derive(Debug)]
pub(super) struct Checkpoints {
    /// Pages in the log after the last commit, as SQLite tells it.
    pages: Arc<AtomicU64>,
    /// From how many pages on the thread copies; then again every so many.
    step: u64,
    /// From how many pages on the writer finishes the copy.
    limit: u64,
    /// At how many pages the thread is called next.
    next: u64,
    /// At most one call waits: a second one would copy nothing.
    calls: SyncSender<()>,
    /// Holds one message when the thread has copied since the writer looked last.
    copied: Receiver<()>,
    thread: JoinHandle<()>,
}

impl Checkpoints {
    pub(super) fn start(writer: &mut Connection, config: &SqliteConfig) -> Result<Self, SqliteOpenError> {
        let failed = |cause| SqliteOpenError::Sqlite {
            path: config.path.clone(),
            cause,
        };
        let page: u64 = writer
            .pragma_query_value(None, "page_size", |row| row.get(0))
            .map_err(failed)?;
        let frame = page + FRAME_HEADER_BYTES;
        let step = (config.checkpoint_wal_bytes / frame).max(1);
        let pages = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&pages);
        writer
            .wal_hook(Some(move |_: &mut _, now: i32| {
                seen.store(u64::try_from(now).unwrap_or(0), Ordering::Relaxed);
                Ok(())
            }))
            .map_err(failed)?;

        let copier = connection::open_for_checkpoints(config)?;
        let (calls, called) = sync_channel(1);
        let (done, copied) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name(NAME.to_owned())
            .spawn(move || copy_when_called(&copier, &called, &done))
            .map_err(|cause| SqliteOpenError::Thread { name: NAME, cause })?;
        Ok(Self {
            pages,
            step,
            limit: (config.max_wal_bytes / frame).max(step),
            next: step,
            calls,
            copied,
            thread,
        })
    }

    /// Called by the writer between two commits.
    pub(super) fn after_commit(&mut self, writer: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.step {
            // The log has started anew.
            self.next = self.step;
            return;
        }
        if pages >= self.limit && self.copied.try_recv().is_ok() {
            report(copy(writer, "PASSIVE"));
            // All is copied, and the next commit starts the log anew: the thread would only be in its way.
            return;
        }
        if pages >= self.limit * WAIT_AT_LIMITS {
            self.wait_until_copied(writer);
            return;
        }
        if pages >= self.next || pages >= self.limit {
            self.next = pages + self.step;
            self.call();
        }
    }

    /// The thread may have one more call before it, and be in the way of the writer's copy; a reader may hold both up.
    fn wait_until_copied(&self, writer: &Connection) {
        for _ in 0..MAX_WAITS {
            self.call();
            // Gone: the copy is the writer's alone, and `finish` says why.
            let _copied = self.copied.recv();
            match copy(writer, "PASSIVE") {
                Ok(Copied::Wholly) => return,
                Ok(Copied::InPart) => {}
                Err(error) => return report(Err(error)),
            }
        }
    }

    fn call(&self) {
        // Full: it is called already. Gone: the writer copies, and `finish` says why.
        let _called = self.calls.try_send(());
    }

    /// Ends the thread, copies what is left and empties the log.
    pub(super) fn finish(self, writer: &Connection) -> Result<(), String> {
        let Self { calls, thread, .. } = self;
        drop(calls);
        let ended = thread.join().map_err(|_| format!("the thread {NAME} broke off"));
        copy(writer, "TRUNCATE")?;
        ended
    }
}

fn copy_when_called(connection: &Connection, calls: &Receiver<()>, copied: &SyncSender<()>) {
    while calls.recv().is_ok() {
        report(copy(connection, "PASSIVE"));
        // Full: the writer has not looked since. Gone: it ends.
        let _told = copied.try_send(());
    }
}

/// How much of the log is in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Copied {
    Wholly,
    InPart,
}

/// Copies as much as the mode allows: `PASSIVE` waits for nobody, `TRUNCATE` for everybody.
fn copy(connection: &Connection, mode: &str) -> Result<Copied, String> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    let columns = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (busy, in_log, copied): (i64, i64, i64) = connection
        .query_row(&sql, [], columns)
        .map_err(|error| error.to_string())?;
    match (busy, mode) {
        (0, _) if in_log == copied => Ok(Copied::Wholly),
        // Somebody else is copying or, for `TRUNCATE`, reading.
        (0, _) | (_, "PASSIVE") => Ok(Copied::InPart),
        _ => Err("the database is in use".to_owned()),
    }
}

fn report(copied: Result<Copied, String>) {
    if let Err(error) = copied {
        tracing::warn!(error, "the write-ahead log was not copied into the database");
    }
}
