//! Threads of their own for policies that take their time, so that none of them holds up a worker of the gateway.
//!
//! A policy runs on the payment's own thread as long as it ends within a slice of a few milliseconds, which nearly all do in
//! microseconds. One that does not is interrupted and run again from the start on these threads, with its whole deadline.
//! That is sound because a policy is a pure function in a fresh instance: the second run gives what the first would have given.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::priority::Priority;

/// Evaluations that may wait for a thread: what two threads get done within the longest wait, at a millisecond each.
pub(crate) const MAX_WAITING: usize = 1_024;

/// How long an evaluation may wait for a thread, besides what it takes itself. A payer waits for the answer, and the failure
/// mode has one.
pub(crate) const MAX_WAIT: Duration = Duration::from_millis(500);

/// Evaluations of one release that may wait for a thread or be on one, however quick they are: a fraction of what may wait.
pub(crate) const MAX_PLACES: u32 = 64;

/// What a job that began in time may take longer than it said: a tick of the deadline's clock, and a busy machine.
const GRACE: Duration = Duration::from_millis(100);

/// How nice the threads are: a policy that computes for long has all of a core that nobody else wants, and a quarter of one that
/// serves payments too. Not the lowest: slow policies that are sound are to be served on a busy machine as well.
const NICENESS: i32 = 5;

/// How nice those are that run what no payment waits for: half way to the lowest priority, so that the lane of payments has three times
/// as much of a core that both want.
const NICENESS_BESIDE: i32 = 10;

type Job = Box<dyn FnOnce() + Send>;

/// The threads, and what waits for them. Dropping it ends the threads after what they are at.
pub(crate) struct Lane {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    closed: bool,
}

/// No thread will be free in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LaneFull;

impl Lane {
    /// Starts so many threads for policies that payments wait for.
    pub(crate) fn start(threads: u32) -> std::io::Result<Self> {
        Self::of(threads, "policy-lane", NICENESS)
    }

    /// Starts so many threads for what is run beside payments. Threads of their own: a release on trial that takes its time must not
    /// have a payment wait.
    pub(crate) fn start_beside(threads: u32) -> std::io::Result<Self> {
        Self::of(threads, "policy-beside", NICENESS_BESIDE)
    }

    fn of(threads: u32, name: &'static str, niceness: i32) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let threads = (0..threads.max(1))
            .map(|index| {
                let queue = Arc::clone(&queue);
                thread::Builder::new()
                    .name(format!("{name}-{index}"))
                    .spawn(move || {
                        Priority::background(niceness).of_this_thread(name);
                        queue.work();
                    })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { queue, threads })
    }

    /// How many evaluations of one release may wait for a thread or be on one, where each usually takes so long: what the threads
    /// get done in half of the time that others are ready to wait. At least one; and of one that takes as long as that it is one,
    /// so that a release that burns a long deadline leaves a thread to the others.
    pub(crate) fn places(&self, takes: Duration) -> u32 {
        let threads = u128::try_from(self.threads.len()).unwrap_or(u128::MAX);
        let places = threads.saturating_mul(MAX_WAIT.as_micros() / 2) / takes.as_micros().max(1);
        u32::try_from(places).unwrap_or(u32::MAX).clamp(1, MAX_PLACES)
    }

    /// Runs a job that takes up to so long on one of the threads.
    ///
    /// # Errors
    /// When too many wait already, or no thread was free in time.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        takes: Duration,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, LaneFull> {
        let (sender, receiver) = oneshot::channel();
        let span = tracing::Span::current();
        let waiting = Instant::now();
        self.queue.push(Box::new(move || {
            // One that nobody waits for any more, or that waited too long, is not run at all.
            if !sender.is_closed() && waiting.elapsed() <= MAX_WAIT {
                let answer = span.in_scope(job);
                let _delivered = sender.send(answer);
            }
        }))?;
        // The job never panics by itself; if it did, the thread lives on and this payment has no answer.
        match tokio::time::timeout(takes + MAX_WAIT + GRACE, receiver).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) | Err(_) => Err(LaneFull),
        }
    }
}

impl Lane {
    /// Leaves a job for one of the threads; nobody waits for it.
    ///
    /// # Errors
    /// When too many wait already; the job is dropped.
    pub(crate) fn submit(&self, job: impl FnOnce() + Send + 'static) -> Result<(), LaneFull> {
        self.queue.push(Box::new(job))
    }
}

impl Queue {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, job: Job) -> Result<(), LaneFull> {
        let mut state = self.lock();
        if state.waiting.len() >= MAX_WAITING {
            return Err(LaneFull);
        }
        state.waiting.push_back(job);
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    fn work(&self) {
        loop {
            let mut state = self.lock();
            let job = loop {
                match state.waiting.pop_front() {
                    Some(job) => break job,
                    None if state.closed => return,
                    None => state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
                }
            };
            drop(state);
            if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err() {
                tracing::error!("an evaluation panicked; its payment got no answer from the policy");
            }
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.closed = true;
        state.waiting.clear();
        drop(state);
        self.queue.arrived.notify_all();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the policy lane had panicked");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No test waits for so long.
    const AGES: Duration = Duration::from_secs(600);

    #[tokio::test]
    async fn jobs_run_on_threads_of_their_own_and_answer() {
        let lane = Lane::start(2).unwrap();
        let here = thread::current().id();
        let there = lane.run(AGES, || thread::current().id()).await.unwrap();
        assert_ne!(here, there);
    }

    #[test]
    fn one_release_has_the_share_of_the_lane_that_leaves_others_time() {
        let lane = Lane::start(2).unwrap();
        for (deadline_ms, places) in [
            (1, 64),
            (5, 64),
            (10, 50),
            (100, 5),
            (250, 2),
            (500, 1),
            (1_000, 1),
        ] {
            let deadline = Duration::from_millis(deadline_ms);
            assert_eq!(lane.places(deadline), places, "{deadline_ms} ms");
        }
    }

    #[tokio::test]
    async fn a_job_that_panics_takes_no_thread_with_it() {
        let lane = Lane::start(1).unwrap();
        assert_eq!(
            lane.run(AGES, || if true {
                panic!("on purpose")
            })
            .await,
            Err(LaneFull)
        );
        assert_eq!(lane.run(AGES, || 7).await, Ok(7));
    }

    #[tokio::test]
    async fn more_than_may_wait_are_refused_at_once() {
        let lane = Arc::new(Lane::start(1).unwrap());
        let (release, held) = std::sync::mpsc::sync_channel::<()>(1);
        let (started, running) = oneshot::channel();
        let holding = tokio::spawn({
            let lane = Arc::clone(&lane);
            async move {
                lane.run(AGES, move || {
                    let _started = started.send(());
                    let _released = held.recv();
                })
                .await
            }
        });
        running.await.unwrap();
        let waiting: Vec<_> = (0..MAX_WAITING)
            .map(|_| lane.queue.push(Box::new(|| {})))
            .collect();
        assert!(waiting.iter().all(Result::is_ok));
        assert_eq!(lane.run(AGES, || ()).await, Err(LaneFull));
        release.send(()).unwrap();
        assert_eq!(holding.await.unwrap(), Ok(()));
    }
}
