//! What the thread does: wait, write together what waits, answer, keep the log short.

use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::mpsc;

use super::{CloseError, Job, Message, batch};
use crate::config::SqliteConfig;
use crate::sqlite::answers::Answers;
use crate::sqlite::checkpoint::Checkpoints;
use crate::sqlite::connection::SqliteOpenError;

const NAME: &str = "payment-writer";

pub(super) fn start(
    mut connection: Connection,
    inbox: mpsc::Receiver<Message>,
    config: &SqliteConfig,
) -> Result<JoinHandle<Result<(), CloseError>>, SqliteOpenError> {
    let checkpoints = Checkpoints::start(&mut connection, config)?;
    let writer = WriterThread {
        connection,
        inbox,
        checkpoints,
        batch_jobs: config.batch_jobs.max(1),
    };
    std::thread::Builder::new()
        .name(NAME.to_owned())
        .spawn(|| writer.run())
        .map_err(|cause| SqliteOpenError::Thread { name: NAME, cause })
}

struct WriterThread {
    connection: Connection,
    inbox: mpsc::Receiver<Message>,
    checkpoints: Checkpoints,
    batch_jobs: usize,
}

impl WriterThread {
    /// Ends when it is told to close, or when nobody is left who could send work.
    fn run(mut self) -> Result<(), CloseError> {
        let mut jobs: Vec<Job> = Vec::with_capacity(self.batch_jobs);
        while let Some(first) = self.inbox.blocking_recv() {
            self.take(first, &mut jobs);
            while jobs.len() < self.batch_jobs
                && let Ok(next) = self.inbox.try_recv()
            {
                self.take(next, &mut jobs);
            }
            let results = batch::write(&mut self.connection, &jobs);
            // Nobody hears of his payment before all of them are on the disk, and then all do at once.
            let runtime = jobs.first().map(|job| job.runtime.clone());
            let replies = jobs.drain(..).map(|job| job.reply);
            Answers::new(replies.zip(results).collect()).deliver(runtime);
            self.checkpoints.after_commit(&self.connection);
        }
        self.checkpoints
            .finish(&self.connection)
            .map_err(|reason| CloseError::Checkpoint { reason })
    }

    fn take(&mut self, message: Message, jobs: &mut Vec<Job>) {
        match message {
            Message::Job(job) => {
                if job.claim.take() {
                    jobs.push(*job);
                }
            }
            // What was sent before is still received; what is sent from now on is refused.
            Message::Close => self.inbox.close(),
        }
    }
}
