//! The loop: listing, watching, and what is loaded meanwhile.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::Reconciler;
use super::backoff::Backoff;
use crate::store::{StoreError, StoreListing, WatchEvent};

/// How long a node that starts waits for the store before the last good set decides: as long as etcd takes to elect a leader. Where
/// the store says at once that it cannot answer, nobody waits.
const STORE_PATIENCE: Duration = Duration::from_secs(2);

/// How long a node that ends waits for its disk: far longer than the writes of one swap take.
const LAST_WRITES: Duration = Duration::from_secs(5);

impl Reconciler {
    /// Follows the store until told to stop.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let reports = tokio::spawn(self.board.reports(stop.clone()));
        let board = tokio::spawn(Arc::clone(&self.board).follow(stop.clone()));
        let mut backoff = Backoff::default();
        let store = self.store.describe();
        let patience = tokio::time::Instant::now() + STORE_PATIENCE;
        self.restore().await;
        while !stop.is_cancelled() {
            let lost = tokio::select! {
                () = stop.cancelled() => break,
                lost = self.follow(patience, &mut backoff) => lost,
            };
            self.metrics.store_connected.set(0);
            self.go_without_store();
            let pause = backoff.next();
            tracing::warn!(store, error = %lost, retry_in_ms = pause.as_millis(), "lost the policy store");
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.settle_for(pause) => {}
            }
        }
        self.end_keeping().await;
        if reports.await.is_err() || board.await.is_err() {
            tracing::error!("a task that reports this node's status had panicked");
        }
    }

    /// Lists, then watches, and ends when the store is lost.
    async fn follow(&mut self, patience: tokio::time::Instant, backoff: &mut Backoff) -> StoreError {
        match self.follow_until_lost(patience, backoff).await {
            Err(error) => error,
            Ok(never) => match never {},
        }
    }

    async fn follow_until_lost(
        &mut self,
        patience: tokio::time::Instant,
        backoff: &mut Backoff,
    ) -> Result<std::convert::Infallible, StoreError> {
        let listing = self.list(patience).await?;
        self.apply_listing(listing);
        self.keep_what_was_not();
        let mut watch = self.store.watch(self.seen).await?;
        self.metrics.store_connected.set(1);
        tracing::info!(
            store = self.store.describe(),
            revision = self.seen,
            "following the policy store"
        );
        let mut relist = tokio::time::interval(self.relist_interval);
        relist.set_missed_tick_behavior(MissedTickBehavior::Delay);
        relist.reset();
        loop {
            tokio::select! {
                event = watch.next() => match event? {
                    // A listing between two events may have taken in what the watch tells only now.
                    WatchEvent::Changed { revision, .. } if revision <= self.seen => {}
                    WatchEvent::Changed { revision, documents } => self.apply(revision, false, [documents]),
                    WatchEvent::Progress { revision } => self.seen = self.seen.max(revision),
                },
                batch = self.loads.next() => self.settle(batch),
                _ = relist.tick() => {
                    let listing = self.list(patience).await?;
                    self.apply_listing(listing);
                    self.keep_what_was_not();
                }
            }
            backoff.reset();
        }
    }

    /// Lists the store, and takes in what is loaded meanwhile. Where the store takes longer than this at the start, decisions
    /// begin without it.
    async fn list(&mut self, patience: tokio::time::Instant) -> Result<StoreListing, StoreError> {
        let store = Arc::clone(&self.store);
        let mut listing = store.list();
        let out_of_patience = tokio::time::sleep_until(patience);
        tokio::pin!(out_of_patience);
        loop {
            let is_waited_for = !self.is_listed && !self.is_without_store;
            tokio::select! {
                listing = &mut listing => return listing,
                batch = self.loads.next() => self.settle(batch),
                () = &mut out_of_patience, if is_waited_for => self.go_without_store(),
            }
        }
    }

    /// Waits a little until what is to be kept is on the disk.
    async fn end_keeping(&self) {
        if let Some(keeping) = &self.keeping
            && tokio::time::timeout(LAST_WRITES, keeping.state.settled())
                .await
                .is_err()
        {
            tracing::warn!("the disk is slow; what came into force last may not be kept");
        }
    }

    /// Takes in what is loaded meanwhile, for so long.
    async fn settle_for(&mut self, pause: Duration) {
        let end = tokio::time::sleep(pause);
        tokio::pin!(end);
        loop {
            tokio::select! {
                () = &mut end => return,
                batch = self.loads.next() => self.settle(batch),
            }
        }
    }
}
