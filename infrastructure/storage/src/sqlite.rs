//! Payments in one SQLite file: one thread writes, one looks idempotency keys up, a few connections read all else.

mod answers;
mod api_keys;
mod catalog;
mod checkpoint;
mod connection;
mod decisions;
mod events;
mod key_reader;
mod keys;
mod list_store;
mod lists;
mod readers;
mod row;
mod schema;
mod webhooks;
mod worker;
mod writer;

use application::ports::{
    EventLog, IdempotencyKey, KeyEntry, KeyWrite, Page, PageCursor, PaymentCatalog, PaymentQuery,
    PaymentRepository, RepositoryError, StoredEvent,
};
use async_trait::async_trait;
use domain::{MerchantId, Payment, PaymentId, Timestamp};

use crate::config::SqliteConfig;
use key_reader::KeyReader;
use readers::Readers;
use row::PaymentRow;
use writer::{Work, WriteError, Writer};

pub use connection::SqliteOpenError;
pub use list_store::SqliteListStore;
pub use writer::CloseError;

/// Keeps payments in SQLite. Call [`SqlitePaymentRepository::close`] before the process ends; without it nothing is lost
/// that was acknowledged, but the next start has a log to work through.
#[derive(Debug)]
pub struct SqlitePaymentRepository {
    writer: Writer,
    readers: Readers,
    key_reader: KeyReader,
}

impl SqlitePaymentRepository {
    /// Opens the database, makes it where there is none, and brings its schema up to date. Blocks on the disk: called at
    /// the start, before requests are taken.
    ///
    /// # Errors
    /// When the file is no database of Portcullis, was written by a newer gateway, or cannot be used.
    pub fn open(config: &SqliteConfig) -> Result<Self, SqliteOpenError> {
        let connection = connection::open_for_writing(config)?;
        let readers = Readers::open(config)?;
        let key_reader = KeyReader::start(config)?;
        let writer = Writer::start(connection, config)?;
        Ok(Self {
            writer,
            readers,
            key_reader,
        })
    }

    /// Ends it in good order: saves that were taken in are written, reads that began are answered, the log is copied into
    /// the database, the threads are gone. From the call on every other one is told that the store is unavailable; a
    /// second call does nothing.
    ///
    /// # Errors
    /// When the log could not be copied. Nothing is lost: the next start does it.
    pub async fn close(&self) -> Result<(), CloseError> {
        self.readers.close().await;
        self.key_reader.close().await;
        self.writer.close().await
    }
}

#[async_trait]
impl PaymentRepository for SqlitePaymentRepository {
    async fn save_with_key(
        &self,
        payment: &mut Payment,
        key: Option<KeyWrite<'_>>,
    ) -> Result<(), RepositoryError> {
        let expected = payment.record().version;
        let row = PaymentRow::of(payment, key).map_err(|damage| RepositoryError::Unavailable {
            reason: damage.to_string(),
        })?;
        let id = || payment.id().clone();
        match self.writer.write(Work::Save(Box::new(row))).await {
            Ok(_) => {
                payment.stored_as(expected + 1);
                Ok(())
            }
            Err(WriteError::OtherVersion) if expected == 0 => {
                Err(RepositoryError::AlreadyExists { id: id() })
            }
            Err(WriteError::OtherVersion) => Err(RepositoryError::Conflict { id: id(), expected }),
            Err(WriteError::KeyTaken) => Err(RepositoryError::KeyTaken),
            Err(WriteError::List(_)) => Err(RepositoryError::Unavailable {
                reason: writer::OTHER_ANSWER.to_owned(),
            }),
            Err(WriteError::Unavailable(reason)) => Err(RepositoryError::Unavailable { reason }),
        }
    }

    async fn find(&self, id: &PaymentId) -> Result<Option<Payment>, RepositoryError> {
        let wanted = id.clone();
        self.readers
            .run(move |connection| row::find(connection, &wanted))
            .await?
    }

    async fn find_key(
        &self,
        tenant: &MerchantId,
        key: &IdempotencyKey,
    ) -> Result<Option<KeyEntry>, RepositoryError> {
        self.key_reader.find(tenant, key).await
    }

    async fn check(&self) -> Result<(), RepositoryError> {
        self.readers.run(schema::check_readable).await??;
        // A write that changes nothing goes the way of every save: queue, lock, log, disk.
        self.write_other(Work::Check).await.map(|_| ())
    }
}

#[async_trait]
impl PaymentCatalog for SqlitePaymentRepository {
    async fn list(
        &self,
        query: &PaymentQuery,
        after: Option<&PageCursor>,
        limit: usize,
    ) -> Result<Page<Payment>, RepositoryError> {
        let (query, after) = (query.clone(), after.cloned());
        self.readers
            .run(move |connection| catalog::list(connection, &query, after.as_ref(), limit))
            .await?
    }

    async fn due_for_inquiry(&self, now: Timestamp, limit: usize) -> Result<Vec<PaymentId>, RepositoryError> {
        self.readers
            .run(move |connection| catalog::due_for_inquiry(connection, now, limit))
            .await?
    }

    async fn overdue(&self, now: Timestamp, limit: usize) -> Result<Vec<PaymentId>, RepositoryError> {
        self.readers
            .run(move |connection| catalog::overdue(connection, now, limit))
            .await?
    }

    async fn left_to_humans(
        &self,
        after: Option<&PaymentId>,
        limit: usize,
    ) -> Result<Page<Payment>, RepositoryError> {
        let after = after.cloned();
        self.readers
            .run(move |connection| catalog::left_to_humans(connection, after.as_ref(), limit))
            .await?
    }

    async fn forget_keys(&self, created_before: Timestamp, limit: usize) -> Result<usize, RepositoryError> {
        self.write_other(Work::ForgetKeys {
            created_before,
            limit,
        })
        .await
    }
}

#[async_trait]
impl EventLog for SqlitePaymentRepository {
    async fn events_after(
        &self,
        position: u64,
        merchant: Option<&MerchantId>,
        limit: usize,
    ) -> Result<Page<StoredEvent>, RepositoryError> {
        let merchant = merchant.cloned();
        self.readers
            .run(move |connection| events::after(connection, position, merchant.as_ref(), limit))
            .await?
    }
}

impl SqlitePaymentRepository {
    /// Work that is about no payment.
    async fn write_other(&self, work: Work) -> Result<usize, RepositoryError> {
        self.writer
            .write(work)
            .await
            .map_err(|error| RepositoryError::Unavailable {
                reason: match error {
                    WriteError::Unavailable(reason) => reason,
                    WriteError::OtherVersion | WriteError::KeyTaken | WriteError::List(_) => {
                        writer::OTHER_ANSWER.to_owned()
                    }
                },
            })
    }
}
