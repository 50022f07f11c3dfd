//! Looks idempotency keys up, in a thread of its own: whatever waits, up to a bound, is looked up in one transaction.
//!
//! Every payment with a key begins with it. A connection that reads has to fetch the pages it knows again after each commit of
//! somebody else, and to be woken for each question; here that happens once for all who wait.

use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use application::ports::{IdempotencyKey, KeyEntry, RepositoryError};
use domain::MerchantId;
use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

use super::answers::Answers;
use super::connection::{self, SqliteOpenError};
use super::readers::unavailable;
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

#[derive(Debug)]
enum Message {
    Lookup(Lookup),
    /// Take nothing more in, answer what waits, and end.
    Close,
}

/// The thread, as its callers see it.
#[derive(Debug)]
pub(super) struct KeyReader {
    messages: mpsc::Sender<Message>,
    patience: Duration,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl KeyReader {
    pub(super) fn start(config: &SqliteConfig) -> Result<Self, SqliteOpenError> {
        let connection = connection::open_for_reading(config)?;
        let (messages, inbox) = mpsc::channel(config.queue_jobs.max(1));
        let at_once = config.batch_jobs.max(1);
        let thread = std::thread::Builder::new()
            .name(NAME.to_owned())
            .spawn(move || run(&connection, inbox, at_once))
            .map_err(|cause| SqliteOpenError::Thread { name: NAME, cause })?;
        Ok(Self {
            messages,
            patience: Duration::from_millis(config.read_timeout_ms),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// What is kept under a key, as it was after the question was asked.
    pub(super) async fn find(&self, tenant: &MerchantId, key: &IdempotencyKey) -> Found {
        let deadline = Instant::now() + self.patience;
        let room = match timeout_at(deadline, self.messages.reserve()).await {
            Ok(Ok(room)) => room,
            Ok(Err(_closed)) => return Err(unavailable("the store is closed")),
            Err(_elapsed) => return Err(unavailable("too many idempotency keys wait to be looked up")),
        };
        let (reply, answer) = oneshot::channel();
        room.send(Message::Lookup(Lookup {
            tenant: tenant.clone(),
            key: key.clone(),
            reply,
            runtime: Handle::current(),
        }));
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
        // Closed already, or broken off: the thread is gone either way.
        let _gone = self.messages.send(Message::Close).await;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ended = spawn_blocking(move || thread.join()).await;
        }
    }
}

/// Ends when it is told to close, or when nobody is left who could ask.
fn run(connection: &Connection, mut inbox: mpsc::Receiver<Message>, at_once: usize) {
    let mut lookups = Vec::with_capacity(at_once);
    while let Some(first) = inbox.blocking_recv() {
        take(first, &mut inbox, &mut lookups);
        while lookups.len() < at_once
            && let Ok(next) = inbox.try_recv()
        {
            take(next, &mut inbox, &mut lookups);
        }
        if !lookups.is_empty() {
            answer(connection, &mut lookups);
        }
    }
}

fn take(message: Message, inbox: &mut mpsc::Receiver<Message>, lookups: &mut Vec<Lookup>) {
    match message {
        Message::Lookup(lookup) => {
            // Whoever has left meanwhile needs no answer.
            if !lookup.reply.is_closed() {
                lookups.push(lookup);
            }
        }
        // What was sent before is still received; what is sent from now on is refused.
        Message::Close => inbox.close(),
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
