//! How much is worked on at once. What does not fit is refused at the door, with a time to come back.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use crate::problem::{Problem, ProblemCode};

/// Counts bodies being read and requests being worked on. A request is admitted once its body is there: who sends
/// slowly takes up a connection and no place in the line.
pub(crate) struct Admission {
    reading: Semaphore,
    in_flight: Arc<Semaphore>,
}

impl Admission {
    pub(crate) fn new(max_in_flight: usize, max_reading: usize) -> Self {
        let permits = |count: usize| count.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            reading: Semaphore::new(permits(max_reading)),
            in_flight: Arc::new(Semaphore::new(permits(max_in_flight))),
        }
    }

    /// Leave to buffer one body.
    pub(crate) fn read_body(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.reading.try_acquire().map_err(|_| refused())
    }

    /// A place among the requests that are worked on, for as long as the permit is held.
    pub(crate) fn admit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.in_flight)
            .try_acquire_owned()
            .map_err(|_| refused())
    }
}

fn refused() -> Problem {
    Problem::new(
        ProblemCode::TooManyRequests,
        "As many requests are being worked on as this node takes. Nothing was done; send it again later.",
    )
}
