//! What the thread does: wait, write together what waits, answer, keep the log short.

use rusqlite::Connection;

use super::{CloseError, Job, batch};
use crate::config::SqliteConfig;
use crate::sqlite::answers::Answers;
use crate::sqlite::checkpoint::Checkpoints;
use crate::sqlite::connection::SqliteOpenError;
use crate::sqlite::worker::{Inbox, Worker};

const NAME: &str = "payment-writer";

pub(super) fn start(
    mut connection: Connection,
    config: &SqliteConfig,
) -> Result<Worker<Job, Result<(), CloseError>>, SqliteOpenError> {
    let checkpoints = Checkpoints::start(&mut connection, config)?;
    Worker::start(NAME, config, |inbox| run(connection, inbox, checkpoints))
}

/// Ends when it is told to close, or when nobody is left who could send work.
fn run(
    mut connection: Connection,
    mut inbox: Inbox<Job>,
    mut checkpoints: Checkpoints,
) -> Result<(), CloseError> {
    let mut jobs = Vec::new();
    while inbox.take(&mut jobs, |job| job.claim.take()) {
        let results = batch::write(&mut connection, &jobs);
        // Nobody hears of his payment before all of them are on the disk, and then all do at once.
        let runtime = jobs.first().map(|job| job.runtime.clone());
        let replies = jobs.drain(..).map(|job| job.reply);
        Answers::new(replies.zip(results).collect()).deliver(runtime);
        checkpoints.after_commit(&connection);
    }
    checkpoints
        .finish(&connection)
        .map_err(|reason| CloseError::Checkpoint { reason })
}
