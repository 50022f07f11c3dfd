//! Payments in PostgreSQL, or in a distributed database that speaks its language: for several gateways.

mod api_keys;
mod catalog;
mod connections;
mod decisions;
mod events;
mod failure;
mod keys;
mod lists;
mod rows;
mod save;
mod schema;
mod settings;
mod tls;
mod webhooks;

use std::fmt;

use application::ports::{
    EventLog, IdempotencyKey, KeyEntry, KeyWrite, Page, PageCursor, PaymentCatalog, PaymentQuery,
    PaymentRepository, RepositoryError, StoredEvent,
};
use async_trait::async_trait;
use domain::{MerchantId, Payment, PaymentId, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::config::PostgresConfig;
use crate::listing::{Listing, Value, as_limit, one_more};
use connections::{Connections, StatementError, Work};
use save::{SaveValues, Saved, millis};

pub use schema::PostgresOpenError;
pub use settings::PostgresConfigError;

/// Reads what the configuration names, and connects nowhere.
pub(crate) fn check_config(config: &PostgresConfig) -> Result<(), PostgresConfigError> {
    settings::Settings::read(config).map(|_| ())
}

/// Keeps payments in PostgreSQL.
pub struct PostgresPaymentRepository {
    connections: Connections,
}

impl fmt::Debug for PostgresPaymentRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresPaymentRepository")
            .finish_non_exhaustive()
    }
}

impl PostgresPaymentRepository {
    /// Connects, and brings the schema up to date. Several gateways may do so at once.
    ///
    /// # Errors
    /// When the settings are not what they have to be, the server cannot be reached, or the database is another program's or a
    /// newer gateway's.
    pub async fn open(config: &PostgresConfig) -> Result<Self, PostgresOpenError> {
        let connections = Connections::new(config)?;
        schema::bring_up_to_date(&connections).await?;
        Ok(Self { connections })
    }

    /// Gives up its connections. From the call on every other one is told that the store is unavailable; what began is done to
    /// its end.
    pub fn close(&self) {
        self.connections.close();
    }

    async fn query(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, RepositoryError> {
        let lease = self.connections.lease().await?;
        let read = lease.within_patience(async {
            let statement = lease.prepare_cached(sql).await?;
            lease.query(&statement, parameters).await
        });
        read.await.map_err(StatementError::into_unavailable)
    }

    async fn listed(&self, listing: &Listing) -> Result<Vec<Row>, RepositoryError> {
        let values = listing.values.iter().map(|value| match value {
            Value::Text(text) => text as &(dyn ToSql + Sync),
            Value::Number(number) => number,
        });
        let values: Vec<_> = values.collect();
        self.query(&listing.sql, &values).await
    }

    /// Tells how many rows were changed.
    async fn execute(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<u64, RepositoryError> {
        let lease = self.connections.lease().await?;
        let done = lease.until_nobody_is_in_the_way(|| async {
            let statement = lease.prepare_cached(sql).await?;
            lease.execute(&statement, parameters).await
        });
        done.await.map_err(StatementError::into_unavailable)
    }

    /// Has a statement write, and tells the rows that it tells.
    async fn write_and_tell(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, RepositoryError> {
        let lease = self.connections.lease().await?;
        let done = lease.until_nobody_is_in_the_way(|| async {
            let statement = lease.prepare_cached(sql).await?;
            lease.query(&statement, parameters).await
        });
        done.await.map_err(StatementError::into_unavailable)
    }

    /// Has statements done as one transaction, and tells the rows of each.
    async fn transact<const N: usize>(
        &self,
        begin: &str,
        work: [Work<'_>; N],
    ) -> Result<[Vec<Row>; N], RepositoryError> {
        let lease = self.connections.lease().await?;
        let done = lease.until_nobody_is_in_the_way(|| lease.transact(begin, work));
        done.await.map_err(StatementError::into_unavailable)
    }
}

#[async_trait]
impl PaymentRepository for PostgresPaymentRepository {
    async fn save_with_key(
        &self,
        payment: &mut Payment,
        key: Option<KeyWrite<'_>>,
    ) -> Result<(), RepositoryError> {
        let expected = payment.record().version;
        let values = SaveValues::of(payment, key).map_err(|damage| failure::damaged(&damage))?;
        let lease = self.connections.lease().await?;
        let id = || payment.id().clone();
        match save::save(&lease, &values).await? {
            Saved::Yes => {
                payment.stored_as(expected + 1);
                Ok(())
            }
            Saved::OtherVersion if expected == 0 => Err(RepositoryError::AlreadyExists { id: id() }),
            Saved::OtherVersion => Err(RepositoryError::Conflict { id: id(), expected }),
            Saved::KeyTaken => Err(RepositoryError::KeyTaken),
        }
    }

    async fn find(&self, id: &PaymentId) -> Result<Option<Payment>, RepositoryError> {
        rows::payment(&self.query(rows::FIND, &[&id.as_str()]).await?)
    }

    async fn find_key(
        &self,
        tenant: &MerchantId,
        key: &IdempotencyKey,
    ) -> Result<Option<KeyEntry>, RepositoryError> {
        let found = self.query(keys::FIND, &[&tenant.as_str(), &key.as_str()]).await?;
        found.first().map(|row| keys::entry(row, tenant, key)).transpose()
    }

    async fn check(&self) -> Result<(), RepositoryError> {
        self.query(schema::READ_EVERYWHERE, &[]).await?;
        self.execute(schema::TOUCH, &[]).await.map(|_| ())
    }
}

#[async_trait]
impl PaymentCatalog for PostgresPaymentRepository {
    async fn list(
        &self,
        query: &PaymentQuery,
        after: Option<&PageCursor>,
        limit: usize,
    ) -> Result<Page<Payment>, RepositoryError> {
        let rows = self.listed(&catalog::listing(query, after, limit)).await?;
        catalog::page(&rows, limit)
    }

    async fn due_for_inquiry(&self, now: Timestamp, limit: usize) -> Result<Vec<PaymentId>, RepositoryError> {
        let limit = as_limit(limit);
        catalog::names(
            &self
                .query(catalog::DUE_FOR_INQUIRY, &[&millis(now), &limit])
                .await?,
        )
    }

    async fn overdue(&self, now: Timestamp, limit: usize) -> Result<Vec<PaymentId>, RepositoryError> {
        let limit = as_limit(limit);
        catalog::names(&self.query(catalog::OVERDUE, &[&millis(now), &limit]).await?)
    }

    async fn left_to_humans(
        &self,
        after: Option<&PaymentId>,
        limit: usize,
    ) -> Result<Page<Payment>, RepositoryError> {
        let after = after.map_or("", PaymentId::as_str);
        let limit_and_one = one_more(limit);
        let rows = self
            .query(catalog::LEFT_TO_HUMANS, &[&after, &limit_and_one])
            .await?;
        catalog::page(&rows, limit)
    }

    async fn forget_keys(&self, created_before: Timestamp, limit: usize) -> Result<usize, RepositoryError> {
        let limit = as_limit(limit);
        let gone = self
            .execute(keys::FORGET, &[&millis(created_before), &limit])
            .await?;
        Ok(usize::try_from(gone).unwrap_or(usize::MAX))
    }
}

#[async_trait]
impl EventLog for PostgresPaymentRepository {
    async fn events_after(
        &self,
        position: u64,
        merchant: Option<&MerchantId>,
        limit: usize,
    ) -> Result<Page<StoredEvent>, RepositoryError> {
        let lease = self.connections.lease().await?;
        events::after(&lease, position, merchant, limit).await
    }
}
