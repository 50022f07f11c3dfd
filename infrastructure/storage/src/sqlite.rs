//! Payments in one SQLite file: one thread writes, a few connections read.

mod checkpoint;
mod connection;
mod readers;
mod row;
mod schema;
mod writer;

use application::ports::{PaymentRepository, RepositoryError};
use async_trait::async_trait;
use domain::{Payment, PaymentId};

use crate::config::Config;
use readers::Readers;
use row::PaymentRow;
use writer::{Work, WriteError, Writer};

pub use connection::OpenError;
pub use writer::CloseError;

/// Keeps payments in SQLite. Call [`SqlitePaymentRepository::close`] before the process ends; without it nothing is lost
/// that was acknowledged, but the next start has a log to work through.
#[derive(Debug)]
pub struct SqlitePaymentRepository {
    writer: Writer,
    readers: Readers,
}

impl SqlitePaymentRepository {
    /// Opens the database, makes it where there is none, and brings its schema up to date. Blocks on the disk: called at
    /// the start, before requests are taken.
    ///
    /// # Errors
    /// When the file is no database of Portcullis, was written by a newer gateway, or cannot be used.
    pub fn open(config: &Config) -> Result<Self, OpenError> {
        let connection = connection::open_for_writing(config)?;
        let readers = Readers::open(config)?;
        let writer = Writer::start(connection, config)?;
        Ok(Self { writer, readers })
    }

    /// Ends it in good order: saves that were taken in are written, reads that began are answered, the log is copied into
    /// the database, the threads are gone. From the call on every other one is told that the store is unavailable; a
    /// second call does nothing.
    ///
    /// # Errors
    /// When the log could not be copied. Nothing is lost: the next start does it.
    pub async fn close(&self) -> Result<(), CloseError> {
        self.readers.close().await;
        self.writer.close().await
    }
}

#[async_trait]
impl PaymentRepository for SqlitePaymentRepository {
    async fn save(&self, payment: &mut Payment) -> Result<(), RepositoryError> {
        let record = payment.record();
        let expected = record.version;
        let row = PaymentRow::of(record).map_err(|damage| RepositoryError::Unavailable {
            reason: damage.to_string(),
        })?;
        let work = match expected {
            0 => Work::Insert(row),
            expected => Work::Update { row, expected },
        };
        match self.writer.write(work).await {
            Ok(()) => {
                payment.stored_as(expected + 1);
                Ok(())
            }
            Err(WriteError::AlreadyExists) => Err(RepositoryError::AlreadyExists {
                id: payment.id().clone(),
            }),
            Err(WriteError::Conflict) => Err(RepositoryError::Conflict {
                id: payment.id().clone(),
                expected,
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

    async fn check(&self) -> Result<(), RepositoryError> {
        self.readers.run(schema::check_readable).await??;
        // A write that changes nothing goes the way of every save: queue, lock, log, disk.
        match self.writer.write(Work::Check).await {
            Ok(()) => Ok(()),
            Err(WriteError::Unavailable(reason)) => Err(RepositoryError::Unavailable { reason }),
            Err(WriteError::AlreadyExists | WriteError::Conflict) => Err(RepositoryError::Unavailable {
                reason: "the writer answered something else than it was asked".to_owned(),
            }),
        }
    }
}
