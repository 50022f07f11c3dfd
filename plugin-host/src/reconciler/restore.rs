//! The last good set: what this node starts from when the store does not answer, and how it is kept for the next start.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

use domain::Timestamp;
use tokio::task::{self, JoinSet};

use super::Reconciler;
use super::loads::Candidate;
use crate::artifact::{self, Artifact, ArtifactRef};
use crate::digest::Digest;
use crate::node_state::{GoodSet, KeptPolicy, NodeState, RestoredSet};
use crate::store::PolicyStore;

/// What is kept between two starts of the node, and what was found at this one.
pub(super) struct Keeping {
    pub(super) state: Arc<NodeState>,
    /// What this node was started from.
    pub(super) started_from: Option<StartedFrom>,
    /// What was kept last.
    policies: Vec<KeptPolicy>,
    /// Fetches what could not be kept when it came.
    fetching: JoinSet<()>,
}

/// The set that was in force before this node started.
pub(super) struct StartedFrom {
    pub(super) since: Timestamp,
    /// Whether all of it is here as it was. Of a set that is not, nothing decides: what belongs together would be torn apart.
    pub(super) is_whole: bool,
}

impl Keeping {
    pub(super) fn new(state: Arc<NodeState>) -> Self {
        Self {
            state,
            started_from: None,
            policies: Vec::new(),
            fetching: JoinSet::new(),
        }
    }

    /// Fetches these artifacts once more, one after the other, and has them kept.
    fn fetch(&mut self, store: &Arc<dyn PolicyStore>, missing: Vec<ArtifactRef>) {
        while self.fetching.try_join_next().is_some() {}
        if self.fetching.is_empty() {
            let store = Arc::clone(store);
            self.fetching
                .spawn(fetch_missing(store, Arc::downgrade(&self.state), missing));
        }
    }
}

async fn fetch_missing(store: Arc<dyn PolicyStore>, state: Weak<NodeState>, missing: Vec<ArtifactRef>) {
    for reference in missing {
        let fetched = artifact::fetch(&*store, &reference).await;
        // Whoever ends, and whoever deleted it from the store, needs it no more; otherwise it is tried at the next listing.
        if let Some((state, bytes)) = state.upgrade().zip(fetched.ok()) {
            state.keep_artifact(Artifact::verified(reference, bytes.into()));
        }
    }
}

impl Reconciler {
    /// Reads the last good set and begins to load it.
    pub(super) async fn restore(&mut self) {
        let Some(keeping) = &self.keeping else {
            return;
        };
        let state = Arc::clone(&keeping.state);
        match task::spawn_blocking(move || state.last_good_set()).await {
            Ok(Some(restored)) => self.begin_with(restored),
            Ok(None) => tracing::info!(
                "this node has kept no policies from before: it decides nothing until the store was read, and takes any sequence from it"
            ),
            Err(error) => tracing::error!(%error, "reading the last good set did not end"),
        }
    }

    fn begin_with(&mut self, RestoredSet { set, damaged }: RestoredSet) {
        let now = self.clock.now();
        let mut candidates = Vec::new();
        let mut refused = Vec::new();
        for policy in &set.policies {
            let name = policy.name.as_str();
            let known = self.known.entry(name.to_owned()).or_default();
            known.has_seen(policy.sequence);
            let Some(kept) = &policy.in_force else {
                continue;
            };
            match known.read_kept(&policy.name, kept, &self.trusted, now) {
                Ok(document) => candidates.push(Candidate {
                    name: name.to_owned(),
                    value: kept.envelope.clone(),
                    compiled: None,
                    candidate_compiled: None,
                    begun: known.begin_kept(&kept.envelope),
                    document: Arc::from(document),
                    taken_at: kept.taken_at,
                }),
                Err(refusal) => {
                    known.see(&kept.envelope);
                    refused.push((
                        name.to_owned(),
                        kept.envelope.clone(),
                        refusal.until_the_store_answers(),
                    ));
                }
            }
        }
        for (name, value, refusal) in refused {
            self.refuse(&name, &value, &refusal, now, std::time::Duration::ZERO);
        }
        let in_use = candidates
            .iter()
            .flat_map(|candidate| candidate.document.artifacts())
            .map(|artifact| *artifact.digest());
        self.loads.in_use(&in_use.collect());
        self.revision = set.revision;
        if let Some(keeping) = &mut self.keeping
            && !candidates.is_empty()
        {
            keeping.started_from = Some(StartedFrom {
                since: set.since,
                is_whole: damaged.is_empty(),
            });
        }
        if let Some(keeping) = &mut self.keeping {
            keeping.policies = set.policies;
        }
        if !candidates.is_empty() {
            self.first_batches += 1;
            self.loads.begin(true, candidates, Vec::new());
        }
    }

    /// Notes that the last good set is not whole.
    pub(super) fn is_torn(&mut self) {
        if let Some(keeping) = &mut self.keeping
            && let Some(started_from) = &mut keeping.started_from
        {
            started_from.is_whole = false;
        }
    }

    /// The store does not answer: what this node was started from decides, when it is loaded.
    pub(super) fn go_without_store(&mut self) {
        if self.is_listed || self.is_without_store {
            return;
        }
        self.is_without_store = true;
        if self.first_batches == 0 {
            self.put_in_force();
        }
    }

    /// Whether what this node was started from may decide while the store does not answer.
    pub(super) fn may_begin_without_store(&self) -> bool {
        if !self.is_without_store {
            return false;
        }
        let keeping = self.keeping.as_ref();
        let Some(started_from) = keeping.and_then(|keeping| keeping.started_from.as_ref()) else {
            return false;
        };
        let policies = self
            .known
            .values()
            .filter(|known| known.in_force.is_some())
            .count();
        if started_from.is_whole && policies > 0 {
            tracing::warn!(
                since = %crate::document::Moment(started_from.since),
                revision = self.revision,
                policies,
                "the policy store does not answer: decisions begin with the last good set"
            );
            return true;
        }
        tracing::error!("the last good set is not whole: nothing is decided before the policy store answers");
        false
    }

    /// Keeps what is in force now, and what was seen, where that is something new.
    pub(super) fn keep(&mut self) {
        let in_force = || self.known.values().filter_map(|known| known.in_force.as_ref());
        let previous = || self.known.values().filter_map(|known| known.previous.as_ref());
        let digest = |release: &Arc<crate::release::Release>| *release.policy().digest();
        let on_trial = || self.known.values().filter_map(|known| known.rollout.as_ref());
        let on_trial = on_trial().map(|rollout| *rollout.release().policy().digest());
        let used: BTreeSet<Digest> = in_force().chain(previous()).map(digest).chain(on_trial).collect();
        self.loads.in_use(&used);
        let Some(keeping) = &mut self.keeping else {
            return;
        };
        let policies: Vec<KeptPolicy> = self
            .known
            .iter()
            .filter_map(|(name, known)| known.to_keep(name))
            .collect();
        if policies == keeping.policies {
            return;
        }
        keeping.policies.clone_from(&policies);
        keeping.state.keep(GoodSet {
            revision: self.revision,
            since: self.clock.now(),
            policies,
            spare: used,
        });
    }

    /// Tries again what could not be kept, and fetches what is lacking for it.
    pub(super) fn keep_what_was_not(&mut self) {
        let Some(keeping) = &mut self.keeping else {
            return;
        };
        let missing = keeping.state.missing_artifacts();
        if missing.is_empty() {
            keeping.state.retry();
        } else {
            keeping.fetch(&self.store, missing);
        }
    }
}
