//! The loop: listing, watching, and what is loaded meanwhile.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::Reconciler;
use super::backoff::Backoff;
use crate::store::{StoreError, WatchEvent};

impl Reconciler {
    /// Follows the store until told to stop.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let reports = tokio::spawn(self.board.reports(stop.clone()));
        let board = tokio::spawn(Arc::clone(&self.board).follow(stop.clone()));
        let mut backoff = Backoff::default();
        let store = self.store.describe();
        while !stop.is_cancelled() {
            let lost = tokio::select! {
                () = stop.cancelled() => break,
                lost = self.follow(&mut backoff) => lost,
            };
            self.metrics.store_connected.set(0);
            let pause = backoff.next();
            tracing::warn!(store, error = %lost, retry_in_ms = pause.as_millis(), "lost the policy store");
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.settle_for(pause) => {}
            }
        }
        if reports.await.is_err() || board.await.is_err() {
            tracing::error!("a task that reports this node's status had panicked");
        }
    }

    /// Lists, then watches, and ends when the store is lost.
    async fn follow(&mut self, backoff: &mut Backoff) -> StoreError {
        match self.follow_until_lost(backoff).await {
            Err(error) => error,
            Ok(never) => match never {},
        }
    }

    async fn follow_until_lost(
        &mut self,
        backoff: &mut Backoff,
    ) -> Result<std::convert::Infallible, StoreError> {
        let listing = self.store.list().await?;
        self.apply_listing(listing);
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
                    let listing = self.store.list().await?;
                    self.apply_listing(listing);
                }
            }
            backoff.reset();
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
