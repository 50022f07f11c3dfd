//! The schema, and the steps that led to it.
//!
//! One row says which version the schema has. Whoever brings it up to date holds that row locked meanwhile, so gateways that start
//! at the same time wait for each other; and where there is no such table yet, only one of them can make it.

use std::time::Duration;

use deadpool_postgres::{Object, Transaction};
use thiserror::Error;
use tokio::time::timeout;

use super::connections::Connections;
use super::failure::{describe, is_in_the_way, is_made_already};
use super::settings::PostgresConfigError;

/// Each step leads from the version of its place to the next. A step that was released is never changed.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/postgres/0001_payments.sql"),
    include_str!("../../migrations/postgres/0002_api_keys.sql"),
    include_str!("../../migrations/postgres/0003_lists.sql"),
    include_str!("../../migrations/postgres/0004_webhooks.sql"),
    include_str!("../../migrations/postgres/0005_decisions.sql"),
];

/// How often it is tried, because another gateway was faster. Each of them does it once, and the next try finds it done.
const MAX_TRIES: usize = 8;

/// How long one try may take. A migration of many rows is minutes; a server that has not answered by then does not answer.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// A migration of many rows takes as long as it takes, and so does waiting for another gateway that is at one.
const WITHOUT_TIMEOUT: &str = "SET LOCAL statement_timeout = 0";

const LOOK: &str = "
    SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_tables
            WHERE schemaname = current_schema() AND tablename = 'portcullis_schema') AS is_ours,
        EXISTS (SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = current_schema()) AS has_tables,
        current_setting('server_encoding') AS encoding";

const BEGIN_SCHEMA: &str = "
    CREATE TABLE portcullis_schema (
        only_row BOOLEAN NOT NULL DEFAULT TRUE PRIMARY KEY CHECK (only_row),
        version  BIGINT  NOT NULL CHECK (version >= 0)
    );
    INSERT INTO portcullis_schema (version) VALUES (0)";

const VERSION: &str = "SELECT version FROM portcullis_schema";
const VERSION_LOCKED: &str = "SELECT version FROM portcullis_schema FOR UPDATE";
const SET_VERSION: &str = "UPDATE portcullis_schema SET version = $1";

/// Writes what is there again, as it is: it goes the way of every save.
pub(super) const TOUCH: &str = "UPDATE portcullis_schema SET version = version";

/// Reads of every table that a payment needs.
pub(super) const READ_EVERYWHERE: &str = "
    SELECT EXISTS (SELECT 1 FROM payments), EXISTS (SELECT 1 FROM operations),
        EXISTS (SELECT 1 FROM idempotency_keys), EXISTS (SELECT 1 FROM events)";

/// Why the store cannot be opened. Nothing in the database was changed, unless the schema was being brought up to date, which
/// happens whole or not at all.
#[derive(Debug, Error)]
pub enum PostgresOpenError {
    /// A setting, or a file that it names, is not what it has to be.
    #[error(transparent)]
    Config(#[from] PostgresConfigError),
    /// There is no connection to be had.
    #[error("PostgreSQL cannot be reached: {reason}")]
    Unreachable {
        /// For the operator.
        reason: String,
    },
    /// It is a database of another program.
    #[error(
        "the database has tables of another program in the schema that is searched first: give Portcullis a database of its own"
    )]
    Foreign,
    /// Its texts are in an encoding that does not have every character.
    #[error(
        "the database is encoded as {encoding}, expected UTF8: make one with `ENCODING 'UTF8' TEMPLATE template0`"
    )]
    Encoding {
        /// The encoding.
        encoding: String,
    },
    /// It was written by a newer gateway, which this one would not understand.
    #[error(
        "the schema of the database has version {found}, and this gateway knows {known}: run a newer one"
    )]
    Newer {
        /// The version of its schema.
        found: i64,
        /// The latest that is known here.
        known: i64,
    },
    /// The server refused.
    #[error("the database cannot be opened: {reason}")]
    Refused {
        /// What the server said.
        reason: String,
    },
}

enum Step {
    Refused(PostgresOpenError),
    /// Another gateway was faster.
    Again(String),
}

impl Step {
    fn no_answer() -> Self {
        let reason = format!("the server did not answer within {} s", PATIENCE.as_secs());
        Self::Refused(PostgresOpenError::Refused { reason })
    }
}

impl From<tokio_postgres::Error> for Step {
    fn from(error: tokio_postgres::Error) -> Self {
        let reason = describe(&error);
        if is_in_the_way(&error) || is_made_already(&error) {
            Self::Again(reason)
        } else {
            Self::Refused(PostgresOpenError::Refused { reason })
        }
    }
}

/// The version of the schema that this gateway writes.
const fn latest() -> i64 {
    #[expect(clippy::cast_possible_wrap, reason = "the number of migrations is small")]
    {
        MIGRATIONS.len() as i64
    }
}

/// Makes the schema where there is none, and takes every step that is still missing.
pub(super) async fn bring_up_to_date(connections: &Connections) -> Result<(), PostgresOpenError> {
    let unreachable = |error: application::ports::RepositoryError| {
        let reason = match error {
            application::ports::RepositoryError::Unavailable { reason } => reason,
            error => error.to_string(),
        };
        PostgresOpenError::Unreachable { reason }
    };
    let mut refusal = String::new();
    for _ in 0..MAX_TRIES {
        let mut lease = connections.lease().await.map_err(unreachable)?;
        let Some(client) = lease.client() else { continue };
        let migrated = timeout(PATIENCE, migrate(client)).await;
        match migrated.unwrap_or_else(|_elapsed| Err(Step::no_answer())) {
            Ok(()) => {
                warn_where_not_durable(client).await;
                return Ok(());
            }
            Err(Step::Refused(error)) => return Err(error),
            Err(Step::Again(reason)) => refusal = reason,
        }
    }
    Err(PostgresOpenError::Refused { reason: refusal })
}

async fn migrate(client: &mut Object) -> Result<(), Step> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(WITHOUT_TIMEOUT).await?;
    let from = recognize(&transaction).await?;
    if from == Some(latest()) {
        transaction.rollback().await?;
        return Ok(());
    }
    if from.is_none() {
        transaction.batch_execute(BEGIN_SCHEMA).await?;
    }
    // Asked under the lock: another gateway may have been faster.
    let from: i64 = transaction.query_one(VERSION_LOCKED, &[]).await?.try_get(0)?;
    refuse_newer(from)?;
    let done = usize::try_from(from).unwrap_or(0);
    for step in MIGRATIONS.iter().skip(done) {
        transaction.batch_execute(step).await?;
    }
    transaction.execute(SET_VERSION, &[&latest()]).await?;
    transaction.commit().await?;
    Ok(())
}

/// Tells the version of the schema, if there is one; looks without changing anything.
async fn recognize(transaction: &Transaction<'_>) -> Result<Option<i64>, Step> {
    let look = transaction.query_one(LOOK, &[]).await?;
    let (is_ours, has_tables): (bool, bool) = (look.try_get(0)?, look.try_get(1)?);
    let encoding: String = look.try_get(2)?;
    if !encoding.eq_ignore_ascii_case("UTF8") {
        return Err(Step::Refused(PostgresOpenError::Encoding { encoding }));
    }
    if !is_ours {
        return if has_tables {
            Err(Step::Refused(PostgresOpenError::Foreign))
        } else {
            Ok(None)
        };
    }
    let version = transaction.query_one(VERSION, &[]).await?.try_get(0)?;
    refuse_newer(version)?;
    Ok(Some(version))
}

const fn refuse_newer(found: i64) -> Result<(), Step> {
    let known = latest();
    if found > known {
        return Err(Step::Refused(PostgresOpenError::Newer { found, known }));
    }
    Ok(())
}

/// A server that does not wait for its disk may lose what it acknowledged. That is set where no session can change it.
async fn warn_where_not_durable(client: &Object) {
    const SQL: &str = "SELECT coalesce(current_setting('fsync', true), 'on'),
        coalesce(current_setting('full_page_writes', true), 'on')";
    let asked = client.query_one(SQL, &[]).await;
    let told = asked.and_then(|row| Ok((row.try_get::<_, String>(0)?, row.try_get::<_, String>(1)?)));
    if let Ok((fsync, full_page_writes)) = told
        && (fsync == "off" || full_page_writes == "off")
    {
        tracing::warn!(
            postgres.fsync = fsync,
            postgres.full_page_writes = full_page_writes,
            "the database server may lose acknowledged payments when its machine fails"
        );
    }
}
