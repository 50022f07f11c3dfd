//! How much is worked on at once. What does not fit is refused at the door, with a time to come back.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::{Problem, ProblemCode};

/// How many bodies of one connection are read at once. A payment is one packet or two, so this keeps a busy HTTP/2
/// client going, and a hostile one from taking what others need.
const MAX_BODIES_PER_CONNECTION: usize = 8;

/// The bodies of one connection; handed to its requests as an extension.
#[derive(Clone)]
pub(crate) struct ConnectionBodies {
    /// One that needs nobody's leave, so that no other connection can keep this one from being served.
    first: Arc<Semaphore>,
    all: Arc<Semaphore>,
}

impl ConnectionBodies {
    pub(crate) fn new() -> Self {
        Self {
            first: Arc::new(Semaphore::new(1)),
            all: Arc::new(Semaphore::new(MAX_BODIES_PER_CONNECTION)),
        }
    }
}

/// Leave to buffer one body, until it is dropped.
pub(crate) struct Reading {
    _buffer: OwnedSemaphorePermit,
    _place: Option<OwnedSemaphorePermit>,
}

impl Reading {
    fn alone(buffer: OwnedSemaphorePermit) -> Self {
        Self {
            _buffer: buffer,
            _place: None,
        }
    }
}

/// Counts bodies being read and requests being worked on. A request is admitted once its body is there: who sends
/// slowly takes up a connection and no place in the line.
pub(crate) struct Admission {
    /// For connections that read more than one body at once; each reads one in any case.
    reading: Arc<Semaphore>,
    in_flight: Arc<Semaphore>,
}

impl Admission {
    pub(crate) fn new(max_in_flight: usize, max_reading: usize) -> Self {
        let permits = |count: usize| count.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            reading: Arc::new(Semaphore::new(permits(max_reading))),
            in_flight: Arc::new(Semaphore::new(permits(max_in_flight))),
        }
    }

    /// Leave to buffer one body. On a connection it waits for the connection's own other bodies alone: streams that send
    /// nothing hold up those beside them, and nobody on another connection.
    pub(crate) async fn read_body(&self, connection: Option<&ConnectionBodies>) -> Result<Reading, Problem> {
        let Some(connection) = connection else {
            let shared = Arc::clone(&self.reading).try_acquire_owned();
            return shared.map(Reading::alone).map_err(|_| refused());
        };
        // Neither semaphore is ever closed.
        let place = Arc::clone(&connection.all).acquire_owned().await;
        let place = place.map_err(|_| refused())?;
        let reading = tokio::select! {
            biased;
            own = Arc::clone(&connection.first).acquire_owned() => own,
            shared = Arc::clone(&self.reading).acquire_owned() => shared,
        };
        Ok(Reading {
            _buffer: reading.map_err(|_| refused())?,
            _place: Some(place),
        })
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
