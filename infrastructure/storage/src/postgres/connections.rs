//! The pool of connections, and how long anything is waited for.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use application::ports::RepositoryError;
use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
};
use tokio::time::timeout;
use tokio_postgres::NoTls;

use super::failure::{describe, is_the_connections, unavailable, unavailable_because};
use super::settings::{ANSWER_GRACE, PostgresConfigError, Settings};
use super::tls::MakeRustls;
use crate::config::PostgresConfig;

/// How long idle connections are, when they are taken out, believed to be whole: as long as nobody closed them. A server that is
/// gone without a word shows by the statement's own bound.
const RECYCLING: RecyclingMethod = RecyclingMethod::Fast;

/// What a session is told when it begins. A commit has to be on the server's disk when it returns: where somebody switched that
/// off, it is switched on; the stricter modes are left as they are.
const BEGIN_SESSION: &str = "
    SELECT set_config('statement_timeout', $1, false),
        set_config('synchronous_commit',
            CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END,
            false)";

/// Connections to one database.
#[derive(Clone)]
pub(super) struct Connections {
    pool: Pool,
    patience: Duration,
}

impl Connections {
    /// None of them is made yet.
    pub(super) fn new(config: &PostgresConfig) -> Result<Self, PostgresConfigError> {
        let Settings { driver, tls } = Settings::read(config)?;
        let how = ManagerConfig {
            recycling_method: RECYCLING,
        };
        let manager = match tls {
            Some(tls) => Manager::from_config(driver, MakeRustls(tls), how),
            None => Manager::from_config(driver, NoTls, how),
        };
        let acquire = Some(Duration::from_millis(config.acquire_timeout_ms));
        let statement_timeout = format!("{}ms", config.statement_timeout_ms);
        let begin = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
            let statement_timeout = statement_timeout.clone();
            Box::pin(async move {
                let begun = client.query(BEGIN_SESSION, &[&statement_timeout]).await;
                begun.map(|_| ()).map_err(HookError::Backend)
            })
        });
        let pool = Pool::builder(manager)
            .max_size(config.max_connections)
            .wait_timeout(acquire)
            .create_timeout(acquire)
            .recycle_timeout(acquire)
            .runtime(Runtime::Tokio1)
            .post_create(begin)
            .build();
        let patience = Duration::from_millis(config.statement_timeout_ms) + ANSWER_GRACE;
        match pool {
            Ok(pool) => Ok(Self { pool, patience }),
            // Only where there is no runtime, and there is.
            Err(error) => Err(PostgresConfigError::of_pool(&error)),
        }
    }

    /// A connection that nobody else uses meanwhile.
    pub(super) async fn lease(&self) -> Result<Lease, RepositoryError> {
        let object = self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                unavailable(&error)
            }
            PoolError::Closed => unavailable_because("the store is closed".to_owned()),
            PoolError::Timeout(deadpool_postgres::TimeoutType::Wait) => {
                unavailable_because("every connection is busy".to_owned())
            }
            error => unavailable_because(error.to_string()),
        })?;
        Ok(Lease {
            object: Some(object),
            patience: self.patience,
            is_whole: AtomicBool::new(true),
        })
    }

    /// Gives out no more connections, and closes those that are idle; those in use are closed when they come back.
    pub(super) fn close(&self) {
        self.pool.close();
    }
}

/// A connection in use. Where it may be broken, or a statement may still run on it because whoever waited for that has left, it is
/// closed instead of going back to the pool.
pub(super) struct Lease {
    object: Option<Object>,
    patience: Duration,
    is_whole: AtomicBool,
}

impl Lease {
    /// Waits for what is done with the connection, within the bound of a statement.
    pub(super) async fn within_patience<T>(
        &self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StatementError> {
        // Until it has come back nobody knows.
        self.is_whole.store(false, Ordering::Relaxed);
        match timeout(self.patience, work).await {
            Ok(Ok(done)) => {
                self.is_whole.store(true, Ordering::Relaxed);
                Ok(done)
            }
            Ok(Err(error)) => {
                self.is_whole
                    .store(!is_the_connections(&error), Ordering::Relaxed);
                Err(StatementError::Refused(error))
            }
            Err(_elapsed) => Err(StatementError::NoAnswer),
        }
    }

    /// The connection, to open a transaction on.
    pub(super) fn client(&mut self) -> Option<&mut Object> {
        self.object.as_mut()
    }
}

impl Deref for Lease {
    type Target = Object;

    fn deref(&self) -> &Object {
        // It is taken when the lease ends and not before.
        #[expect(clippy::expect_used, reason = "only `drop` takes it out")]
        self.object.as_ref().expect("a lease has a connection")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.is_whole.load(Ordering::Relaxed)
            && let Some(object) = self.object.take()
        {
            // Closed with its client.
            drop(Object::take(object));
        }
    }
}

/// Why a statement was not done, or is not known to be.
#[derive(Debug)]
pub(super) enum StatementError {
    /// The server, or the way to it, said so.
    Refused(tokio_postgres::Error),
    /// There was no answer in time. Whether the statement was done is not known.
    NoAnswer,
}

impl StatementError {
    pub(super) fn into_unavailable(self) -> RepositoryError {
        match self {
            Self::Refused(error) => unavailable(&error),
            Self::NoAnswer => unavailable_because("the server did not answer in time".to_owned()),
        }
    }
}

impl std::fmt::Display for StatementError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(error) => f.write_str(&describe(error)),
            Self::NoAnswer => f.write_str("the server did not answer in time"),
        }
    }
}
