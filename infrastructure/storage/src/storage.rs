//! The database that the configuration chose, behind the ports.

use std::sync::{Arc, OnceLock};

use application::ports::{
    ApiKeyStore, Clock, DecisionLog, EventLog, ListStore, PaymentCatalog, PaymentRepository, Telemetry,
    WebhookDeliveryStore, WebhookEndpointStore,
};
use thiserror::Error;
use tokio::task::spawn_blocking;

use crate::config::{Config, DecisionsConfig, StorageKind};
use crate::decisions::{DecisionTable, QueuedDecisionLog};
use crate::postgres::{PostgresOpenError, PostgresPaymentRepository};
use crate::sqlite::{CloseError, SqliteListStore, SqliteOpenError, SqlitePaymentRepository};

/// Why the storage cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// SQLite.
    #[error(transparent)]
    Sqlite(#[from] SqliteOpenError),
    /// PostgreSQL.
    #[error(transparent)]
    Postgres(#[from] PostgresOpenError),
    /// Opening broke off: a defect.
    #[error("opening the storage broke off")]
    BrokeOff,
}

/// All ports of one database.
#[derive(Clone)]
pub struct Storage {
    /// Payments by name, and idempotency keys.
    pub payments: Arc<dyn PaymentRepository>,
    /// Payments by something else.
    pub catalog: Arc<dyn PaymentCatalog>,
    /// What happened.
    pub events: Arc<dyn EventLog>,
    /// Keys to the HTTP interface.
    pub api_keys: Arc<dyn ApiKeyStore>,
    /// Where events are sent.
    pub webhook_endpoints: Arc<dyn WebhookEndpointStore>,
    /// What is sent there.
    pub webhook_deliveries: Arc<dyn WebhookDeliveryStore>,
    /// Items of lists.
    pub lists: Arc<dyn ListStore>,
    database: Database,
    decisions: Arc<OnceLock<Arc<QueuedDecisionLog>>>,
}

#[derive(Clone)]
enum Database {
    Sqlite(Arc<SqlitePaymentRepository>),
    Postgres(Arc<PostgresPaymentRepository>),
}

/// Opens the database that the configuration chose, and brings its schema up to date.
///
/// # Errors
/// When it cannot be reached or made, or is another program's or a newer gateway's.
pub async fn open(config: &Config) -> Result<Storage, OpenError> {
    match config.kind {
        StorageKind::Sqlite => {
            let config = config.sqlite.clone();
            // It blocks on the disk.
            let opened = spawn_blocking(move || SqlitePaymentRepository::open(&config)).await;
            let opened = Arc::new(opened.map_err(|_| OpenError::BrokeOff)??);
            let lists = Arc::new(SqliteListStore::new(Arc::clone(&opened)));
            Ok(Storage::over(
                &opened,
                lists,
                Database::Sqlite(Arc::clone(&opened)),
            ))
        }
        StorageKind::Postgres => {
            let opened = Arc::new(PostgresPaymentRepository::open(&config.postgres).await?);
            let lists = Arc::clone(&opened) as _;
            Ok(Storage::over(
                &opened,
                lists,
                Database::Postgres(Arc::clone(&opened)),
            ))
        }
    }
}

impl Storage {
    fn over<T>(adapter: &Arc<T>, lists: Arc<dyn ListStore>, database: Database) -> Self
    where
        T: PaymentRepository
            + PaymentCatalog
            + EventLog
            + ApiKeyStore
            + WebhookEndpointStore
            + WebhookDeliveryStore
            + 'static,
    {
        Self {
            payments: Arc::clone(adapter) as _,
            catalog: Arc::clone(adapter) as _,
            events: Arc::clone(adapter) as _,
            webhook_endpoints: Arc::clone(adapter) as _,
            webhook_deliveries: Arc::clone(adapter) as _,
            api_keys: Arc::clone(adapter) as _,
            lists,
            database,
            decisions: Arc::default(),
        }
    }

    /// The log of bare decisions. The first call starts the task that writes them, on the runtime that it is made on, and later ones
    /// answer with the same log.
    #[must_use]
    pub fn decision_log(
        &self,
        config: &DecisionsConfig,
        clock: &Arc<dyn Clock>,
        telemetry: &Arc<dyn Telemetry>,
    ) -> Arc<dyn DecisionLog> {
        let start = || {
            let table: Arc<dyn DecisionTable> = match &self.database {
                Database::Sqlite(sqlite) => Arc::clone(sqlite) as _,
                Database::Postgres(postgres) => Arc::clone(postgres) as _,
            };
            let (clock, telemetry) = (Arc::clone(clock), Arc::clone(telemetry));
            Arc::new(QueuedDecisionLog::start(table, config, clock, telemetry))
        };
        Arc::clone(self.decisions.get_or_init(start)) as _
    }

    /// Ends it in good order: what was taken in is done, decisions that wait to be written down among it. From the call on everything else is told that the store is unavailable; a
    /// second call does nothing. Without it nothing is lost that was acknowledged.
    ///
    /// # Errors
    /// When SQLite's log could not be copied into the database. Nothing is lost: the next start does it.
    pub async fn close(&self) -> Result<(), CloseError> {
        if let Some(decisions) = self.decisions.get() {
            decisions.close().await;
        }
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.close().await,
            Database::Postgres(postgres) => {
                postgres.close();
                Ok(())
            }
        }
    }
}
