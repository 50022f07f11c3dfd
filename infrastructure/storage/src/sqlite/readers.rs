//! A few connections that read, each for one query at a time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use application::ports::RepositoryError;
use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::connection::{self, SqliteOpenError};
use crate::config::SqliteConfig;

/// Connections that nobody reads with right now. There are as many permits as connections.
#[derive(Debug)]
pub(super) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
    count: u32,
    patience: Duration,
}

impl Readers {
    /// Opens all of them, so that what is wrong shows at the start.
    pub(super) fn open(config: &SqliteConfig) -> Result<Self, SqliteOpenError> {
        let count = config.readers.max(1);
        let idle: Result<Vec<_>, _> = (0..count).map(|_| connection::open_for_reading(config)).collect();
        Ok(Self {
            idle: Arc::new(Mutex::new(idle?)),
            permits: Arc::new(Semaphore::new(count)),
            count: u32::try_from(count).unwrap_or(u32::MAX),
            patience: Duration::from_millis(config.read_timeout_ms),
        })
    }

    /// Runs a query where it may block.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> T + Send + 'static,
    ) -> Result<T, RepositoryError> {
        let permit = match timeout(self.patience, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_closed)) => return Err(unavailable("the store is closed")),
            Err(_elapsed) => return Err(unavailable("every reader is busy")),
        };
        let idle = Arc::clone(&self.idle);
        // The permit goes along: a query whose caller has left still has its connection.
        let read = spawn_blocking(move || {
            let _permit = permit;
            let connection = lock(&idle).pop()?;
            let answer = query(&connection);
            lock(&idle).push(connection);
            Some(answer)
        });
        match read.await {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(unavailable("a reader is missing")),
            Err(_panicked) => Err(unavailable("a reader broke off")),
        }
    }

    /// Waits for the queries that began, and closes every connection.
    pub(super) async fn close(&self) {
        if let Ok(permits) = self.permits.acquire_many(self.count).await {
            self.permits.close();
            drop(permits);
            lock(&self.idle).clear();
        }
    }
}

fn lock(idle: &Mutex<Vec<Connection>>) -> MutexGuard<'_, Vec<Connection>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn unavailable(reason: &str) -> RepositoryError {
    RepositoryError::Unavailable {
        reason: reason.to_owned(),
    }
}
