//! The pool of connections, and how long anything is waited for.

use std::future::poll_fn;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use application::ports::RepositoryError;
use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
};
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Row};

use super::failure::{describe, is_in_the_way, is_the_connections, unavailable, unavailable_because};
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

/// How often work is tried that was undone because somebody else's was in its way. Each time the other one got through, so this is
/// hardly ever needed twice.
const MAX_TRIES: usize = 4;

/// Begins a transaction whose statements each see what was committed before them: behind one that waited for a lock, all that whoever
/// held it has done.
pub(super) const ONE_BY_ONE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Begins a transaction whose statements all see the same.
pub(super) const ONE_SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/// A statement and its values.
pub(super) type Work<'a> = (&'a str, &'a [&'a (dyn ToSql + Sync)]);

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

    /// The same, again where it was undone because somebody else's was in its way.
    pub(super) async fn until_nobody_is_in_the_way<T, W>(
        &self,
        work: impl Fn() -> W,
    ) -> Result<T, StatementError>
    where
        W: Future<Output = Result<T, tokio_postgres::Error>>,
    {
        let mut tries = 1;
        loop {
            match self.within_patience(work()).await {
                Err(StatementError::Refused(error)) if is_in_the_way(&error) && tries < MAX_TRIES => {
                    tries += 1
                }
                done => return done,
            }
        }
    }

    /// Sends all statements of a transaction at once, so that it holds its locks for no way to the server and back; tells the rows of
    /// each. Where the server refuses one, it refuses those behind it and undoes those before.
    pub(super) async fn transact<const N: usize>(
        &self,
        begin: &str,
        work: [Work<'_>; N],
    ) -> Result<[Vec<Row>; N], tokio_postgres::Error> {
        let mut statements = Vec::with_capacity(N);
        for (sql, values) in work {
            statements.push((self.prepare_cached(sql).await?, values));
        }
        let mut parts: Vec<Part<'_>> = Vec::with_capacity(N + 2);
        let bare = |sql| async move { self.batch_execute(sql).await.map(|()| Vec::new()) };
        parts.push(Part::Sent(Box::pin(bare(begin))));
        for (statement, values) in &statements {
            parts.push(Part::Sent(Box::pin(self.query(statement, values))));
        }
        // Each is sent when it is first polled, so in this order. One that could not be sent is refused here and not at the server,
        // where what was sent beside it must not be committed.
        let are_sent = poll_fn(|context| {
            parts.iter_mut().for_each(|part| part.poll(context));
            Poll::Ready(!parts.iter().any(Part::is_refused))
        });
        // After a refusal by the server a commit undoes all of it, and is no error itself.
        let end = if are_sent.await { "COMMIT" } else { "ROLLBACK" };
        parts.push(Part::Sent(Box::pin(bare(end))));
        poll_fn(|context| {
            parts.iter_mut().for_each(|part| part.poll(context));
            let are_all_answered = parts.iter().all(|part| matches!(part, Part::Answered(_)));
            if are_all_answered {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        let answers = parts.into_iter().filter_map(Part::answer);
        let mut answers = answers.collect::<Result<Vec<_>, _>>()?.into_iter().skip(1);
        Ok(std::array::from_fn(|_| answers.next().unwrap_or_default()))
    }

    /// The connection, to open a transaction on.
    pub(super) fn client(&mut self) -> Option<&mut Object> {
        self.object.as_mut()
    }
}

/// One statement of a transaction that was sent at once.
enum Part<'a> {
    Sent(Pin<Box<dyn Future<Output = Result<Vec<Row>, tokio_postgres::Error>> + Send + 'a>>),
    Answered(Result<Vec<Row>, tokio_postgres::Error>),
}

impl Part<'_> {
    fn poll(&mut self, context: &mut Context<'_>) {
        if let Self::Sent(answer) = self
            && let Poll::Ready(answer) = answer.as_mut().poll(context)
        {
            *self = Self::Answered(answer);
        }
    }

    const fn is_refused(&self) -> bool {
        matches!(self, Self::Answered(Err(_)))
    }

    fn answer(self) -> Option<Result<Vec<Row>, tokio_postgres::Error>> {
        match self {
            Self::Sent(_) => None,
            Self::Answered(answer) => Some(answer),
        }
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
