//! The list store in the file of the payments.

use std::sync::Arc;

use application::ports::{
    ListChanges, ListCursor, ListStore, ListStoreError, Page, Removed, RepositoryError,
};
use async_trait::async_trait;
use domain::{ListItem, ListName, ListedValue, Timestamp};

use super::SqlitePaymentRepository;
use super::lists::{self, ListRefusal, ListRemoval};
use super::writer::{OTHER_ANSWER, Work, WriteError};

/// Keeps the items of lists where payments are kept: one file, one writer. It ends with the repository.
#[derive(Clone, Debug)]
pub struct SqliteListStore(Arc<SqlitePaymentRepository>);

impl SqliteListStore {
    /// In the file of this repository.
    #[must_use]
    pub const fn new(repository: Arc<SqlitePaymentRepository>) -> Self {
        Self(repository)
    }

    async fn write(&self, list: &ListName, work: Work) -> Result<usize, ListStoreError> {
        let written = self.0.writer.write(work).await;
        written.map_err(|error| match error {
            WriteError::List(ListRefusal::Unknown) => ListStoreError::UnknownList { list: list.clone() },
            WriteError::List(ListRefusal::Full) => ListStoreError::ListFull { list: list.clone() },
            WriteError::List(ListRefusal::TooMany) => ListStoreError::TooManyLists,
            WriteError::Unavailable(reason) => ListStoreError::Unavailable { reason },
            WriteError::OtherVersion | WriteError::KeyTaken => ListStoreError::Unavailable {
                reason: OTHER_ANSWER.to_owned(),
            },
        })
    }
}

#[async_trait]
impl ListStore for SqliteListStore {
    async fn put(&self, item: &ListItem) -> Result<(), ListStoreError> {
        let work = Work::PutListItem(Box::new(item.clone()));
        self.write(&item.list, work).await.map(|_| ())
    }

    async fn remove(
        &self,
        list: &ListName,
        value: &ListedValue,
        now: Timestamp,
    ) -> Result<Removed, ListStoreError> {
        let removal = ListRemoval {
            list: list.clone(),
            value: value.clone(),
            now,
        };
        match self.write(list, Work::RemoveListItem(Box::new(removal))).await? {
            0 => Ok(Removed::WasNotThere),
            _ => Ok(Removed::Yes),
        }
    }

    async fn items(
        &self,
        list: &ListName,
        after: Option<&ListCursor>,
        limit: usize,
    ) -> Result<Page<ListItem>, ListStoreError> {
        let (list, after) = (list.clone(), after.cloned());
        self.0
            .readers
            .run(move |connection| lists::items(connection, &list, after.as_ref(), limit))
            .await
            .map_err(unread)?
    }

    async fn changes_after(&self, revision: u64, limit: usize) -> Result<ListChanges, ListStoreError> {
        self.0
            .readers
            .run(move |connection| lists::changes_after(connection, revision, limit))
            .await
            .map_err(unread)?
    }
}

fn unread(error: RepositoryError) -> ListStoreError {
    ListStoreError::Unavailable {
        reason: match error {
            RepositoryError::Unavailable { reason } => reason,
            other => other.to_string(),
        },
    }
}
