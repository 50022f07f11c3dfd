//! Watching policy documents in etcd.
//!
//! What makes this more than a loop over messages:
//!
//! - Revisions are delivered whole and one by one, but messages are not cut along them: a watch that catches up is sent
//!   many revisions in one message, and a message above etcd's limit comes in fragments, which may part a revision. So the
//!   last revision of a message is held until something follows it. A request for progress makes sure that something does:
//!   etcd sends the fragments of a message in a row, so its answer cannot come between them.
//! - A watch from a revision in the future is created without complaint and stays silent for good. Only the revision in
//!   the first message's header shows it. A member that lags behind the others shows the same and will catch up, so the
//!   majority is asked before the store is said to have gone back.
//! - An answer to our own request for progress may, in versions before 3.4.25 and 3.5.8, run ahead of events that are not
//!   sent yet (etcd issue 15220). It shows that the stream is alive, and moves no revision.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use etcd_client::{WatchOptions, WatchResponse, WatchStream};
use tokio::time::Instant;

use crate::store::{PolicyWatch, StoreError, WatchEvent};

use super::call::{CALL_TIMEOUT, Call, Peer, Right, of_etcd, revision};
use super::connection::Connection;
use super::current_revision;

/// How often a quiet stream is asked for progress. etcd by itself tells it every ten minutes.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(5);

/// How soon progress is asked for again while a revision is held: an etcd that is still catching up gives no answer.
const HELD_INTERVAL: Duration = Duration::from_millis(100);

/// After this long without any message the stream counts as dead: three questions without an answer.
const SILENCE: Duration = Duration::from_secs(15);

/// The largest message taken, in bytes: fragments have 1.5 MiB, unless somebody raised etcd's own limit.
const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// What is done, as errors say it.
const WATCH: &str = "watch policies";

/// What a watch below this prefix takes.
const fn watching(prefix: &str) -> Call<'_> {
    Call {
        what: WATCH,
        bound: CALL_TIMEOUT,
        right: Right::ReadBelow(prefix),
    }
}

/// One revision of which more may come.
struct Held {
    revision: u64,
    documents: Vec<(String, Option<Bytes>)>,
}

/// A watch over the documents' keys.
pub(super) struct EtcdWatch {
    peer: Arc<Peer>,
    prefix: String,
    stream: WatchStream,
    ready: VecDeque<WatchEvent>,
    held: Option<Held>,
    /// Up to here nothing was missed.
    seen: u64,
    /// When the last message came.
    heard: Instant,
}

impl EtcdWatch {
    /// Watches everything below the prefix after this revision. `cluster` is the one that the revision came from, 0 where
    /// that is not known.
    pub(super) async fn open(
        connection: &Connection,
        prefix: String,
        after: u64,
        cluster: u64,
    ) -> Result<Self, StoreError> {
        let options = WatchOptions::new()
            .with_prefix()
            .with_start_revision(of_etcd(after.saturating_add(1)))
            .with_fragment()
            .with_progress_notify();
        let (stream, first) = connection
            .ask(&watching(&prefix), |client| {
                let (prefix, options) = (prefix.clone(), options.clone());
                let mut client = client.watch_client().max_decoding_message_size(MAX_MESSAGE_BYTES);
                async move {
                    let mut stream = client.watch(prefix, Some(options)).await?;
                    let first = stream.message().await?;
                    Ok((stream, first))
                }
            })
            .await?;
        let mut watch = Self {
            peer: Arc::clone(&connection.peer),
            prefix,
            stream,
            ready: VecDeque::new(),
            held: None,
            seen: after,
            heard: Instant::now(),
        };
        let first = first.ok_or_else(|| watch.unavailable("the stream ended before it began"))?;
        if let Some(header) = first.header() {
            let is_another = cluster != 0 && header.cluster_id() != cluster;
            let mut current = revision(header.revision());
            if current < after && !is_another {
                current = current_revision(connection, &watch.prefix).await?;
            }
            if current < after || is_another {
                return Err(StoreError::Rewound { after, current });
            }
        }
        watch.take(&first)?;
        Ok(watch)
    }

    fn unavailable(&self, detail: &str) -> StoreError {
        self.peer.unavailable(WATCH, detail)
    }

    /// Takes one message in.
    fn take(&mut self, message: &WatchResponse) -> Result<(), StoreError> {
        if message.canceled() {
            return Err(self.canceled(message));
        }
        if message.created() {
            return Ok(());
        }
        if message.events().is_empty() {
            self.take_progress(message);
            return Ok(());
        }
        for event in message.events() {
            let Some(kv) = event.kv() else { continue };
            let changed_at = revision(kv.mod_revision());
            if self.held.as_ref().is_some_and(|held| held.revision != changed_at) {
                self.release();
            }
            let key = kv.key().strip_prefix(self.prefix.as_bytes()).unwrap_or(kv.key());
            // A deletion has no version; the client panics over kinds of events that it does not know.
            let value = (kv.version() > 0).then(|| Bytes::copy_from_slice(kv.value()));
            let held = self.held.get_or_insert_with(|| Held {
                revision: changed_at,
                documents: Vec::new(),
            });
            held.documents
                .push((String::from_utf8_lossy(key).into_owned(), value));
        }
        Ok(())
    }

    fn take_progress(&mut self, message: &WatchResponse) {
        if self.release() {
            return;
        }
        // Of its own accord etcd tells progress under the watch's id, and then nothing is outstanding.
        let of_its_own_accord = message.watch_id() >= 0;
        if let Some(header) = message.header().filter(|_| of_its_own_accord) {
            self.seen = self.seen.max(revision(header.revision()));
        }
        self.ready.push_back(WatchEvent::Progress { revision: self.seen });
    }

    /// Gives out the revision that is held, if one is.
    fn release(&mut self) -> bool {
        let Some(held) = self.held.take() else {
            return false;
        };
        self.seen = self.seen.max(held.revision);
        self.ready.push_back(WatchEvent::Changed {
            revision: held.revision,
            documents: held.documents,
        });
        true
    }

    fn canceled(&self, message: &WatchResponse) -> StoreError {
        let oldest = revision(message.compact_revision());
        if oldest > 0 {
            return StoreError::Compacted {
                after: self.seen,
                oldest,
            };
        }
        self.peer
            .canceled(&watching(&self.prefix), message.cancel_reason())
    }

    async fn ask_for_progress(&mut self) -> Result<(), StoreError> {
        let asking = self.stream.request_progress();
        self.peer.within(&watching(&self.prefix), asking).await
    }
}

#[async_trait]
impl PolicyWatch for EtcdWatch {
    async fn next(&mut self) -> Result<WatchEvent, StoreError> {
        // Nobody asked while the reader was busy with the last event, so nothing can have been silent.
        self.heard = Instant::now();
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(event);
            }
            let patience = if self.held.is_some() {
                HELD_INTERVAL
            } else {
                PROGRESS_INTERVAL
            };
            match tokio::time::timeout(patience, self.stream.message()).await {
                Ok(Ok(Some(message))) => {
                    self.heard = Instant::now();
                    self.take(&message)?;
                    if self.held.is_some() {
                        self.ask_for_progress().await?;
                    }
                }
                Ok(Ok(None)) => return Err(self.unavailable("the stream ended")),
                Ok(Err(error)) => return Err(self.peer.translate(&watching(&self.prefix), &error)),
                Err(_) if self.heard.elapsed() >= SILENCE => {
                    return Err(self.unavailable(&format!("silent for {} s", SILENCE.as_secs())));
                }
                Err(_) => self.ask_for_progress().await?,
            }
        }
    }
}
