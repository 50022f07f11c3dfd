//! A policy store in memory, which fails when it is told to.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::artifact::Artifact;
use crate::digest::Digest;
use crate::document::PolicyName;
use crate::node_status::{NodeId, NodeStatus};
use crate::store::{
    PolicyStore, PolicyWatch, StoreError, StoreListing, StoredDocument, Transaction, WatchEvent,
};

/// The store. What was written and what was reported wakes up whoever waits for it.
pub(super) struct InMemoryPolicyStore {
    state: Arc<Mutex<State>>,
    changed: watch::Sender<()>,
    reports: watch::Sender<Option<NodeStatus>>,
}

#[derive(Default)]
struct State {
    revision: u64,
    /// Each with the revision of its transaction.
    documents: BTreeMap<String, (u64, Bytes)>,
    chunks: HashMap<(Digest, u32), Bytes>,
    held: HashSet<Digest>,
    /// Artifacts whose fetching panics.
    broken: HashSet<Digest>,
    events: Vec<WatchEvent>,
    /// The next listings that fail.
    failures: Vec<StoreError>,
    /// Watches of an earlier generation have ended.
    generation: u64,
    lost: Option<StoreError>,
    /// Whether nothing is answered but with an error, or nothing at all.
    is_away: bool,
    is_frozen: bool,
    listed_at: Vec<Instant>,
    fetched: Vec<Digest>,
}

impl InMemoryPolicyStore {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Arc::default(),
            changed: watch::Sender::new(()),
            reports: watch::Sender::new(None),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Changes the state, and wakes up every watch.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let given = change(&mut self.state());
        self.changed.send_replace(());
        given
    }

    /// Forgets what was reported: of a node that has ended.
    pub(super) fn forget_reports(&self) {
        self.reports.send_replace(None);
    }

    /// Stores an artifact whole.
    pub(super) fn put_artifact(&self, component: &[u8]) {
        let artifact = Artifact::new(component.to_vec()).unwrap();
        let digest = *artifact.reference().digest();
        self.change(|state| {
            for (index, chunk) in artifact.chunks() {
                state.chunks.insert((digest, index), chunk);
            }
        });
    }

    /// Stores other bytes than an artifact's name says.
    pub(super) fn put_chunk(&self, digest: Digest, bytes: &'static [u8]) {
        self.change(|state| state.chunks.insert((digest, 0), Bytes::from_static(bytes)));
    }

    /// Nobody gets this artifact until it is let go.
    pub(super) fn hold(&self, component: &[u8]) {
        self.change(|state| state.held.insert(Digest::of(component)));
    }

    /// Whoever asks for this artifact panics.
    pub(super) fn break_on(&self, component: &[u8]) {
        self.change(|state| state.broken.insert(Digest::of(component)));
    }

    /// Everything can be fetched again.
    pub(super) fn mend(&self) {
        self.change(|state| state.broken.clear());
    }

    /// Lets go of this artifact.
    pub(super) fn let_go_of(&self, component: &[u8]) {
        self.change(|state| state.held.remove(&Digest::of(component)));
    }

    /// Lets go of everything that is held.
    pub(super) fn let_go(&self) {
        self.change(|state| state.held.clear());
    }

    /// Writes and deletes documents in one transaction.
    pub(super) fn commit(&self, changes: Vec<(&str, Option<Vec<u8>>)>) -> u64 {
        self.change(|state| {
            state.revision += 1;
            let mut documents = Vec::new();
            for (name, value) in changes {
                let value = value.map(Bytes::from);
                match value.clone() {
                    Some(value) => state.documents.insert(name.to_owned(), (state.revision, value)),
                    None => state.documents.remove(name),
                };
                documents.push((name.to_owned(), value));
            }
            let revision = state.revision;
            state.events.push(WatchEvent::Changed { revision, documents });
            revision
        })
    }

    /// Says that nothing was missed up to a later revision.
    pub(super) fn progress(&self) -> u64 {
        self.change(|state| {
            state.revision += 1;
            let revision = state.revision;
            state.events.push(WatchEvent::Progress { revision });
            revision
        })
    }

    /// Ends every watch, and fails so many listings after that.
    pub(super) fn lose(&self, error: &StoreError, listings: usize) {
        self.change(|state| {
            state.generation += 1;
            state.lost = Some(error.clone());
            state.failures = vec![error.clone(); listings];
        });
    }

    /// Whoever asks is told that it is away, until it is back.
    pub(super) fn go_away(&self) {
        self.lose(&away(), 0);
        self.change(|state| state.is_away = true);
    }

    /// Whoever asks waits, until it is back.
    pub(super) fn freeze(&self) {
        self.change(|state| state.is_frozen = true);
    }

    /// It answers again.
    pub(super) fn come_back(&self) {
        self.change(|state| {
            state.is_away = false;
            state.is_frozen = false;
        });
    }

    /// What it holds, to be put back later.
    pub(super) fn backup(&self) -> BTreeMap<String, (u64, Bytes)> {
        self.state().documents.clone()
    }

    /// It was put back to what it held before, at a revision before what was seen.
    pub(super) fn restore(&self, documents: BTreeMap<String, (u64, Bytes)>) {
        let current = documents
            .values()
            .map(|(revision, _)| *revision)
            .max()
            .unwrap_or_default();
        let after = self.change(|state| {
            let after = std::mem::replace(&mut state.revision, current);
            state.documents = documents;
            state.events.clear();
            after
        });
        self.lose(&StoreError::Rewound { after, current }, 0);
    }

    /// Waits where it is frozen, and fails where it is away.
    async fn answers(&self) -> Result<(), StoreError> {
        self.until(|store| !store.state().is_frozen).await;
        if self.state().is_away { Err(away()) } else { Ok(()) }
    }

    /// When it was listed, failed or not.
    pub(super) fn listed_at(&self) -> Vec<Instant> {
        self.state().listed_at.clone()
    }

    /// Which artifacts were asked for, chunk by chunk, those that are held included.
    pub(super) fn fetched(&self) -> Vec<Digest> {
        self.state().fetched.clone()
    }

    /// Waits until the store has been used in such a way.
    pub(super) async fn until(&self, holds: impl Fn(&Self) -> bool) {
        let mut changed = self.changed.subscribe();
        while !holds(self) {
            changed.changed().await.unwrap();
        }
    }

    /// Waits for a report of the node.
    pub(super) async fn reported(&self, holds: impl Fn(&NodeStatus) -> bool) -> NodeStatus {
        let mut reports = self.reports.subscribe();
        let report = reports
            .wait_for(|report| report.as_ref().is_some_and(&holds))
            .await
            .unwrap();
        report.clone().unwrap()
    }
}

pub(super) fn away() -> StoreError {
    StoreError::Unavailable {
        store: "memory".to_owned(),
        detail: "away".to_owned(),
    }
}

#[async_trait]
impl PolicyStore for InMemoryPolicyStore {
    async fn list(&self) -> Result<StoreListing, StoreError> {
        self.change(|state| state.listed_at.push(Instant::now()));
        self.answers().await?;
        self.change(|state| {
            if let Some(error) = state.failures.pop() {
                return Err(error);
            }
            let documents = state
                .documents
                .iter()
                .map(|(name, (revision, value))| StoredDocument {
                    name: name.clone(),
                    value: value.clone(),
                    mod_revision: *revision,
                    transaction: *revision,
                })
                .collect();
            Ok(StoreListing {
                revision: state.revision,
                documents,
            })
        })
    }

    async fn get(&self, _: &PolicyName) -> Result<Option<StoredDocument>, StoreError> {
        Err(away())
    }

    async fn last_sequence(&self, _: &PolicyName) -> Result<u64, StoreError> {
        Err(away())
    }

    async fn watch(&self, after: u64) -> Result<Box<dyn PolicyWatch>, StoreError> {
        self.answers().await?;
        let state = self.state();
        let seen = |event: &WatchEvent| revision(event) <= after;
        Ok(Box::new(InMemoryWatch {
            changed: self.changed.subscribe(),
            next: state.events.iter().take_while(|event| seen(event)).count(),
            generation: state.generation,
            state: Arc::clone(&self.state),
        }))
    }

    async fn chunk(&self, digest: &Digest, index: u32) -> Result<Option<Bytes>, StoreError> {
        self.change(|state| state.fetched.push(*digest));
        self.answers().await?;
        let is_broken = self.state().broken.contains(digest);
        assert!(!is_broken, "broken on purpose");
        self.until(|store| !store.state().held.contains(digest)).await;
        Ok(self.state().chunks.get(&(*digest, index)).cloned())
    }

    async fn put(&self, _: Transaction) -> Result<u64, StoreError> {
        Err(away())
    }

    async fn report(&self, _: &NodeId, status: &[u8]) -> Result<(), StoreError> {
        let status = NodeStatus::parse(status).unwrap();
        self.reports.send_replace(Some(status));
        Ok(())
    }

    async fn nodes(&self) -> Result<Vec<(String, Bytes)>, StoreError> {
        Err(away())
    }

    fn describe(&self) -> String {
        "memory".to_owned()
    }
}

fn revision(event: &WatchEvent) -> u64 {
    match event {
        WatchEvent::Changed { revision, .. } | WatchEvent::Progress { revision } => *revision,
    }
}

/// Reads the events one after the other.
struct InMemoryWatch {
    state: Arc<Mutex<State>>,
    changed: watch::Receiver<()>,
    next: usize,
    generation: u64,
}

#[async_trait]
impl PolicyWatch for InMemoryWatch {
    async fn next(&mut self) -> Result<WatchEvent, StoreError> {
        loop {
            {
                let state = self.state.lock().unwrap();
                if state.generation != self.generation {
                    return Err(state.lost.clone().unwrap_or_else(away));
                }
                if let Some(event) = state.events.get(self.next) {
                    self.next += 1;
                    return Ok(event.clone());
                }
            }
            self.changed.changed().await.unwrap();
        }
    }
}
