//! A thread with an inbox: it takes whatever waits, up to a bound, and ends when it is told to.

use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

use super::connection::SqliteOpenError;
use crate::config::SqliteConfig;

#[derive(Debug)]
enum Message<T> {
    Job(T),
    /// Take nothing more in, do what waits, and end.
    Close,
}

/// Why a job was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// The thread was told to end, or has broken off.
    Closed,
    /// As many as may wait did so until the deadline.
    Full,
}

/// The thread, as its callers see it. `R` is what it ends with.
#[derive(Debug)]
pub(super) struct Worker<T, R> {
    messages: mpsc::Sender<Message<T>>,
    thread: Mutex<Option<JoinHandle<R>>>,
}

impl<T: Send + 'static, R: Send + 'static> Worker<T, R> {
    pub(super) fn start(
        name: &'static str,
        config: &SqliteConfig,
        run: impl FnOnce(Inbox<T>) -> R + Send + 'static,
    ) -> Result<Self, SqliteOpenError> {
        let (messages, receiver) = mpsc::channel(config.queue_jobs.max(1));
        let inbox = Inbox {
            messages: receiver,
            at_once: config.batch_jobs.max(1),
        };
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || run(inbox))
            .map_err(|cause| SqliteOpenError::Thread { name, cause })?;
        Ok(Self {
            messages,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Puts a job into the inbox, which is made once there is room for it.
    pub(super) async fn send(&self, deadline: Instant, job: impl FnOnce() -> T) -> Result<(), NotTaken> {
        match timeout_at(deadline, self.messages.reserve()).await {
            Ok(Ok(room)) => {
                room.send(Message::Job(job()));
                Ok(())
            }
            Ok(Err(_closed)) => Err(NotTaken::Closed),
            Err(_elapsed) => Err(NotTaken::Full),
        }
    }

    /// Ends the thread after all that waits is done: with what it ended, an error where it has broken off, and nothing where it
    /// was closed before.
    pub(super) async fn close(&self) -> Option<thread::Result<R>> {
        // Closed already, or broken off: the thread is gone either way, and joining it tells which.
        let _gone = self.messages.send(Message::Close).await;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ended = spawn_blocking(move || Some(thread?.join()));
        ended.await.unwrap_or_else(|error| Some(Err(Box::new(error))))
    }
}

/// What waits for the thread.
#[derive(Debug)]
pub(super) struct Inbox<T> {
    messages: mpsc::Receiver<Message<T>>,
    at_once: usize,
}

impl<T> Inbox<T> {
    /// Waits for a job, and takes it with all that wait behind it, up to the bound. A job that is not `wanted` any more is dropped; so
    /// there may be none. Tells `false` when nothing is left, and nothing will come.
    pub(super) fn take(&mut self, jobs: &mut Vec<T>, wanted: impl Fn(&T) -> bool) -> bool {
        let Some(first) = self.messages.blocking_recv() else {
            return false;
        };
        // To be woken is to come before whoever did it, and before his other jobs. Where the processor has something else to do, that
        // comes first; where not, this takes no time.
        thread::yield_now();
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Job(job) if wanted(&job) => jobs.push(job),
                Message::Job(_) => {}
                // What was sent before is still received; what is sent from now on is refused.
                Message::Close => self.messages.close(),
            }
            next = if jobs.len() < self.at_once {
                self.messages.try_recv().ok()
            } else {
                None
            };
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
    use std::time::Duration;

    use super::*;

    const SOON: Duration = Duration::from_millis(50);

    fn config(queue_jobs: usize, batch_jobs: usize) -> SqliteConfig {
        SqliteConfig {
            queue_jobs,
            batch_jobs,
            ..SqliteConfig::default()
        }
    }

    /// A worker that tells what it took together, each time that it is let.
    fn telling(config: &SqliteConfig) -> (Worker<u32, &'static str>, SyncSender<()>, Receiver<Vec<u32>>) {
        let (go, may_go) = sync_channel(16);
        let (tell, told) = sync_channel(16);
        let run = move |mut inbox: Inbox<u32>| {
            let mut jobs = Vec::new();
            while may_go.recv().is_ok() && inbox.take(&mut jobs, |job| job % 2 == 1) {
                let _left = tell.send(std::mem::take(&mut jobs));
            }
            "ended"
        };
        (Worker::start("telling", config, run).unwrap(), go, told)
    }

    async fn send(worker: &Worker<u32, &'static str>, job: u32) -> Result<(), NotTaken> {
        worker.send(Instant::now() + SOON, || job).await
    }

    #[tokio::test]
    async fn what_waits_is_taken_together_up_to_the_bound_without_what_nobody_wants() {
        let (worker, go, told) = telling(&config(8, 3));
        for job in [1, 2, 3, 4, 5, 7] {
            send(&worker, job).await.unwrap();
        }
        for expected in [vec![1, 3, 5], vec![7]] {
            go.send(()).unwrap();
            assert_eq!(told.recv().unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn a_full_inbox_takes_nothing_until_the_deadline() {
        let (worker, go, told) = telling(&config(1, 1));
        send(&worker, 1).await.unwrap();
        assert_eq!(send(&worker, 3).await, Err(NotTaken::Full));
        go.send(()).unwrap();
        assert_eq!(told.recv().unwrap(), [1]);
        send(&worker, 5).await.unwrap();
    }

    #[tokio::test]
    async fn what_was_taken_in_is_done_before_the_end_and_nothing_is_taken_in_after_it() {
        let (worker, go, told) = telling(&config(8, 1));
        for job in [1, 3] {
            send(&worker, job).await.unwrap();
        }
        for _ in 0..8 {
            go.send(()).unwrap();
        }
        assert_eq!(worker.close().await.unwrap().unwrap(), "ended");
        let done: Vec<u32> = told.iter().flatten().collect();
        assert_eq!(done, [1, 3]);
        assert_eq!(send(&worker, 5).await, Err(NotTaken::Closed));
        assert!(worker.close().await.is_none());
    }

    #[tokio::test]
    async fn a_thread_that_broke_off_is_told_of() {
        let worker: Worker<u32, ()> =
            Worker::start("breaking", &config(1, 1), |_inbox| panic!("as planned")).unwrap();
        assert!(worker.close().await.unwrap().is_err());
        assert_eq!(
            worker.send(Instant::now() + SOON, || 1).await,
            Err(NotTaken::Closed)
        );
    }
}
