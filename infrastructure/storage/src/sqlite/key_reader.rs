//! Looks idempotency keys up, in a thread of its own: whatever waits, up to a bound, is looked up in one transaction.
//!
//! Every payment with a key begins with it. A connection that reads has to fetch the pages it knows again after each commit of
//! somebody else, and to be woken for each question; here that happens once for all who wait.

use std::time::Duration;

use application::ports::{IdempotencyKey, KeyEntry, RepositoryError};
use domain::MerchantId;
use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::answers::Answers;
use super::connection::{self, SqliteOpenError};
use super::readers::unavailable;
use super::worker::{Inbox, NotTaken, Worker};
use super::{keys, row};
use crate::config::SqliteConfig;

const NAME: &str = "key-reader";

type Found = Result<Option<KeyEntry>, RepositoryError>;

/// A key that somebody asks for.
#[derive(Debug)]
struct Lookup {
    tenant: MerchantId,
    key: IdempotencyKey,
    reply: oneshot::Sender<Found>,
    /// Where whoever waits for it runs.
    runtime: Handle,
}

/// The thread, as its callers see it.
#[derive(Debug)]
pub(super) struct KeyReader {
    worker: Worker<Lookup, ()>,
    patience: Duration,
}

impl KeyReader {
    pub(super) fn start(config: &SqliteConfig) -> Result<Self, SqliteOpenError> {
        let connection = connection::open_for_reading(config)?;
        Ok(Self {
            worker: Worker::start(NAME, config, move |inbox| run(&connection, inbox))?,
            patience: Duration::from_millis(config.read_timeout_ms),
        })
    }

    /// What is kept under a key, as it was after the question was asked.
    pub(super) async fn find(&self, tenant: &MerchantId, key: &IdempotencyKey) -> Found {
        let deadline = Instant::now() + self.patience;
        let (reply, answer) = oneshot::channel();
        let lookup = || Lookup {
            tenant: tenant.clone(),
            key: key.clone(),
            reply,
            runtime: Handle::current(),
        };
        self.worker
            .send(deadline, lookup)
            .await
            .map_err(|reason| match reason {
                NotTaken::Closed => unavailable("the store is closed"),
                NotTaken::Full => unavailable("too many idempotency keys wait to be looked up"),
            })?;
        match timeout_at(deadline, answer).await {
            Ok(Ok(found)) => found,
            Ok(Err(_gone)) => Err(unavailable(
                "the thread that looks idempotency keys up has broken off",
            )),
            Err(_elapsed) => Err(unavailable("the idempotency key was not looked up in time")),
        }
    }

    /// Answers what waits, and closes the connection.
    pub(super) async fn close(&self) {
        // One that has broken off has nothing to write either.
        let _ended = self.worker.close().await;
    }
}

/// Ends when it is told to close, or when nobody is left who could ask.
fn run(connection: &Connection, mut inbox: Inbox<Lookup>) {
    let mut lookups = Vec::new();
    // Whoever has left meanwhile needs no answer.
    while inbox.take(&mut lookups, |lookup| !lookup.reply.is_closed()) {
        if !lookups.is_empty() {
            answer(connection, &mut lookups);
        }
    }
}

fn answer(connection: &Connection, lookups: &mut Vec<Lookup>) {
    let runtime = lookups.first().map(|lookup| lookup.runtime.clone());
    // Begun after all of them were asked, so each sees what was acknowledged before.
    let snapshot = connection.unchecked_transaction();
    let answers = lookups.drain(..).map(|lookup| {
        let found = match &snapshot {
            Ok(snapshot) => keys::find(snapshot, lookup.tenant, lookup.key),
            Err(error) => Err(row::unavailable(error)),
        };
        (lookup.reply, found)
    });
    Answers::new(answers.collect()).deliver(runtime);
}
